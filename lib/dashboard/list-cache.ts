import { unlessMissing } from '../errors.js';
import type { Revision, Store } from '../oada/store.js';
import { linksOf } from '../operator/lists.js';
import type { ListEntry, ListReader } from '../operator/lists.js';
import { entriesOf } from '../paths.js';

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
  readonly #reading = new Map<string, Promise<CachedList>>();
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
    const list = await this.#read(key, stands, store, path);
    this.#keep(key, list);
    return list.entries;
  }

  async #count(key: string, store: Store, path: string): Promise<number> {
    const stands = await unlessMissing(store.head(path));
    if (stands === undefined) return this.#forget(key).length;
    const cached = this.#counts.get(key);
    if (cached !== undefined && isAt(cached, stands)) return cached.count;
    const { entries } = await this.#read(key, stands, store, path);
    return entries.length;
  }

  /**
   * At the same time, each list is read once for all who have seen it at the same state: one that was asked for before the
   * list changed may not hold the change. Written meanwhile, it is kept as what it is: as the answer itself says.
   */
  async #read(key: string, seen: Revision, store: Store, path: string): Promise<CachedList> {
    const which = JSON.stringify([key, seen.rev, seen.location]);
    const reading = this.#reading.get(which) ?? readList(store, path);
    this.#reading.set(which, reading);
    try {
      const list = await reading;
      this.#keepCount(key, { ...stampOf(list), count: list.entries.length });
      return list;
    } finally {
      this.#reading.delete(which);
    }
  }

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

async function readList(store: Store, path: string): Promise<CachedList> {
  const read = await unlessMissing(store.get(path));
  const { rev, location } = read ?? { rev: NaN, location: undefined }; // no list is at that state
  return { rev, location, entries: linksOf(entriesOf(read?.data)) };
}

function isAt(stamp: Stamp, { rev, location }: Revision): boolean {
  return stamp.rev === rev && stamp.location === location;
}

function stampOf({ rev, location }: Stamp): Stamp {
  return { rev, location };
}
