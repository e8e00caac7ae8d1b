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
    this.#store = openStore(source, {
      clock,
      timeout: options.requestTimeout,
      onRequest: (method, error) => {
        events.emit('store:requested', { queue: id, method, error });
      },
    });
    this.#list = new WatchedList({
      store: this.#store,
      clock,
      path: paths.jobs,
      checkInterval: options.checkInterval,
      observer: {
        listed: (entries) => {
          this.#listed(entries);
        },
        changed: (key, entry) => {
          this.#add(key, entry, false);
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

  #add(key: string, entry: Json, leftOver: boolean): void {
    const known = this.#waiting.has(key) || this.#running.has(key) || this.#unremovable.has(key);
    if (this.#stopping || known || !isJobKey(key)) return;
    this.#waiting.set(key, { key, entry, leftOver, jobId: linkedId(entry), tries: 1 });
    this.#begin();
  }

  /** Begins what is waiting, as far as there are slots. */
  readonly #begin = (): void => {
    const { slots } = this.#deps;
    for (const [key, found] of this.#waiting) {
      if (!slots.take()) {
        slots.whenFree(this.#begin);
        return;
      }
      this.#waiting.delete(key);
      this.#running.set(key, this.#run(found));
    }
  };

  async #run(found: FoundJob): Promise<void> {
    const { slots, clock } = this.#deps;
    const { key, tries } = found;
    const settled = await new Runner(found, this.#runnerDeps).run();
    slots.release();
    if (settled === 'filed' && !isAddressable(key)) this.#unremovable.add(key);
    if (settled === 'unsettled') await sleep(clock, backoff(clock, tries, 500, 30_000), this.#abort.signal);
    this.#running.delete(key);
    if (settled !== 'unsettled' || this.#stopping) return;
    this.#waiting.set(key, { ...found, tries: tries + 1 });
    this.#begin();
  }
}
