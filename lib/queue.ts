import { setMaxListeners } from 'node:events';

import type { OADAClient } from '@oada/client';
import debug from 'debug';

import { waitAtMost } from './clock.js';
import type { Clock } from './clock.js';
import { Controls } from './controls.js';
import type { ControlsObserver } from './controls.js';
import { DayIndex } from './day-index.js';
import type { QueueDepth } from './depth.js';
import { Dispatcher } from './dispatcher.js';
import { ignoreStoreError, ServiceStoppingError } from './errors.js';
import type { Events } from './events.js';
import { OtherInstances, OwnInstance } from './instances.js';
import type { Json } from './json.js';
import type { StoreAddress } from './oada/address.js';
import { openStore } from './oada/store.js';
import { Listing } from './listing.js';
import type { Store } from './oada/store.js';
import type { ResolvedServiceOptions } from './options.js';
import { PendingLists } from './pending-lists.js';
import type { PendingObserver } from './pending-lists.js';
import { pathsOf } from './paths.js';
import type { ResolvedRetention } from './retention/policy.js';
import { Retention } from './retention/retention.js';
import type { Slots } from './slots.js';
import type { Worker } from './worker.js';

const log = debug('oada-jobs:queue');

/** How long a stop waits, when the work is over, for a store to take what has to be written last. */
const LAST_WRITES_MS = 5000;

/** What the queues of a service have in common. */
export interface QueueDeps {
  readonly service: string;
  readonly workers: ReadonlyMap<string, Worker>;
  readonly options: ResolvedServiceOptions;
  /** Undefined: finished jobs are kept for ever. */
  readonly retention: ResolvedRetention | undefined;
  /** Whether the nested list is made where neither layout is in use yet. */
  readonly prefersNested: boolean;
  readonly slots: Slots;
  readonly clock: Clock;
  readonly events: Events;
  /** Those of the queues that are open, by id. */
  readonly stores: Map<string, Store>;
  /** The queues that take jobs, or have some that are not over. */
  readonly running: Set<{ readonly id: string; readonly depth: QueueDepth }>;
  /** Told of what operators ask of the schedules. */
  onSwitches(queue: string, switches: Json | undefined): void;
  /** Texts that must not be stored or told: the tokens of all queues. */
  readonly secrets: Set<string>;
}

/** Watches the pending lists of a service in one store, with one token, and has a {@link Runner} run each job in it. */
export class Queue {
  readonly id: string;
  readonly #deps: QueueDeps;
  readonly #store: Store;
  readonly #lists: PendingLists;
  readonly #listing = new Listing();
  readonly #controls: Controls;
  readonly #own: OwnInstance;
  readonly #others: OtherInstances;
  readonly #dispatcher: Dispatcher;
  readonly #retention: Retention | undefined;
  readonly #abort = new AbortController();
  #stopping = false;
  #paused = false;
  /** Before that no job may be claimed: its claim would be anybody's. */
  #isRegistered = false;

  private constructor(id: string, source: StoreAddress | OADAClient, deps: QueueDeps) {
    const { clock, options, events } = deps;
    const paths = pathsOf(deps.service);
    this.id = id;
    this.#deps = deps;
    const store = openStore(source, {
      clock,
      timeout: options.requestTimeout,
      onRequest: (method, error) => {
        events.emit('store:requested', { queue: id, method, error });
      },
    });
    this.#store = store;
    deps.stores.set(id, store);
    deps.secrets.add(store.client.getToken());
    setMaxListeners(0, this.#abort.signal); // each running job listens
    const { checkInterval, leaseTimeout, concurrency } = options;
    const { pending, controls } = this.#observers();
    const { layout } = options;
    const { prefersNested } = deps;
    this.#lists = new PendingLists({
      store,
      clock,
      checkInterval,
      paths,
      layout,
      prefersNested,
      observer: pending,
    });
    this.#controls = new Controls({ store, clock, checkInterval, paths, observer: controls });
    this.#own = new OwnInstance({ store, paths, clock, leaseTimeout, concurrency });
    this.#others = new OtherInstances({ store, paths, clock, leaseTimeout }, (instance, keys) => {
      events.emit('instance:lost', { queue: id, instance, jobs: keys.length });
      this.#dispatcher.takeOver(instance, keys);
    });
    this.#dispatcher = new Dispatcher({
      ...deps,
      ...{ queue: id, instance: this.#own.id, store, paths, own: this.#own, others: this.#others },
      dayIndex: new DayIndex(store, paths),
      listing: this.#listing,
      abort: this.#abort.signal,
      isCancelled: (key) => this.#controls.isCancelled(key),
      refresh: () => this.#lists.refresh(),
      settleRequest: (key) => this.#controls.settle(key),
    });
    const { retention } = deps;
    if (retention !== undefined)
      this.#retention = new Retention({ ...deps, queue: id, store, paths, retention });
  }

  /**
   * @internal
   * @param id `default`, or the key of the entry that the queue comes from
   */
  static create(id: string, source: StoreAddress | OADAClient, deps: QueueDeps): Queue {
    return new Queue(id, source, deps);
  }

  /** What is heard goes to the dispatcher, and to whoever waits for a job to be filed. */
  #observers(): { pending: PendingObserver; controls: ControlsObserver } {
    const lost = (error: Error, retryIn: number): void => {
      if (!this.#stopping) this.#deps.events.emit('queue:failed', { queue: this.id, error, retryIn });
    };
    const pending: PendingObserver = {
      listed: (layout, entries) => {
        this.#listing.listed(layout, entries);
        this.#dispatcher.listed(layout, entries);
      },
      changed: (layout, key, written) => {
        this.#listing.changed(layout, key);
        this.#dispatcher.changed(layout, key, written);
      },
      removed: (layout, key) => {
        this.#listing.removed(layout, key);
        this.#dispatcher.removed(layout, key);
      },
      lost,
    };
    const controls: ControlsObserver = {
      cancelled: (key) => {
        this.#dispatcher.cancelled(key);
      },
      schedules: (switches) => {
        this.#deps.onSwitches(this.id, switches);
      },
      paused: (paused) => {
        this.#setPaused(paused);
      },
      lost,
    };
    return { pending, controls };
  }

  /** Gives up what {@link Queue.start} is waiting for: it rejects. */
  abandon(): Promise<void> {
    return this.#store.close();
  }

  /** @internal */
  get store(): Store {
    return this.#store;
  }

  /** @internal What it holds now. */
  get depth(): QueueDepth {
    return this.#dispatcher.depth();
  }

  /** @internal */
  get controls(): Controls {
    return this.#controls;
  }

  /**
   * Resolves when the jobs that are there are known, and new ones are heard of.
   *
   * @throws {StoreError} the store is not there, or does not take the token
   */
  async start(): Promise<void> {
    try {
      await this.#store.check();
      await this.#lists.start();
      await this.#controls.start(); // the jobs come first: a request to cancel one that is not listed is taken out
      await this.#own.register();
      this.#isRegistered = true;
      this.#dispatcher.setPaused(this.#paused);
    } catch (error) {
      this.#dispatcher.stop();
      this.#lists.stop();
      this.#controls.stop();
      await this.#store.close();
      throw error;
    }
    log('%s: watching the pending lists', this.id);
    this.#deps.running.add(this);
    this.#deps.events.emit('queue:started', { queue: this.id });
    this.#retention?.start();
  }

  /** Finds no more; lets running jobs end, those that take longer than `drainTimeout` are aborted and stay pending. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const { clock, options, events } = this.#deps;
    const pruned = this.#retention?.stop();
    this.#dispatcher.stop();
    const finished = this.#dispatcher.finished();
    await waitAtMost(clock, options.drainTimeout, finished); // a job can still be cancelled
    this.#lists.stop();
    this.#controls.stop();
    this.#others.stop();
    this.#abort.abort(new ServiceStoppingError());
    const grace = Math.max(0, ...[...this.#deps.workers.values()].map((worker) => worker.grace));
    await waitAtMost(clock, grace + LAST_WRITES_MS, finished);
    // Where that cannot be written, others find our heartbeat standing still.
    await waitAtMost(clock, LAST_WRITES_MS, this.#own.unregister().catch(ignoreStoreError));
    await pruned;
    await this.#store.close();
    this.#deps.running.delete(this);
    events.emit('queue:stopped', { queue: this.id });
  }

  #setPaused(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    const { events } = this.#deps;
    if (paused) events.emit('queue:paused', { queue: this.id });
    else events.emit('queue:resumed', { queue: this.id });
    if (this.#isRegistered) this.#dispatcher.setPaused(paused);
  }
}
