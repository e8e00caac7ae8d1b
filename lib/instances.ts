import { hostname } from 'node:os';

import { sleep } from './clock.js';
import type { Clock } from './clock.js';
import { ignoreStoreError, StoreError } from './errors.js';
import type { Filing } from './found-job.js';
import type { JsonObject } from './json.js';
import type { Store } from './oada/store.js';
import { link } from './paths.js';
import type { Paths } from './paths.js';

export interface InstanceOptions {
  readonly store: Store;
  readonly paths: Paths;
  readonly clock: Clock;
  /** Milliseconds that a heartbeat may stand still before its instance is taken for dead. */
  readonly leaseTimeout: number;
}

export interface OwnInstanceOptions extends InstanceOptions {
  /** How many jobs it runs at once. */
  readonly concurrency: number;
}

/** How many times within `leaseTimeout` a heartbeat is written, and looked at. */
const BEATS_PER_LEASE = 3;
/** How often the heartbeat of an instance is written that holds no job: only people look at it then. */
export const IDLE_BEAT_MS = 60_000;
/** How many of the jobs that run are told. */
const MOST_TOLD = 100;

/**
 * This queue of this process, as others see it: a resource of its own whose revision goes up, often while it holds jobs,
 * and now and then while it does not.
 */
export class OwnInstance {
  /** Stands in the claims of its jobs. */
  readonly id: string;
  readonly #options: OwnInstanceOptions;
  readonly #ending = new AbortController();
  readonly #held = new Set<{ readonly jobId: string; readonly lease: Filing }>();
  #beats = 0;
  /** By the monotonic clock. */
  #lastBeat = -Infinity;
  #beating: Promise<void> | undefined;
  /** Ends the wait for the next beat. */
  #wake = new AbortController();

  constructor(options: OwnInstanceOptions) {
    this.#options = options;
    this.id = options.clock.key();
  }

  /** To be called before the first claim: a claim whose instance has no heartbeat is anybody's. */
  async register(): Promise<void> {
    const { store, paths, clock, leaseTimeout, concurrency } = this.#options;
    const of = { instance: this.id, host: hostname(), pid: process.pid, leaseTimeout, concurrency };
    this.#lastBeat = clock.monotonic();
    await store.put(`/${resourceOf(this.id)}`, { ...of, started: clock.now().toISOString(), ...this.#told });
    await store.ensure(paths.instances, paths.tree);
    await store.put(paths.instances, { [this.id]: link(resourceOf(this.id)) });
    this.#beating = this.#beat();
  }

  /** Beats often while the work goes on. */
  async holding<T>(jobId: string, lease: Filing, work: () => Promise<T>): Promise<T> {
    const held = { jobId, lease };
    this.#held.add(held);
    if (this.#held.size === 1) this.#wake.abort();
    try {
      return await work();
    } finally {
      this.#held.delete(held);
    }
  }

  /** Nobody has to wait for this instance any more. */
  async unregister(): Promise<void> {
    const { store, paths } = this.#options;
    this.#ending.abort();
    await this.#beating;
    await store.delete(paths.instance(this.id));
    await store.delete(`/${resourceOf(this.id)}`);
  }

  async #beat(): Promise<void> {
    const { store, clock, leaseTimeout } = this.#options;
    while (!this.#ending.signal.aborted) {
      this.#wake = new AbortController();
      const interval = this.#held.size > 0 ? leaseTimeout / BEATS_PER_LEASE : IDLE_BEAT_MS;
      // Due at once where the last is long ago: others may have seen it stand still since the last job.
      const dueIn = this.#lastBeat + interval - clock.monotonic();
      if (dueIn > 0) {
        await sleep(clock, dueIn, AbortSignal.any([this.#ending.signal, this.#wake.signal]));
        continue;
      }
      this.#lastBeat = clock.monotonic();
      this.#beats++;
      await store.put(`/${resourceOf(this.id)}`, this.#told).catch(ignoreStoreError); // the next may be stored
    }
  }

  /** What people are told of it. */
  get #told(): JsonObject {
    const running = [...this.#held].filter(({ lease }) => !lease.isFiling);
    const jobs = running.slice(0, MOST_TOLD).map(({ jobId }) => jobId);
    const filing = this.#held.size - running.length;
    return { beats: this.#beats, running: running.length, filing, jobs };
  }
}

interface Watched {
  /** The jobs it has, by their keys in the pending list. */
  readonly keys: Set<string>;
  rev: number | undefined;
  /** Since when the revision stands, by our own monotonic clock: no two clocks are compared. */
  since: number;
}

/** The instances that hold jobs of our list, and how we learn of their death. */
export class OtherInstances {
  readonly #options: InstanceOptions;
  readonly #onDead: (instance: string, keys: readonly string[]) => void;
  readonly #watched = new Map<string, Watched>();
  readonly #ending = new AbortController();
  #isLooking = false;

  /** @param onDead is told once; the jobs are anybody's then */
  constructor(options: InstanceOptions, onDead: (instance: string, keys: readonly string[]) => void) {
    this.#options = options;
    this.#onDead = onDead;
  }

  /** The instance has the job. */
  holds(instance: string, key: string): void {
    const watched = this.#watched.get(instance) ?? { keys: new Set<string>(), rev: undefined, since: 0 };
    this.#watched.set(instance, watched);
    watched.keys.add(key);
    if (!this.#isLooking) void this.#look();
  }

  /** The job is no longer in the list. */
  forget(key: string): void {
    for (const [instance, { keys }] of this.#watched) {
      if (keys.delete(key) && keys.size === 0) this.#watched.delete(instance);
    }
  }

  stop(): void {
    this.#ending.abort();
    this.#watched.clear();
  }

  async #look(): Promise<void> {
    const { clock, leaseTimeout } = this.#options;
    this.#isLooking = true;
    while (this.#watched.size > 0 && !this.#ending.signal.aborted) {
      await Promise.all([...this.#watched].map(([instance, watched]) => this.#lookAt(instance, watched)));
      await sleep(clock, leaseTimeout / BEATS_PER_LEASE, this.#ending.signal);
    }
    this.#isLooking = false;
  }

  async #lookAt(instance: string, watched: Watched): Promise<void> {
    const { clock, leaseTimeout } = this.#options;
    const rev = await this.#revisionOf(instance);
    const now = clock.monotonic();
    if (this.#ending.signal.aborted) return;
    if (rev === 'unknown') {
      watched.rev = undefined; // nor could the other write to it: its time begins anew
      return;
    }
    if (rev !== 'gone' && rev !== watched.rev) {
      watched.rev = rev;
      watched.since = now;
    }
    const alive = rev !== 'gone' && now - watched.since < leaseTimeout;
    if (alive || this.#watched.get(instance) !== watched) return;
    this.#watched.delete(instance);
    this.#onDead(instance, [...watched.keys]);
    if (rev !== 'gone') await this.#strikeOff(instance);
  }

  /** Out of the list of instances. Its heartbeat stays: should it come back, that goes on. */
  async #strikeOff(instance: string): Promise<void> {
    const { store, paths } = this.#options;
    await store.delete(paths.instance(instance)).catch(ignoreStoreError); // the list is for people to look at
  }

  async #revisionOf(instance: string): Promise<number | 'gone' | 'unknown'> {
    try {
      return (await this.#options.store.head(`/${resourceOf(instance)}`)).rev;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      // A store that does not answer says nothing of the instance.
      return error.code === 'OADA_JOBS_STORE_NOT_FOUND' ? 'gone' : 'unknown';
    }
  }
}

/** An instance's id is the key of its heartbeat: nothing has to be looked up to find it. */
function resourceOf(instance: string): string {
  return `resources/${instance}`;
}
