import type { Clock } from '../clock.js';
import { ignoreStoreError, StoreError } from '../errors.js';
import type { Events } from '../events.js';
import { stringify } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import type { Store } from '../oada/store.js';
import { link } from '../paths.js';
import type { Paths } from '../paths.js';
import { submit } from '../producer.js';
import { inBatches, readCandidates, readJob } from './candidates.js';
import type { Candidate } from './candidates.js';
import { toCsv } from './csv.js';
import { emailConfig, within } from './email.js';
import type { ResolvedReport } from './options.js';
import { readRecord, spanOf, toDays, toJobs } from './record.js';
import type { JobsOfDay, Period, ReportRecord } from './record.js';
import type { RowBook } from './row-book.js';
import { endingOf, rowOf } from './row.js';
import type { Row } from './row.js';

export interface ClosingDeps {
  readonly service: string;
  readonly config: ResolvedReport;
  readonly store: Store;
  readonly paths: Paths;
  readonly book: RowBook;
  readonly clock: Clock;
  readonly events: Events;
  /** Is the job in the report? */
  wants(job: JsonObject): boolean;
}

/** A period that was sent. */
export interface SentPeriod {
  readonly period: Date;
  readonly rows: number;
  /** The e-mail's job; undefined: there was nothing to send. */
  readonly jobId: string | undefined;
}

/** A candidate that a period is made of. */
interface Included extends Candidate {
  readonly row: Row;
}

/** What goes into one e-mail: more than that no store takes as one job. */
const LARGEST_PERIOD = 8 * 1024 * 1024;
const MOST_ROWS = 50_000;

/**
 * Begins a report: what is finished by now is handled. Of several instances that do so at once, one says what that is.
 *
 * @param isFresh was the job filed since the report began?
 */
export async function begin(
  record: ReportRecord,
  isFresh: (candidate: Candidate) => boolean,
  deps: ClosingDeps,
): Promise<void> {
  const { store, clock } = deps;
  const now = clock.now();
  const old = (await readCandidates(record, spanOf(now, now), deps)).filter((one) => !isFresh(one));
  const id = `resources/${clock.key()}`;
  for (const [date, jobs] of byDays(old)) await store.put(`/${id}`, { [date]: toJobs(jobs) });
  const period = { id: clock.key(), end: now.toISOString(), sent: true, isFull: false, days: [] };
  const before = old.length > 0 ? { before: link(id) } : {};
  const begun = await write(deps, { since: now.toISOString(), ...before, period }, record.etag);
  if (!begun && old.length > 0) await store.delete(`/${id}`).catch(ignoreStoreError); // it is nobody's
}

/**
 * Closes a period: which jobs are in it is settled by one conditional write, so that of several instances one does it,
 * and all know it. From then on it only has to be sent.
 *
 * @param id of the new period
 * @returns whether it was us; otherwise, or where the answer is lost, the record tells
 */
export async function close(
  record: ReportRecord,
  { id, end }: Pick<Period, 'id' | 'end'>,
  deps: ClosingDeps,
): Promise<boolean> {
  const { clock, config, book, events } = deps;
  await book.settled();
  const span = spanOf(record.period?.end ?? end, clock.now());
  const open = await readCandidates(record, span, deps);
  const rows = await withRows(open, deps);
  const included = fitting(rows);
  const isFull = included.length < rows.length;
  const sent = included.length === 0 && !config.sendEmpty;
  const days = toDays(byDays(included));
  const period = { id, end: end.toISOString(), sent, isFull, days };
  if (!(await write(deps, { period }, record.etag))) return false;
  await book.flush().catch(ignoreStoreError); // somebody reads them in vain next time
  events.emit('report:closed', { report: config.name, period: end, rows: included.length });
  return true;
}

/** Those of the candidates that are in the report, each with its row. */
async function withRows(open: readonly Candidate[], deps: ClosingDeps): Promise<Included[]> {
  const { store, config, book } = deps;
  const rows = await inBatches(open, async (candidate): Promise<Included | undefined> => {
    const { id, status, row } = candidate;
    if (row !== undefined) return { ...candidate, row };
    const job = await readJob(store, id);
    if (job === 'unreadable') return undefined; // the next period may be allowed to
    if (job === undefined || !deps.wants(job)) {
      book.exclude(candidate, id);
      return undefined;
    }
    const written = rowOf(config, job, endingOf(job, status));
    await book.add(candidate, written);
    return { ...candidate, row: written };
  });
  return rows.filter((one) => one !== undefined);
}

function fitting(rows: readonly Included[]): readonly Included[] {
  let size = 0;
  const end = rows.findIndex(({ row }) => (size += Buffer.byteLength(stringify(row) ?? '')) > LARGEST_PERIOD);
  // One is in it in any case, or the report would never come to an end of it.
  return rows.slice(0, Math.min(MOST_ROWS, end === -1 ? rows.length : Math.max(1, end)));
}

function byDays(candidates: readonly Candidate[]): ReadonlyMap<string, JobsOfDay> {
  const days = new Map<string, Map<string, string>>();
  for (const { date, key, id } of candidates) {
    const jobs = days.get(date) ?? new Map<string, string>();
    days.set(date, jobs.set(key, id));
  }
  return days;
}

/**
 * Sends a period that is closed. Each step can be done again, by us or by others: the jobs are handled, the e-mail's job
 * is there, the period is sent. Only then the next one can be closed, so that it knows of all that are handled.
 */
export async function send(period: Period, deps: ClosingDeps): Promise<SentPeriod> {
  const { service, config, store, book, clock, events } = deps;
  for (const [date, jobs] of period.days) await book.handle(date, jobs);
  const rows = await rowsOf(period, book);
  const columns = config.columns.map(({ name }) => name);
  const email = await emailConfig(config, await toCsv(columns, rows), clock);
  // Another period may have ended at the same time, by a wrong clock: its id tells them apart.
  const idempotencyKey = ['report', service, config.name, period.end.toISOString(), period.id].join('/');
  const job = { service: 'abalonemail', type: 'email', config: email, idempotencyKey };
  const { _id: jobId } = await within(clock, 'to post the e-mail', () => submit(store.client, job));
  await markSent(period, deps);
  const sent = { period: period.end, rows: rows.length, jobId };
  events.emit('report:sent', { report: config.name, ...sent });
  return sent;
}

async function rowsOf({ days }: Period, book: RowBook): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [date, jobs] of days) {
    const ofDay = await book.rowsOf(date);
    for (const key of jobs.keys()) {
      const row = ofDay.get(key);
      if (row !== undefined) rows.push(row);
    }
  }
  return rows;
}

/** How often it is tried to say that a period is sent: others write to the record as well. */
const TRIES = 5;

/** Conditional, lest a later period that is still to be sent be taken for sent. */
async function markSent(period: Period, deps: ClosingDeps): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const { etag, period: last } = await readRecord(deps.store, deps.paths, deps.config.name);
    if (last?.id !== period.id || last.sent) return; // it was us, and the answer got lost, or somebody else
    try {
      if (await write(deps, { period: { sent: true } }, etag)) return;
    } catch (error) {
      if (!(error instanceof StoreError) || !error.retryable || attempt === TRIES) throw error;
      continue;
    }
    if (attempt === TRIES) throw new Error('the record of the report is being changed all the time');
  }
}

/** @returns false: it was changed since it was read */
async function write({ store, paths, config }: ClosingDeps, data: Json, etag: string): Promise<boolean> {
  try {
    await store.put(paths.report(config.name), data, { ifMatch: etag });
    return true;
  } catch (error) {
    if (error instanceof StoreError && error.code === 'OADA_JOBS_STORE_CONFLICT') return false;
    throw error;
  }
}
