import { documentAt } from '../document-at.js';
import { EnsuredLists } from '../ensured-lists.js';
import { isJsonObject, objectOf, stringify } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import type { Store } from '../oada/store.js';
import { isEntryKey } from '../paths.js';
import type { Paths } from '../paths.js';
import { parseJobs } from './record.js';
import type { JobsOfDay } from './record.js';
import type { Place, Row } from './row.js';

interface Batch {
  readonly entries: Map<string, Json>;
  size: number;
  readonly written: Promise<void>;
}

/** Characters of JSON that go into one write; a store takes at most 20 MiB. */
const LARGEST_WRITE = 1024 * 1024;
/** How many jobs that are not in the report are remembered before they are written down. */
const MOST_EXCLUDED = 1000;

/** A report's rows, and the jobs it is done with, by days. What comes while a write is on its way goes together in the next. */
export class RowBook {
  readonly #store: Store;
  readonly #paths: Paths;
  readonly #report: string;
  readonly #lists: EnsuredLists;
  readonly #waiting = new Map<string, Batch>();
  readonly #writing = new Map<string, Promise<void>>();
  #excluded = new Map<string, Map<string, string>>();
  #excludedCount = 0;

  constructor(store: Store, paths: Paths, report: string) {
    this.#store = store;
    this.#paths = paths;
    this.#lists = new EnsuredLists(store, paths.tree);
    this.#report = report;
  }

  /** Resolves when the row is stored. To put it again does no harm. */
  add({ date, key }: Place, row: Row): Promise<void> {
    return this.#put(this.#paths.reportDay(this.#report, date), key, row);
  }

  /** The report is done with these jobs of a day. */
  async handle(date: string, jobs: JobsOfDay): Promise<void> {
    const path = this.#paths.reportHandled(this.#report, date);
    await Promise.all([...jobs].map(([key, id]) => this.#put(path, key, id)));
  }

  /**
   * The job is not in the report, so that nobody has to read it to find that out. It is written down together with
   * others: until that is done, somebody else may read it in vain, which does no harm.
   *
   * @returns whether it is time for {@link flush}
   */
  exclude({ date, key }: Place, id: string): boolean {
    const jobs = this.#excluded.get(date) ?? new Map<string, string>();
    this.#excluded.set(date, jobs);
    jobs.set(key, id);
    return ++this.#excludedCount >= MOST_EXCLUDED;
  }

  /** Writes down the jobs that are not in the report. */
  async flush(): Promise<void> {
    const excluded = this.#excluded;
    this.#excluded = new Map<string, Map<string, string>>();
    this.#excludedCount = 0;
    await Promise.all([...excluded].map(([date, jobs]) => this.handle(date, jobs)));
  }

  /** Resolves when no write is on its way any more, well or not. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#writing.values());
  }

  async rowsOf(date: string): Promise<ReadonlyMap<string, Row>> {
    const day = await documentAt(this.#store, this.#paths.reportDay(this.#report, date));
    return new Map(
      Object.entries(objectOf(day)).flatMap(([key, row]): [string, JsonObject][] =>
        isEntryKey(key) && isJsonObject(row) ? [[key, row]] : [],
      ),
    );
  }

  async handledOf(date: string): Promise<JobsOfDay> {
    return parseJobs(await documentAt(this.#store, this.#paths.reportHandled(this.#report, date)));
  }

  #put(path: string, key: string, value: Json): Promise<void> {
    const size = key.length + (stringify(value)?.length ?? 0);
    let batch = this.#waiting.get(path);
    if (batch === undefined || batch.size + size > LARGEST_WRITE) {
      const entries = new Map<string, Json>();
      batch = { entries, size: 0, written: this.#writeAfter(path, this.#writing.get(path), entries) };
      this.#waiting.set(path, batch);
    }
    batch.entries.set(key, value);
    batch.size += size;
    return batch.written;
  }

  /** One write after another, each beginning when the one before is over. */
  #writeAfter(path: string, current: Promise<void> | undefined, entries: Map<string, Json>): Promise<void> {
    const write = async (): Promise<void> => {
      await Promise.allSettled([current, this.#lists.ensure(path)]);
      if (this.#waiting.get(path)?.entries === entries) this.#waiting.delete(path);
      await this.#lists.ensure(path); // fails here where it failed before
      await this.#store.put(path, Object.fromEntries(entries));
    };
    const writing = write().finally(() => {
      if (this.#writing.get(path) === writing) this.#writing.delete(path);
    });
    this.#writing.set(path, writing);
    writing.catch(() => undefined); // those who wait for it are told
    return writing;
  }
}
