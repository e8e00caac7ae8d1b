import { createHash } from 'node:crypto';

import type { Clock } from '../clock.js';
import { StoreError } from '../errors.js';
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
const RETRY_MS = 1000;

/**
 * The rows of the schedules, kept as they stand in the store. The list links to them with versioned links: so it tells which
 * have changed, and only those are read.
 */
export class ScheduleRows {
  readonly #options: ScheduleRowsOptions;
  readonly #list: WatchedList;
  readonly #rows = new Map<string, ScheduleRow>();
  /** Those that are to be read, with the resource that they are. */
  readonly #stale = new Map<string, string>();
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
        listed: (entries) => {
          this.#listed(entries);
        },
        changed: (key, written) => {
          this.#changed(key, written);
        },
        removed: (key) => {
          this.#remove(key);
        },
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

  all(): ScheduleRow[] {
    return [...this.#rows.values()];
  }

  /** The resource of a row, there or not: everybody makes the same. */
  idOf(key: string): string {
    const hash = createHash('sha256').update(JSON.stringify([this.#listId, key]));
    return this.#rows.get(key)?.id ?? `resources/${hash.digest('hex')}`;
  }

  /** Makes the row of a schedule. Two who do so at once make one. */
  async add(key: string, record: JsonObject): Promise<void> {
    const { store, paths } = this.#options;
    const id = this.idOf(key);
    await store.put(`/${id}`, record);
    await store.put(paths.schedules, { [key]: { _id: id, _rev: 0 } });
    await this.reload(key, id);
  }

  /**
   * Writes to a row if it is still what we know of it.
   *
   * @returns whether it was; if not, the row is read again
   */
  async patch(row: ScheduleRow, patch: JsonObject): Promise<boolean> {
    try {
      const { rev, etag } = await this.#options.store.put(`/${row.id}`, patch, { ifMatch: row.etag });
      if (this.#rows.get(row.key) === row) this.#rows.set(row.key, patchedRow(row, patch, rev, etag));
      return true;
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'OADA_JOBS_STORE_CONFLICT') throw error;
      await this.reload(row.key, row.id);
      return false;
    }
  }

  async reload(key: string, id: string = this.idOf(key)): Promise<void> {
    const seen = await this.#options.store.get(`/${id}`);
    const row = parseRow(key, id, seen);
    const known = this.#rows.get(key);
    if (known?.id !== id || known.rev <= row.rev) this.#rows.set(key, row);
  }

  #listed(entries: ReadonlyMap<string, Json>): void {
    for (const key of this.#rows.keys()) if (!entries.has(key)) this.#remove(key);
    for (const [key, entry] of entries) this.#look(key, entry);
  }

  #changed(key: string, written: Json): void {
    const known = this.#rows.get(key);
    // The revision of the link alone went up, unless it says more.
    if (known !== undefined && linkedId(written) === undefined && isJsonObject(written))
      this.#look(key, { ...written, _id: known.id });
    else this.#look(key, written);
  }

  #look(key: string, entry: Json): void {
    const id = linkedId(entry);
    if (id === undefined || !isAddressable(key)) return;
    const known = this.#rows.get(key);
    const rev = isJsonObject(entry) ? entry['_rev'] : undefined;
    if (known?.id === id && typeof rev === 'number' && rev > 0 && rev <= known.rev) return;
    this.#stale.set(key, id);
    this.#read();
  }

  #remove(key: string): void {
    this.#stale.delete(key);
    if (this.#rows.delete(key)) this.#options.onChanged(key);
  }

  #read(): void {
    for (const [key, id] of this.#stale) {
      if (this.#reading >= READS || this.#isStopped) break;
      this.#stale.delete(key);
      this.#reading++;
      void this.#readOne(key, id).finally(() => {
        this.#reading--;
        this.#read();
      });
    }
    if (this.#reading === 0) this.#whenRead?.();
  }

  async #readOne(key: string, id: string): Promise<void> {
    try {
      await this.reload(key, id);
      this.#options.onChanged(key);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (error.code === 'OADA_JOBS_STORE_NOT_FOUND') return; // the list will tell when it is there
      if (!this.#isStopped) this.#retryLater(key, id);
    }
  }

  #retryLater(key: string, id: string): void {
    const before = this.#cancelRetry;
    const cancel = this.#options.clock.setTimer(() => {
      this.#stale.set(key, id);
      this.#read();
    }, RETRY_MS);
    this.#cancelRetry = () => {
      before?.();
      cancel();
    };
  }
}
