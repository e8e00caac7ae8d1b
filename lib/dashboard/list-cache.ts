import { unlessMissing } from '../errors.js';
import type { Revision, Store } from '../oada/store.js';
import { readLinks } from '../operator/lists.js';
import type { ListEntry, ListReader } from '../operator/lists.js';

/** At which state of a list something was read of it. */
interface Stamp {
  readonly rev: number;
  readonly location: string | undefined;
}

interface CachedList extends Stamp {
  readonly entries: readonly ListEntry[];
}

interface CachedCount extends Stamp {
  readonly count: number;
}

/** Of all lists together: an entry takes some 150 bytes. */
const MOST_ENTRIES = 300_000;
const MOST_COUNTS = 10_000;

/** What was read of lists, for as long as they have not changed; those that were used last stay. */
export class ListCache {
  readonly #most: number;
  readonly #lists = new Map<string, CachedList>();
  readonly #counts = new Map<string, CachedCount>();
  readonly #reading = new Map<string, Promise<readonly ListEntry[]>>();
  #kept = 0;

  /** @param most how many entries are kept, of all lists together */
  constructor(most: number = MOST_ENTRIES) {
    this.#most = most;
  }

  /** How many entries are kept. */
  get size(): number {
    return this.#kept;
  }

  /** @param name of the store, to tell its lists from those of others */
  readerOf(name: string, store: Store): ListReader {
    return {
      entries: (path) => this.#entries(JSON.stringify([name, path]), store, path),
      count: (path) => this.#count(JSON.stringify([name, path]), store, path),
    };
  }

  async #entries(key: string, store: Store, path: string): Promise<readonly ListEntry[]> {
    const stands = await unlessMissing(store.head(path));
    if (stands === undefined) return this.#forget(key);
    const cached = this.#lists.get(key);
    if (cached !== undefined && isAt(cached, stands)) {
      this.#lists.delete(key);
      this.#lists.set(key, cached);
      return cached.entries;
    }
    const entries = await this.#read(key, store, path);
    this.#keep(key, { ...stampOf(stands), entries });
    this.#keepCount(key, { ...stampOf(stands), count: entries.length });
    return entries;
  }

  async #count(key: string, store: Store, path: string): Promise<number> {
    const stands = await unlessMissing(store.head(path));
    if (stands === undefined) return this.#forget(key).length;
    const cached = this.#counts.get(key);
    if (cached !== undefined && isAt(cached, stands)) return cached.count;
    const { length: count } = await this.#read(key, store, path);
    this.#keepCount(key, { ...stampOf(stands), count });
    return count;
  }

  /** At the same time, each list is read once. */
  async #read(key: string, store: Store, path: string): Promise<readonly ListEntry[]> {
    const reading = this.#reading.get(key) ?? readLinks(store, path);
    this.#reading.set(key, reading);
    try {
      return await reading;
    } finally {
      if (this.#reading.get(key) === reading) this.#reading.delete(key);
    }
  }

  /** The list may be newer than the stamp that was taken before it was read: then it is read once more than need be. */
  #keep(key: string, list: CachedList): void {
    this.#forget(key);
    if (list.entries.length > this.#most) return;
    this.#lists.set(key, list);
    this.#kept += list.entries.length;
    for (const oldest of this.#lists.keys()) {
      if (this.#kept <= this.#most) break;
      this.#forget(oldest);
    }
  }

  #keepCount(key: string, count: CachedCount): void {
    this.#counts.delete(key);
    this.#counts.set(key, count);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > MOST_COUNTS && oldest !== undefined) this.#counts.delete(oldest);
  }

  #forget(key: string): readonly ListEntry[] {
    this.#kept -= this.#lists.get(key)?.entries.length ?? 0;
    this.#lists.delete(key);
    return [];
  }
}

function isAt(stamp: Stamp, { rev, location }: Revision): boolean {
  return stamp.rev === rev && stamp.location === location;
}

function stampOf({ rev, location }: Revision): Stamp {
  return { rev, location };
}
