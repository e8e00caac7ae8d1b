import debug from 'debug';

import { backoff, sleep } from './clock.js';
import { StoreError, toError } from './errors.js';
import { isEmptyDocument } from './job.js';
import type { Json } from './json.js';
import type { StoreAddress } from './oada/address.js';
import type { Store } from './oada/store.js';
import { pathsOf, linkedId } from './paths.js';
import { parseQueueEntry } from './queue-entry.js';
import { Queue } from './queue.js';
import type { QueueDeps } from './queue.js';
import { WatchedList } from './watched-list.js';

const log = debug('oada-jobs:queues');

/** A queue that is kept going: one that cannot be started is tried again. */
interface KeptQueue {
  readonly address: StoreAddress;
  /** Undefined while it cannot be started. */
  running(): Queue | undefined;
  stop(): Promise<void>;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;
/** Until an entry that could not be read, or was empty, is read again. */
const UNKNOWN_WAIT_MS = 250;

/** Has a {@link Queue} for each entry of the list `queues`, for as long as the entry is there. */
export class QueueEntries {
  readonly #deps: QueueDeps;
  readonly #store: Store;
  readonly #list: WatchedList;
  readonly #queues = new Map<string, KeptQueue>();
  readonly #ending = new Set<Promise<void>>();
  /** The entries that were found wrong, as they were: they are complained of once. */
  readonly #refused = new Map<string, string>();
  #entries: ReadonlyMap<string, Json> = new Map();
  #arranging: Promise<void> | undefined;
  #arrangeAgain = false;
  /** Since when what they link to was seen empty. */
  readonly #emptySince = new Map<string, number>();
  #cancelLook: () => void = () => undefined;
  #stopping = false;

  /** @param store of the service's own token, open already */
  constructor(store: Store, deps: QueueDeps) {
    const { clock, options, events } = deps;
    const refresh = (): void => {
      void this.#list.refresh().catch(() => undefined); // the next check tells of it
    };
    this.#deps = deps;
    this.#store = store;
    this.#list = new WatchedList({
      store,
      clock,
      path: pathsOf(deps.service).queues,
      checkInterval: options.checkInterval,
      observer: {
        listed: (entries) => {
          this.#entries = entries;
          void this.#arrange();
        },
        changed: refresh,
        removed: refresh,
        lost: (error, retryIn) => {
          if (!this.#stopping) events.emit('queue:failed', { queue: 'queues', error, retryIn });
        },
      },
    });
  }

  async start(): Promise<void> {
    const { tree, queues } = pathsOf(this.#deps.service);
    await this.#store.ensure(queues, tree);
    await this.#list.start();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelLook();
    this.#list.stop();
    await this.#arranging;
    for (const queue of this.#queues.values()) this.#end(queue);
    this.#queues.clear();
    await Promise.all(this.#ending);
  }

  /** The queues that run now. */
  ids(): string[] {
    return [...this.#queues].filter(([, kept]) => kept.running() !== undefined).map(([key]) => key);
  }

  get(key: string): Queue | undefined {
    return this.#queues.get(key)?.running();
  }

  /** Its running jobs may take a while; nobody waits for them but {@link QueueEntries.stop}. */
  #end(queue: KeptQueue): void {
    const ending = queue.stop().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  /** Starts and stops queues until they are those of the list. */
  #arrange(): Promise<void> {
    this.#arrangeAgain = true;
    this.#arranging ??= this.#arrangeUntilDone().finally(() => {
      this.#arranging = undefined;
    });
    return this.#arranging;
  }

  async #arrangeUntilDone(): Promise<void> {
    while (this.#arrangeAgain && !this.#stopping) {
      this.#arrangeAgain = false;
      const wanted = await this.#wanted();
      for (const [key, queue] of this.#queues) {
        if (isSame(queue.address, wanted.get(key))) continue;
        this.#queues.delete(key);
        log('%s: stopping', key);
        this.#end(queue);
      }
      for (const [key, address] of wanted) {
        if (!this.#queues.has(key) && !this.#isStopping()) this.#queues.set(key, this.#keep(key, address));
      }
    }
  }

  /** Entries that are links change unheard, so they are read from time to time. */
  async #wanted(): Promise<Map<string, StoreAddress>> {
    const { clock, options } = this.#deps;
    const wanted = new Map<string, StoreAddress>();
    let lookIn = Infinity;
    for (const [key, entry] of this.#entries) {
      const address = await this.#addressOf(key, entry);
      if (linkedId(entry) !== undefined)
        lookIn = Math.min(lookIn, address === 'unknown' ? UNKNOWN_WAIT_MS : options.checkInterval);
      const kept = address === 'unknown' ? this.#queues.get(key)?.address : address;
      if (kept !== undefined) wanted.set(key, kept);
    }
    this.#cancelLook();
    if (!this.#stopping) this.#cancelLook = clock.setTimer(() => void this.#arrange(), lookIn);
    return wanted;
  }

  #isStopping(): boolean {
    return this.#stopping;
  }

  /** Reads an entry, inline or behind its link; a bad one is told of and left alone. */
  async #addressOf(key: string, entry: Json): Promise<StoreAddress | 'unknown' | undefined> {
    let text = JSON.stringify(entry);
    try {
      const id = linkedId(entry);
      const data = id === undefined ? entry : (await this.#store.get(`/${id}`)).data;
      if (id !== undefined && this.#isStillEmpty(key, data)) return 'unknown';
      text += JSON.stringify(data);
      const address = parseQueueEntry(data);
      this.#refused.delete(key);
      return address;
    } catch (error) {
      if (error instanceof StoreError && isPassing(error)) return 'unknown';
      if (this.#refused.get(key) !== text)
        this.#deps.events.emit('queue:refused', { queue: key, error: toError(error) });
      this.#refused.set(key, text);
      return undefined;
    }
  }

  /** A tree PUT links an entry before it writes it. */
  #isStillEmpty(key: string, data: unknown): boolean {
    const { clock, options } = this.#deps;
    if (!isEmptyDocument(data)) {
      this.#emptySince.delete(key);
      return false;
    }
    const since = this.#emptySince.get(key) ?? clock.monotonic();
    this.#emptySince.set(key, since);
    return clock.monotonic() - since < options.contentTimeout;
  }

  #keep(key: string, address: StoreAddress): KeptQueue {
    const { clock, events } = this.#deps;
    const stopping = new AbortController();
    let running: Queue | undefined;
    let starting: Queue | undefined;
    const keep = async (): Promise<Queue | undefined> => {
      for (let attempt = 1; !stopping.signal.aborted; attempt++) {
        const queue = Queue.create(key, address, this.#deps);
        starting = queue;
        try {
          await queue.start();
          running = queue;
          return queue;
        } catch (error) {
          const retryIn = backoff(clock, attempt, FIRST_WAIT_MS, LONGEST_WAIT_MS);
          events.emit('queue:failed', { queue: key, error: toError(error), retryIn });
          await sleep(clock, retryIn, stopping.signal);
        }
      }
      return undefined;
    };
    const kept = keep();
    return {
      address,
      running: () => running,
      stop: async () => {
        stopping.abort();
        if (running === undefined) await starting?.abandon();
        const queue = await kept;
        await queue?.stop();
      },
    };
  }
}

/** It says nothing of the entry. */
function isPassing({ code }: StoreError): boolean {
  return code !== 'OADA_JOBS_STORE_NOT_FOUND' && code !== 'OADA_JOBS_STORE_FORBIDDEN';
}

function isSame(one: StoreAddress, other: StoreAddress | undefined): boolean {
  return other?.domain === one.domain && other.token === one.token;
}
