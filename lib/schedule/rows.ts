import { createHash } from 'node:crypto';

import type { Clock } from '../clock.js';
import { isMissing, StoreError, unlessMissing } from '../errors.js';
import { isJsonObject } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import type { Store } from '../oada/store.js';
import { isAddressable, linkedId } from '../paths.js';
import type { Paths } from '../paths.js';
import { WatchedList } from '../watched-list.js';
import { parseRow, patchedRow } from './row.js';
import type { ScheduleRow } from './row.js';

export interface ScheduleRowsOptions {
  readonly store: Store;
  readonly paths: Paths;
  readonly clock: Clock;
  readonly checkInterval: number;
  /** The row is not what it was, or is gone. */
  readonly onChanged: (key: string) => void;
  readonly onLost: (error: Error, retryIn: number) => void;
}

/** How many rows are read at once. */
const READS = 20;
const RETRY_MS = 5000;

/**
 * The rows of the schedules, kept as they stand in the store. The list links to them with versioned links: so it tells which
 * have changed, and only those are read.
 */
export class ScheduleRows {
  readonly #options: ScheduleRowsOptions;
  readonly #list: WatchedList;
  readonly #rows = new Map<string, ScheduleRow>();
  /** The resources that the list links to. */
  readonly #ids = new Map<string, string>();
  /** Those that are to be read. */
  readonly #stale = new Set<string>();
  /** Those that could not be read, and are tried again. */
  readonly #unread = new Set<string>();
  /** Those that we are writing to, with the latest revision that was heard of meanwhile: as a rule that is ours. */
  readonly #writing = new Map<string, number>();
  #reading = 0;
  #whenRead: (() => void) | undefined;
  #listId = '';
  #cancelRetry: (() => void) | undefined;
  #isStopped = false;

  constructor(options: ScheduleRowsOptions) {
    const { store, clock, paths, checkInterval, onLost } = options;
    this.#options = options;
    this.#list = new WatchedList({
      ...{ store, clock, checkInterval, path: paths.schedules },
      observer: {
        listed: (entries) => this.#listed(entries),
        changed: (key, written) => this.#changed(key, written),
        removed: (key) => this.#remove(key),
        lost: onLost,
      },
    });
  }

  /** Resolves when all rows have been read. */
  async start(): Promise<void> {
    const { store, paths } = this.#options;
    await store.ensure(paths.schedules, paths.tree);
    const { location } = await store.head(paths.schedules);
    this.#listId = location ?? paths.schedules;
    await this.#list.start();
    if (this.#reading === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenRead = resolve;
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelRetry?.();
    this.#list.stop();
    this.#whenRead?.();
  }

  get(key: string): ScheduleRow | undefined {
    return this.#rows.get(key);
  }

  /** Is it in the list, and could not be read? What it is cannot be told then. */
  isUnread(key: string): boolean {
    return this.#unread.has(key);
  }

  all(): ScheduleRow[] {
    return [...this.#rows.values()];
  }

  /** The resource of a row, there or not: everybody makes the same. */
  idOf(key: string): string {
    const hash = createHash('sha256').update(JSON.stringify([this.#listId, key]));
    return this.#rows.get(key)?.id ?? `resources/${hash.digest('hex')}`;
  }

  /**
   * Makes the row of a schedule. Two who do so at once make one, and the one that is there stays: it knows what was due.
   */
  async add(key: string, record: JsonObject): Promise<void> {
    const { store, paths } = this.#options;
    const id = this.#ids.get(key) ?? this.idOf(key);
    // A store cannot be asked to write where nothing is; it tells whether the empty document is the first.
    const { rev, etag } = await store.put(`/${id}`, {});
    const empty = parseRow(key, id, { data: {}, rev, etag });
    if (rev === 1) {
      this.#rows.set(key, empty);
      await this.patch(empty, record);
    } else await this.reload(key, id);
    await store.put(paths.schedules, { [key]: { _id: id, _rev: 0 } });
    this.#ids.set(key, id);
  }

  /**
   * Writes to a row if it is still what we know of it.
   *
   * @returns whether it was; if not, the row is read again
   */
  async patch(row: ScheduleRow, patch: JsonObject): Promise<boolean> {
    this.#writing.set(row.key, 0);
    try {
      const { rev, etag } = await this.#options.store.put(`/${row.id}`, patch, { ifMatch: row.etag });
      if (this.#rows.get(row.key) === row) this.#rows.set(row.key, patchedRow(row, patch, rev, etag));
      return true;
    } catch (error) {
      if (!isGoneOrOther(error)) throw error;
      // Whatever is there now counts, be its revision a lower one: it may have been deleted, and made anew.
      if (this.#rows.get(row.key) === row) this.#rows.delete(row.key);
      await this.reload(row.key, row.id);
      return false;
    } finally {
      const heard = this.#writing.get(row.key) ?? 0;
      this.#writing.delete(row.key);
      if (heard > (this.#rows.get(row.key)?.rev ?? 0)) this.#readSoon(row.key);
    }
  }

  /** Reads a row. One that is gone is known no more. */
  async reload(key: string, id: string = this.idOf(key)): Promise<void> {
    const row = await this.#fetch(key, id);
    const known = this.#rows.get(key);
    if (row === undefined) {
      if (known?.id === id) this.#rows.delete(key);
    } else if (known?.id !== id || known.rev <= row.rev) this.#rows.set(key, row);
  }

  async #fetch(key: string, id: string): Promise<ScheduleRow | undefined> {
    const found = await unlessMissing(this.#options.store.get(`/${id}`));
    return found === undefined ? undefined : parseRow(key, id, found);
  }

  #listed(entries: ReadonlyMap<string, Json>): void {
    for (const key of this.#ids.keys()) if (!entries.has(key)) this.#remove(key);
    for (const [key, entry] of entries) this.#look(key, entry);
  }

  #changed(key: string, written: Json): void {
    const id = this.#ids.get(key);
    // The revision of the link alone went up, unless it says more.
    if (id !== undefined && linkedId(written) === undefined && isJsonObject(written))
      this.#look(key, { ...written, _id: id });
    else this.#look(key, written);
  }

  #look(key: string, entry: Json): void {
    const id = linkedId(entry);
    if (id === undefined || !isAddressable(key)) return;
    this.#ids.set(key, id);
    const known = this.#rows.get(key);
    const rev = isJsonObject(entry) ? entry['_rev'] : undefined;
    if (known?.id === id && typeof rev === 'number' && rev > 0) {
      if (rev <= known.rev) return;
      const heard = this.#writing.get(key);
      if (heard !== undefined) {
        this.#writing.set(key, Math.max(heard, rev));
        return;
      }
    }
    this.#readSoon(key);
  }

  #readSoon(key: string): void {
    if (!this.#ids.has(key)) return; // it was removed meanwhile
    this.#stale.add(key);
    this.#read();
  }

  #remove(key: string): void {
    this.#ids.delete(key);
    this.#stale.delete(key);
    this.#unread.delete(key);
    if (this.#rows.delete(key)) this.#options.onChanged(key);
  }

  #read(): void {
    for (const key of this.#stale) {
      if (this.#reading >= READS || this.#isStopped) break;
      this.#stale.delete(key);
      this.#reading++;
      void this.#readOne(key).finally(() => {
        this.#reading--;
        this.#read();
      });
    }
    if (this.#reading === 0) this.#whenRead?.();
  }

  async #readOne(key: string): Promise<void> {
    const id = this.#ids.get(key);
    if (id === undefined) return;
    try {
      await this.reload(key, id);
      this.#unread.delete(key);
      this.#options.onChanged(key);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#unread.add(key);
      this.#retryLater();
    }
  }

  /** All that could not be read together: a store that is away is away for all of them. */
  #retryLater(): void {
    if (this.#isStopped) return;
    this.#cancelRetry ??= this.#options.clock.setTimer(() => {
      this.#cancelRetry = undefined;
      for (const key of this.#unread) this.#stale.add(key);
      this.#read();
    }, RETRY_MS);
  }
}

/** Another revision of it is there, or none. */
function isGoneOrOther(error: unknown): boolean {
  return isMissing(error) || (error instanceof StoreError && error.code === 'OADA_JOBS_STORE_CONFLICT');
}
