import { documentAt } from '../document-at.js';
import { StoreError } from '../errors.js';
import { isJsonObject, objectOf } from '../json.js';
import type { JsonObject } from '../json.js';
import type { Store } from '../oada/store.js';
import type { FinalStatus, Paths } from '../paths.js';
import { isDay, readFiled } from './filed-jobs.js';
import type { FiledJob } from './filed-jobs.js';
import { isWithin, parseJobs, reachesBack } from './record.js';
import type { JobsOfDay, ReportRecord, Span } from './record.js';
import type { RowBook } from './row-book.js';
import type { Place, Row } from './row.js';

/** A finished job that is in no period yet. */
export interface Candidate extends Place {
  /** Empty: there is a row, but no link in the day-index. */
  readonly id: string;
  readonly status: FinalStatus | undefined;
  /** Undefined: it is not written yet, and nobody knows whether there has to be one. */
  readonly row: Row | undefined;
}

export interface CandidateDeps {
  readonly store: Store;
  readonly paths: Paths;
  readonly book: RowBook;
}

/** A day, with what is known of its jobs. */
interface Day {
  readonly date: string;
  readonly filed: readonly FiledJob[];
  readonly rows: ReadonlyMap<string, Row>;
  readonly handled: JobsOfDay;
}

/** How many requests of one kind are on their way at once. */
const AT_ONCE = 10;

/** The finished jobs that are in no period, in the order of the days. */
export async function readCandidates(
  record: ReportRecord,
  span: Span,
  { store, paths, book }: CandidateDeps,
): Promise<Candidate[]> {
  const [filed, before] = await Promise.all([
    readFiled(store, paths, span),
    record.before !== undefined && reachesBack(span, record) ? readBefore(store, record.before) : NO_DAYS,
  ]);
  const byDate = new Map<string, FiledJob[]>();
  for (const job of filed) byDate.set(job.date, [...(byDate.get(job.date) ?? []), job]);
  const dates = [...new Set([...byDate.keys(), ...record.rowDays])].filter(
    (date) => isDay(date) && isWithin(span, date),
  );
  const days = await inBatches(dates.toSorted(), async (date): Promise<Day> => {
    const rows = record.rowDays.has(date) ? await book.rowsOf(date) : NOTHING;
    const handled = record.handledDays.has(date) ? await book.handledOf(date) : NO_JOBS;
    const all = new Map([...(before.get(date) ?? NO_JOBS), ...handled]);
    return { date, rows, handled: all, filed: byDate.get(date) ?? [] };
  });
  return candidatesOf(days);
}

const NOTHING: ReadonlyMap<string, Row> = new Map();
const NO_JOBS: JobsOfDay = new Map();
const NO_DAYS: ReadonlyMap<string, JobsOfDay> = new Map();

async function readBefore(store: Store, id: string): Promise<ReadonlyMap<string, JobsOfDay>> {
  const days = Object.entries(objectOf(await documentAt(store, `/${id}`)));
  return new Map(days.map(([date, jobs]) => [date, parseJobs(jobs)]));
}

/**
 * Decides what is open. A job that is filed twice, under two days say, counts once. Of two jobs under one key, in the
 * list of successes and in that of failures, one has to wait for the next period: there is one row for the key.
 */
function candidatesOf(days: readonly Day[]): Candidate[] {
  const known = new Set(days.flatMap(({ handled }) => [...handled.values()]));
  return days.flatMap(({ date, filed, rows, handled }) => {
    const candidates: Candidate[] = [];
    const links = new Set(filed.map(({ key }) => key));
    const taken = new Set<string>();
    for (const { key, id, status } of filed) {
      const done = handled.get(key);
      if (done === '' || known.has(id) || taken.has(key)) continue;
      known.add(id);
      taken.add(key);
      // Where the key has led to another job before, the row is still that one's.
      candidates.push({ date, key, id, status, row: done === undefined ? rows.get(key) : undefined });
    }
    for (const [key, row] of rows) {
      if (links.has(key) || handled.has(key)) continue;
      candidates.push({ date, key, id: '', status: undefined, row });
    }
    return candidates;
  });
}

/**
 * Reads a job.
 *
 * @returns undefined where there is none any more, `'unreadable'` where the store does not show it
 */
export async function readJob(store: Store, id: string): Promise<JsonObject | 'unreadable' | undefined> {
  try {
    const document = await documentAt(store, `/${id}`);
    return isJsonObject(document) ? document : undefined;
  } catch (error) {
    const hopeless =
      error instanceof StoreError &&
      (error.code === 'OADA_JOBS_STORE_FORBIDDEN' || error.code === 'OADA_JOBS_STORE_REFUSED');
    if (hopeless) return 'unreadable';
    throw error;
  }
}

/** Not all at once: a store has others to serve as well. */
export async function inBatches<T, Result>(
  items: readonly T[],
  work: (item: T) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(start, start + AT_ONCE).map(work))));
  }
  return results;
}
