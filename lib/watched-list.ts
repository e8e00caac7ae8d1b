import { backoff, sleep } from './clock.js';
import type { Clock } from './clock.js';
import { toError } from './errors.js';
import { isJsonObject } from './json.js';
import type { Json } from './json.js';
import type { ResourceChange, Store, StoreWatch } from './oada/store.js';
import { entriesOf, isEntryKey } from './paths.js';

/** Told of what is in a list. */
export interface ListObserver {
  /** The whole list as it stands. */
  listed(entries: ReadonlyMap<string, Json>): void;
  /** One entry was put or changed; what is known of it is the part that was written. */
  changed(key: string, written: Json): void;
  removed(key: string): void;
  /** The list is not heard of at the moment; it is tried again in `retryIn` ms. */
  lost(error: Error, retryIn: number): void;
}

export interface WatchedListOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly path: string;
  /** Milliseconds between two looks at the list's revision. */
  readonly checkInterval: number;
  readonly observer: ListObserver;
}

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 15_000;
/** How late a notification may come before its watch counts as deaf. */
const LATENESS_MS = 1000;

/**
 * Keeps a list of the store in view. A watch is only a hint: whenever the list's revision is not the one that the
 * watch has led to, when a notification is missing, and each time the watch has to be opened anew, the list is read.
 */
export class WatchedList {
  readonly #options: WatchedListOptions;
  readonly #stopping = new AbortController();
  #watch: StoreWatch | undefined;
  /** The last revision that we know the entries of. */
  #rev = -1;
  /** The resource that the list was when it was read. */
  #location: string | undefined;
  #reading: Promise<void> | undefined;
  #readAgain = false;
  #isReopening = false;

  constructor(options: WatchedListOptions) {
    this.#options = options;
  }

  /** Resolves when the list has been read once; from then on nothing is missed. Rejects when that fails. */
  async start(): Promise<void> {
    this.#adopt(await this.#open());
    void this.#check();
  }

  /** Nothing is told any more. Does not wait for a store that may not answer. */
  stop(): void {
    this.#stopping.abort();
    this.#watch?.stop();
  }

  /** Reads the list now, should it have changed unheard. */
  async refresh(): Promise<void> {
    this.#readAgain = true;
    this.#reading ??= this.#readWhileStale();
    await this.#reading;
  }

  /** The watch comes first and the list second: what changes between the two is in both. */
  async #open(): Promise<StoreWatch> {
    const { store, path } = this.#options;
    const watch = await store.watch(path);
    try {
      await this.refresh();
      return watch;
    } catch (error) {
      watch.stop();
      throw error;
    }
  }

  /** From now on this is the watch; the one before may never say that it has ended. */
  #adopt(watch: StoreWatch): void {
    const before = this.#watch;
    this.#watch = watch;
    before?.stop();
    if (this.#isStopping()) watch.stop();
    else void this.#follow(watch);
  }

  async #follow(watch: StoreWatch): Promise<void> {
    let error = new Error('The watch ended');
    try {
      for await (const change of watch.changes) {
        if (watch !== this.#watch) return;
        this.#apply(change);
      }
    } catch (thrown) {
      error = toError(thrown);
    }
    if (watch === this.#watch) await this.#reopen(error);
  }

  async #reopen(reason: Error): Promise<void> {
    const { clock, observer } = this.#options;
    const ended = this.#watch;
    let error = reason;
    this.#isReopening = true;
    for (let attempt = 1; ended === this.#watch && !this.#isStopping(); attempt++) {
      const retryIn = backoff(clock, attempt, FIRST_WAIT_MS, LONGEST_WAIT_MS);
      observer.lost(error, retryIn);
      await sleep(clock, retryIn, this.#stopping.signal);
      if (this.#isStopping()) return;
      try {
        this.#adopt(await this.#open());
      } catch (thrown) {
        error = toError(thrown);
      }
    }
    this.#isReopening = false;
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  #apply(change: ResourceChange): void {
    if (this.#isStopping()) return;
    const [own] = change.filter(({ path }) => path === '');
    const body: unknown = own?.body;
    const rev = isJsonObject(body) ? Number(body['_rev']) : Number.NaN;
    if (own === undefined || !isJsonObject(body) || !(rev > 0)) {
      this.#refreshSoon(); // the list itself was deleted, or it is a change we do not understand
      return;
    }
    if (rev <= this.#rev) return; // told twice, or in the list that we have read since
    if (rev > this.#rev + 1) {
      this.#refreshSoon(); // one is missing, or still to come
      return;
    }
    this.#rev = rev;
    const { observer } = this.#options;
    for (const [key, value] of Object.entries(body)) {
      if (!isEntryKey(key) || value === undefined) continue;
      if (own.type === 'delete' && value === null) observer.removed(key);
      else observer.changed(key, value);
    }
  }

  #refreshSoon(): void {
    this.refresh().catch((error: unknown) => {
      this.#options.observer.lost(toError(error), this.#options.checkInterval); // the next check tries again
    });
  }

  async #readWhileStale(): Promise<void> {
    try {
      while (this.#readAgain) await this.#read();
    } finally {
      this.#reading = undefined; // at once: who asks after the last look is not told that one is on its way
    }
  }

  async #read(): Promise<void> {
    this.#readAgain = false;
    const { store, path, observer } = this.#options;
    const before = this.#rev;
    const { data, rev, location } = await store.get(path);
    const entries = entriesOf(data);
    // The header may be older than the body (two reads on the reference server): the body's own word counts.
    const bodyRev = isJsonObject(data) ? Number(data['_rev']) : Number.NaN;
    const read = Number.isNaN(bodyRev) ? rev : bodyRev;
    if (read < this.#rev && this.#rev !== before) {
      this.#readAgain = true; // the watch has told of more meanwhile than was read
      return;
    }
    this.#rev = read;
    this.#location = location;
    if (!this.#isStopping()) observer.listed(entries);
  }

  /** Compares the list with what we know of it: a watch that has not told of a change, given time, is deaf. */
  async #check(): Promise<void> {
    const { store, clock, path, checkInterval, observer } = this.#options;
    const { signal } = this.#stopping;
    const lateness = Math.min(LATENESS_MS, checkInterval / 2);
    for (;;) {
      await sleep(clock, checkInterval - lateness, signal);
      if (this.#isStopping()) return;
      if (this.#isReopening) continue; // the list is read as soon as that is done
      try {
        const before = this.#rev;
        const { rev, location } = await store.head(path);
        const isAnother = location !== this.#location; // it was made anew
        if (rev === this.#rev && !isAnother) continue;
        if (rev > before && !isAnother) {
          await sleep(clock, lateness, signal);
          if (this.#rev >= rev) continue; // it was told of meanwhile
        }
        if (this.#isStopping()) return;
        this.#adopt(await this.#open());
      } catch (error) {
        observer.lost(toError(error), checkInterval);
      }
    }
  }
}
