import { setMaxListeners } from 'node:events';

import type { OADAClient } from '@oada/client';
import debug from 'debug';

import { backoff, sleep } from './clock.js';
import type { Clock } from './clock.js';
import { DayIndex } from './day-index.js';
import { ServiceStoppingError } from './errors.js';
import type { Events } from './events.js';
import type { Json } from './json.js';
import type { StoreAddress } from './oada/address.js';
import { openStore } from './oada/store.js';
import type { Store } from './oada/store.js';
import type { ResolvedServiceOptions } from './options.js';
import { classicPaths, isAddressable, isJobKey, linkedId } from './paths.js';
import { Runner } from './runner.js';
import type { FoundJob, RunnerDeps } from './runner.js';
import type { Slots } from './slots.js';
import { WatchedList } from './watched-list.js';
import type { Worker } from './worker.js';

const log = debug('oada-jobs:queue');

/** What the queues of a service have in common. */
export interface QueueDeps {
  readonly service: string;
  readonly workers: ReadonlyMap<string, Worker>;
  readonly options: ResolvedServiceOptions;
  readonly slots: Slots;
  readonly clock: Clock;
  readonly events: Events;
  /** The tokens of all queues: a work function may come by those of others. */
  readonly secrets: Set<string>;
}

/** Watches one pending list, with one token, and has a {@link Runner} run each job in it. */
export class Queue {
  readonly id: string;
  readonly #deps: QueueDeps;
  readonly #store: Store;
  readonly #list: WatchedList;
  readonly #runnerDeps: RunnerDeps;
  readonly #abort = new AbortController();
  /** Found, and not begun. First come, first served. */
  readonly #waiting = new Map<string, FoundJob>();
  readonly #running = new Map<string, Promise<void>>();
  /** The running jobs themselves: more than one link may lead to a job. */
  readonly #busy = new Set<string>();
  /** Keys that were linked anew while the job before was running. */
  readonly #linkedAnew = new Set<string>();
  /** Filed, but under keys that cannot be removed from the list. */
  readonly #unremovable = new Set<string>();
  #stopping = false;
  #listedOnce = false;

  /** @param id `default`, or the key of the entry that the queue comes from */
  constructor(id: string, source: StoreAddress | OADAClient, deps: QueueDeps) {
    const { clock, options, events } = deps;
    const paths = classicPaths(deps.service);
    this.id = id;
    this.#deps = deps;
    setMaxListeners(0, this.#abort.signal); // each running job has some
    this.#store = openStore(source, {
      clock,
      timeout: options.requestTimeout,
      onRequest: (method, error) => {
        events.emit('store:requested', { queue: id, method, error });
      },
    });
    deps.secrets.add(this.#store.client.getToken());
    this.#list = new WatchedList({
      store: this.#store,
      clock,
      path: paths.jobs,
      checkInterval: options.checkInterval,
      observer: {
        listed: (entries) => {
          this.#listed(entries);
        },
        changed: (key, written) => {
          this.#changed(key, written);
        },
        removed: (key) => this.#waiting.delete(key),
        lost: (error, retryIn) => {
          if (!this.#stopping) events.emit('queue:failed', { queue: id, error, retryIn });
        },
      },
    });
    this.#runnerDeps = {
      ...deps,
      queue: id,
      instance: clock.key(),
      store: this.#store,
      paths,
      dayIndex: new DayIndex(this.#store, paths),
      abort: this.#abort.signal,
    };
  }

  get store(): Store {
    return this.#store;
  }

  /**
   * Resolves when the jobs that are there are known, and new ones are heard of.
   *
   * @throws {StoreError} the store is not there, or does not take the token
   */
  async start(): Promise<void> {
    const { tree, jobs } = this.#runnerDeps.paths;
    try {
      await this.#store.check();
      await this.#store.ensure(jobs, tree);
      await this.#list.start();
    } catch (error) {
      await this.#store.close();
      throw error;
    }
    log('%s: watching %s', this.id, jobs);
    this.#deps.events.emit('queue:started', { queue: this.id });
  }

  /** Finds no more; lets running jobs end, those that take longer than `drainTimeout` are aborted and stay pending. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#deps.slots.forget(this.#begin);
    this.#waiting.clear();
    const { clock, options } = this.#deps;
    const drained = new AbortController();
    const finished = this.#finished().finally(() => {
      drained.abort();
    });
    this.#list.stop();
    await sleep(clock, options.drainTimeout, drained.signal);
    this.#abort.abort(new ServiceStoppingError());
    await finished;
    await this.#store.close();
    this.#deps.events.emit('queue:stopped', { queue: this.id });
  }

  async #finished(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  #listed(entries: ReadonlyMap<string, Json>): void {
    for (const key of this.#waiting.keys()) if (!entries.has(key)) this.#waiting.delete(key);
    for (const [key, entry] of entries) this.#add(key, entry, !this.#listedOnce);
    this.#listedOnce = true;
  }

  /** What was written may be a part of the entry only, as when the revision of a versioned link goes up. */
  #changed(key: string, written: Json): void {
    const isLink = linkedId(written) !== undefined;
    if (isLink && this.#running.has(key)) this.#linkedAnew.add(key);
    else if (isLink) this.#add(key, written, false);
    else if (!this.#isKnown(key)) this.#readList();
  }

  #readList(): void {
    this.#list.refresh().catch(() => undefined); // the next check tells of it
  }

  #isKnown(key: string): boolean {
    return this.#waiting.has(key) || this.#running.has(key) || this.#unremovable.has(key) || !isJobKey(key);
  }

  #add(key: string, entry: Json, leftOver: boolean): void {
    if (this.#stopping || this.#isKnown(key)) return;
    this.#waiting.set(key, { key, entry, leftOver, jobId: linkedId(entry), tries: 1 });
    this.#begin();
  }

  /** Begins what is waiting, as far as there are slots. */
  readonly #begin = (): void => {
    const { slots } = this.#deps;
    for (const [key, found] of this.#waiting) {
      const { jobId } = found;
      if (jobId !== undefined && this.#busy.has(jobId)) continue; // its turn comes when that run is over
      if (!slots.take()) {
        slots.whenFree(this.#begin);
        return;
      }
      this.#waiting.delete(key);
      if (jobId !== undefined) this.#busy.add(jobId);
      this.#running.set(key, this.#run(found));
    }
  };

  async #run(found: FoundJob): Promise<void> {
    const { slots, clock } = this.#deps;
    const { key, jobId = '', tries } = found;
    const settled = await new Runner(found, this.#runnerDeps).run();
    slots.release();
    if (settled === 'filed' && !isAddressable(key)) this.#unremovable.add(key);
    if (settled === 'unsettled') await sleep(clock, backoff(clock, tries, 500, 30_000), this.#abort.signal);
    this.#running.delete(key);
    this.#busy.delete(jobId);
    if (this.#stopping) return;
    if (settled === 'unsettled') this.#waiting.set(key, { ...found, tries: tries + 1 });
    if (this.#linkedAnew.delete(key)) this.#readList();
    this.#begin();
  }
}
