import { createContext } from 'preact';
import { useContext, useEffect, useRef } from 'preact/hooks';

import type { LiveEvents } from '../api.js';
import { askSession, liveAddress, readEvent } from './client.js';
import type { Place } from './route.js';
import { createStore } from './store.js';
import type { Store } from './store.js';
import { followVisibility } from './visibility.js';

export type LiveName = keyof LiveEvents;
type Listener<Name extends LiveName> = (data: LiveEvents[Name]) => void;
type Listeners = { readonly [Name in LiveName]: Set<Listener<Name>> };

export type LiveStatus =
  | { readonly state: 'opening' }
  | { readonly state: 'live' }
  /** `retryAt`: when it is tried again, by the clock of this machine. */
  | { readonly state: 'lost'; readonly retryAt: number };

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
/** Rows come one after the other: the server is asked for all of them at once. */
const SETTLE_MS = 50;

/** The one connection by which a service's views hear of what happens; it is opened again whenever it is lost. */
export class LiveConnection {
  readonly status: Store<LiveStatus> = createStore<LiveStatus>({ state: 'opening' });
  /** Why the server does not hear of the store, where it does not. */
  readonly storeProblem: Store<string | undefined> = createStore<string | undefined>(undefined);
  /** Counts how often it was opened again after a loss: whatever happened meanwhile was not heard of. */
  readonly losses: Store<number> = createStore(0);
  readonly #place: Place;
  readonly #listeners: Listeners = {
    ...{ counts: new Set(), throughput: new Set(), finished: new Set(), job: new Set() },
    ...{ added: new Set(), changed: new Set(), connection: new Set() },
  };
  #source: EventSource | undefined;
  /** In place of the source as soon as it is open: until then, that goes on telling. */
  #next: EventSource | undefined;
  /** Something may have happened of which nothing was heard. */
  #hasGap = false;
  #following: (() => void) | undefined;
  #jobs: readonly string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;

  constructor(place: Place) {
    this.#place = place;
    this.on('connection', ({ ok, problem }) =>
      this.storeProblem.set(ok ? undefined : (problem ?? 'it gives no reason')),
    );
  }

  on<Name extends LiveName>(name: Name, listener: Listener<Name>): () => void {
    this.#listeners[name].add(listener);
    return () => this.#listeners[name].delete(listener);
  }

  /** Tells of changes of these jobs from now on. Of one alone, all that is known is told. */
  watch(jobs: readonly string[]): void {
    const isTold = jobs.every((id) => this.#jobs.includes(id));
    const lacksDetail = jobs.length === 1 && this.#jobs.length > 1;
    // Those that are over need not be told of, but that is no reason to open it again.
    if (!isTold || lacksDetail) this.#ask(jobs);
  }

  /** Tells of no job any more. */
  forget(): void {
    if (this.#jobs.length > 0) this.#ask([]);
  }

  #ask(jobs: readonly string[]): void {
    this.#jobs = jobs;
    if (this.status.get().state !== 'lost') this.#openIn(SETTLE_MS);
  }

  /** Begins, and pauses while nobody looks: a browser has few connections to a host, for all of its tabs together. */
  start(): void {
    this.#following = followVisibility((isVisible) => {
      if (isVisible) this.open();
      else this.#pause();
    });
    this.open();
  }

  stop(): void {
    this.#following?.();
    this.#close();
  }

  /** Also where it is open: then again, for the jobs that are watched now. */
  open(): void {
    clearTimeout(this.#timer);
    this.#next?.close();
    this.#next = undefined;
    if (document.hidden) return;
    const source = new EventSource(liveAddress(this.#place, this.#jobs));
    this.#next = source;
    source.onopen = () => this.#opened(source);
    source.onerror = () => this.#failed(source);
    this.#hear(source);
  }

  #opened(source: EventSource): void {
    if (source !== this.#next) return;
    this.#source?.close();
    this.#source = source;
    this.#next = undefined;
    this.#failures = 0;
    this.status.set({ state: 'live' });
    if (!this.#hasGap) return;
    this.#hasGap = false;
    this.losses.change((count) => count + 1);
  }

  #failed(source: EventSource): void {
    source.close();
    if (source === this.#source) {
      this.#source = undefined;
      this.#hasGap = true;
      // Where another is being opened, that one says how it goes on.
      if (this.#next === undefined) this.#lost();
    } else if (source === this.#next) this.#lost();
  }

  #pause(): void {
    this.#close();
    this.#hasGap = true;
    this.status.set({ state: 'opening' });
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#next?.close();
    this.#source = undefined;
    this.#next = undefined;
  }

  #hear(source: EventSource): void {
    const hear = <Name extends LiveName>(name: Name, listeners: ReadonlySet<Listener<Name>>): void =>
      source.addEventListener(name, (event: MessageEvent<string>) => {
        const data = readEvent(name, event);
        for (const listener of [...listeners]) listener(data);
      });
    const { counts, throughput, finished, job, added, changed, connection } = this.#listeners;
    hear('counts', counts);
    hear('throughput', throughput);
    hear('finished', finished);
    hear('job', job);
    hear('added', added);
    hear('changed', changed);
    hear('connection', connection);
  }

  #openIn(wait: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), wait);
  }

  #lost(): void {
    this.#close();
    this.#hasGap = true;
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures) * (0.75 + Math.random() / 2);
    this.#failures++;
    this.status.set({ state: 'lost', retryAt: Date.now() + wait });
    this.#openIn(wait);
    // An EventSource does not say why it failed: perhaps the session is over.
    void askSession();
  }
}

const Live = createContext<LiveConnection | undefined>(undefined);
export const LiveProvider = Live.Provider;

export function useLive(): LiveConnection {
  const live = useContext(Live);
  if (live === undefined) throw new Error('This view stands outside of a service');
  return live;
}

/** Calls the listener of the last rendering. */
export function useLiveEvent<Name extends LiveName>(name: Name, listener: Listener<Name>): void {
  const live = useLive();
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => live.on(name, (data) => latest.current(data)), [live, name]);
}

/** Does it whenever these have changed. */
export function useChanges(what: LiveEvents['changed']['what'], act: () => void): void {
  useLiveEvent('changed', (changed) => {
    if (changed.what === what) act();
  });
}

/** Has the server tell of these jobs while the component is there. */
export function useWatchedJobs(jobs: readonly string[]): void {
  const live = useLive();
  useEffect(() => live.watch(jobs), [live, jobs.join()]);
  useEffect(() => () => live.forget(), [live]);
}
