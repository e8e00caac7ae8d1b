import { backoff } from '../clock.js';
import type { Clock } from '../clock.js';
import { StoreError, toError } from '../errors.js';
import { isEmptyDocument } from '../job.js';
import { isJsonObject } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import type { Store } from '../oada/store.js';
import { isResourceId, linkedId } from '../paths.js';
import { WatchedList } from '../watched-list.js';
import { doAtOnce } from './at-once.js';
import type { ItemView } from './item-verdicts.js';

export interface ItemListOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly path: string;
  readonly checkInterval: number;
  /** How often what is behind unversioned links is read again, in milliseconds. */
  readonly refreshInterval: number;
  /** Whether what is behind links is read at once, not only when it is asked for. */
  readonly isRead: boolean;
  /** Not all is as it was; or it is time to look at it again. */
  readonly onChanged: () => void;
  /** Somebody has taken an item away. */
  readonly onRemoved: (key: string) => void;
  readonly onLost: (error: Error, retryIn: number) => void;
}

/** An item as it stands in the list, and what was read of it. */
interface Entry {
  /** The resource that it is a link to. */
  readonly id: string | undefined;
  /** That of the link, where it is versioned. */
  linkRev: number | undefined;
  value: JsonObject | undefined;
  error: Error | undefined;
  /** That of the value; -1 where nothing has been read. */
  readRev: number;
  /** It is time to read it again. */
  isStale: boolean;
  /** How often in a row it was found empty or older than its link says, or could not be read. */
  tries: number;
  /** It is not read before then, by the monotonic clock. */
  lookAt: number;
}

const READS = 10;
const FIRST_WAIT_MS = 250;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;
/** How often an empty resource is taken for one that is still to be written: a tree PUT links before it writes. */
const EMPTY_TRIES = 5;

/**
 * The items of a list, kept as they stand in the store. Of links, versioned ones tell when what they lead to has changed,
 * and only that is read; what the others lead to is read again from time to time.
 */
export class ItemList {
  readonly #options: ItemListOptions;
  readonly #list: WatchedList;
  readonly #entries = new Map<string, Entry>();
  #isEmpty = true;
  #isListed = false;
  /** The list was not heard of: it is to be read whatever its revision says. */
  #isToBeListed = false;
  #looking: Promise<void> | undefined;
  #isLooking = false;
  #lookAgain = false;
  #tries = 0;
  #retryAt = Infinity;
  #refreshAt = Infinity;
  #cancelLook: () => void = () => undefined;
  #isStopped = false;

  constructor(options: ItemListOptions) {
    const { store, clock, path, checkInterval } = options;
    this.#options = options;
    this.#list = new WatchedList({
      ...{ store, clock, path, checkInterval },
      observer: {
        listed: (entries) => this.#listed(entries),
        changed: (key, written) => this.#changed(key, written),
        removed: (key) => this.#removed(key),
        lost: (error, retryIn) => {
          this.#isToBeListed = true;
          this.#tellLost(error, retryIn);
        },
      },
    });
  }

  /** Resolves when all has been read, as far as it can be. May be tried again. @throws {StoreError} */
  async start(): Promise<void> {
    const { store, clock, path, refreshInterval } = this.#options;
    const { location } = await store.head(path);
    if (location !== undefined && !isResourceId(location.replaceAll(/^\/|\/$/g, ''))) {
      const message = `${path} is no resource of its own, so that nothing tells of its changes`;
      throw new StoreError('OADA_JOBS_STORE_REFUSED', message, { path });
    }
    this.#refreshAt = clock.monotonic() + refreshInterval;
    await this.#list.start();
    await this.#looking;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelLook();
    this.#list.stop();
    await this.#looking;
  }

  /** Has it been read? */
  get isListed(): boolean {
    return this.#isListed;
  }

  /** The keys of the items that are in the list now. */
  keys(): string[] {
    return this.#isEmpty ? [] : [...this.#entries.keys()];
  }

  /** What is known of an item. While the list is empty: what was in it before. */
  get(key: string): ItemView | undefined {
    return this.#entries.get(key);
  }

  /** Is it there, or can it be read when it is needed? */
  isWithinReach(key: string): boolean {
    const entry = this.#entries.get(key);
    return entry?.value !== undefined || entry?.id !== undefined;
  }

  /**
   * Reads an item, unless the list tells when it changes and it has not.
   *
   * @returns whether it is another now
   * @throws {StoreError}
   */
  async refresh(key: string): Promise<boolean> {
    const entry = this.#entries.get(key);
    if (entry?.id === undefined || (entry.linkRev !== undefined && isUpToDate(entry))) return false;
    const before = entry.readRev;
    await this.#read(entry, entry.id);
    return entry.readRev !== before;
  }

  #listed(entries: ReadonlyMap<string, Json>): void {
    const own = new Map([...entries].filter(([, entry]) => entry !== null));
    this.#isListed = true;
    this.#isToBeListed = false;
    this.#isEmpty = own.size === 0;
    if (!this.#isEmpty) {
      for (const key of this.#entries.keys()) if (!own.has(key)) this.#entries.delete(key);
      for (const [key, entry] of own) this.#put(key, entry);
    }
    this.#look();
  }

  #changed(key: string, written: Json): void {
    const known = this.#entries.get(key);
    const rev = isJsonObject(written) && Object.keys(written).length === 1 ? revOf(written) : undefined;
    if (this.#isEmpty) this.#isToBeListed = true;
    else if (known === undefined && linkedId(written) !== undefined) this.#put(key, written);
    else if (known?.id !== undefined && rev !== undefined) bump(known, rev);
    else this.#isToBeListed = true; // it is only known in part
    this.#look();
  }

  #removed(key: string): void {
    this.#entries.delete(key);
    this.#isEmpty ||= this.#entries.size === 0;
    this.#options.onRemoved(key);
    this.#look();
  }

  #put(key: string, value: Json): void {
    const id = linkedId(value);
    const known = this.#entries.get(key);
    if (id !== undefined && known?.id === id) bump(known, revOf(value));
    else this.#entries.set(key, id === undefined ? inlineEntry(value) : linkEntry(id, revOf(value)));
  }

  #look(): void {
    if (this.#isStopped) return;
    this.#lookAgain = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#looking = this.#lookUntilDone();
  }

  async #lookUntilDone(): Promise<void> {
    const { clock, onChanged } = this.#options;
    while (this.#lookAgain && !this.#isStopped) {
      this.#lookAgain = false;
      try {
        if (this.#isToBeListed) await this.#list.refresh();
        this.#lookAgain ||= this.#isToBeListed;
        await this.#readWhatIsNew();
        this.#tries = 0;
        this.#retryAt = Infinity;
      } catch (error) {
        const retryIn = backoff(clock, ++this.#tries, FIRST_RETRY_MS, LONGEST_RETRY_MS);
        this.#retryAt = clock.monotonic() + retryIn;
        this.#tellLost(toError(error), retryIn);
      }
    }
    this.#isLooking = false; // at once: who comes from now on finds nobody at it
    if (this.#isStopped) return;
    this.#setTimer();
    onChanged();
  }

  #setTimer(): void {
    const { clock } = this.#options;
    const times = [...this.#entries.values()]
      .filter((entry) => this.#isToBeRead(entry))
      .map(({ lookAt }) => lookAt);
    const retry = this.#retryAt === Infinity ? times : [this.#retryAt];
    const wait = Math.min(this.#refreshAt, ...retry) - clock.monotonic();
    this.#cancelLook();
    this.#cancelLook = clock.setTimer(
      () => {
        if (clock.monotonic() >= this.#refreshAt) this.#refreshAll();
        this.#look();
      },
      Math.max(0, wait),
    );
  }

  #refreshAll(): void {
    const { clock, refreshInterval } = this.#options;
    this.#refreshAt = clock.monotonic() + refreshInterval;
    for (const entry of this.#entries.values()) entry.isStale = entry.linkRev === undefined;
  }

  #isToBeRead(entry: Entry): boolean {
    return this.#options.isRead && entry.id !== undefined && !isUpToDate(entry);
  }

  async #readWhatIsNew(): Promise<void> {
    const { clock } = this.#options;
    const now = clock.monotonic();
    const entries = [...this.#entries.values()].filter((one) => one.lookAt <= now && this.#isToBeRead(one));
    await doAtOnce(READS, entries, (entry) => this.#tryToRead(entry), isHopeless);
  }

  /** What can only be this item's own fault keeps nobody from reading the others. */
  async #tryToRead(entry: Entry): Promise<void> {
    const { clock, refreshInterval } = this.#options;
    if (this.#isStopped || entry.id === undefined) return;
    try {
      await this.#read(entry, entry.id, EMPTY_TRIES);
    } catch (error) {
      if (isHopeless(error)) throw error;
      entry.value = undefined;
      entry.error = toError(error);
    }
    entry.tries = isUpToDate(entry) ? 0 : entry.tries + 1;
    const wait = entry.tries === 0 ? 0 : backoff(clock, entry.tries, FIRST_WAIT_MS, refreshInterval);
    entry.lookAt = clock.monotonic() + wait;
  }

  /** @param emptyTries how often it may be found empty before that counts as what it is */
  async #read(entry: Entry, id: string, emptyTries = 0): Promise<void> {
    const { data, rev } = await this.#options.store.get(`/${id}`);
    if (!isJsonObject(data)) throw new TypeError(`${id} holds no object`);
    if (isEmptyDocument(data) && entry.value === undefined && entry.tries < emptyTries) return;
    const readRev = revOf(data) ?? rev;
    if (readRev < entry.readRev) return; // a later answer was faster
    entry.value = data;
    entry.error = undefined;
    entry.readRev = readRev;
    entry.isStale = false;
  }

  #tellLost(error: Error, retryIn: number): void {
    if (!this.#isStopped) this.#options.onLost(error, retryIn);
  }
}

function isUpToDate({ value, error, isStale, linkRev, readRev }: Entry): boolean {
  return value !== undefined && error === undefined && !isStale && readRev >= (linkRev ?? 0);
}

function bump(entry: Entry, linkRev: number | undefined): void {
  if (linkRev !== entry.linkRev) entry.lookAt = 0;
  entry.linkRev = linkRev;
}

function inlineEntry(value: Json): Entry {
  const error = isJsonObject(value) ? undefined : new TypeError('it is neither an object nor a link to one');
  return { ...newEntry(undefined, undefined), value: isJsonObject(value) ? value : undefined, error };
}

function linkEntry(id: string, linkRev: number | undefined): Entry {
  return newEntry(id, linkRev);
}

function newEntry(id: string | undefined, linkRev: number | undefined): Entry {
  const unread = { value: undefined, error: undefined, readRev: -1, isStale: false };
  return { id, linkRev, ...unread, tries: 0, lookAt: 0 };
}

function revOf(value: Json): number | undefined {
  const rev = isJsonObject(value) ? value['_rev'] : undefined;
  return typeof rev === 'number' ? rev : undefined;
}

/** The store does not answer, not for the others either. */
function isHopeless(error: unknown): boolean {
  return error instanceof StoreError && error.retryable;
}
