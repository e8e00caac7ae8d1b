import { unlessMissing } from '../errors.js';
import { dateOf, isJsonObject } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import type { Store } from '../oada/store.js';
import { dayOf, isEntryKey, linkedId } from '../paths.js';
import type { Paths } from '../paths.js';

/** Jobs of one day: the resource of each, by the key of its link. Empty text: whatever the key leads to. */
export type JobsOfDay = ReadonlyMap<string, string>;

/** A part of a report: the jobs that go into one e-mail. */
export interface Period {
  /** No two have the same, whatever their ends. */
  readonly id: string;
  readonly end: Date;
  readonly sent: boolean;
  /** There are more jobs than go into one e-mail: another period has to follow at once. */
  readonly isFull: boolean;
  readonly days: ReadonlyMap<string, JobsOfDay>;
}

/** What stands in the store about a report, but for its rows. */
export interface ReportRecord {
  readonly etag: string;
  /** The last that was closed; undefined: the report is new. */
  readonly period: Period | undefined;
  /** Lists the jobs that were there before the report was. */
  readonly before: string | undefined;
  /** When the report was new. */
  readonly since: Date | undefined;
  /** The days that there are rows of. */
  readonly rowDays: ReadonlySet<string>;
  /** The days with jobs that the report is done with. */
  readonly handledDays: ReadonlySet<string>;
}

/**
 * How many days a job may be filed late: so far back from the end of the period before, the lists of finished jobs are
 * read when a period ends.
 */
const LOOK_BACK_DAYS = 7;

const DAY_MS = 86_400_000;

/** Days, the first and the last of them included. */
export interface Span {
  readonly from: string;
  readonly to: string;
}

/** The days in which a job may stand that is in no period yet. Some clocks are ahead of ours: tomorrow is one of them. */
export function spanOf(previousEnd: Date, now: Date): Span {
  const since = Math.min(previousEnd.getTime(), now.getTime());
  return {
    from: dayOf(new Date(since - LOOK_BACK_DAYS * DAY_MS)),
    to: dayOf(new Date(now.getTime() + DAY_MS)),
  };
}

export function isWithin({ from, to }: Span, date: string): boolean {
  return date >= from && date <= to;
}

/** Are there jobs from before the report in these days? */
export function reachesBack({ from }: Span, { since }: ReportRecord): boolean {
  return since !== undefined && from <= dayOf(new Date(since.getTime() + DAY_MS));
}

/** An end so far ahead comes of a wrong clock. It would keep the report from ending a period until then. */
export function isBelievable(end: Date, now: Date): boolean {
  return end.getTime() <= now.getTime() + DAY_MS;
}

/** Reads the report's record; makes it where there is none. */
export async function readRecord(store: Store, paths: Paths, name: string): Promise<ReportRecord> {
  const path = paths.report(name);
  const seen = await unlessMissing(store.get(path));
  if (seen !== undefined) return parseRecord(seen.data, seen.etag);
  await store.ensure(path, paths.tree);
  const { data, etag } = await store.get(path);
  return parseRecord(data, etag);
}

function parseRecord(data: Json | undefined, etag: string): ReportRecord {
  const { period, before, since, handled, 'day-index': rows } = isJsonObject(data) ? data : {};
  return {
    etag,
    period: period === undefined || period === null ? undefined : parsePeriod(period),
    before: linkedId(before),
    since: dateOf(since),
    rowDays: new Set(keysOf(rows)),
    handledDays: new Set(keysOf(handled)),
  };
}

/** @throws {Error} it is none; to begin anew would lose jobs, or send them again */
function parsePeriod(value: Json): Period {
  const { id, end: written, sent, isFull, days } = isJsonObject(value) ? value : {};
  const end = dateOf(written);
  if (typeof id !== 'string' || end === undefined || typeof sent !== 'boolean' || !Array.isArray(days)) {
    throw new Error('The record of the report is damaged: its `period` is none.');
  }
  const entries: readonly unknown[] = days;
  return { id, end, sent, isFull: isFull === true, days: new Map(entries.flatMap(parseDay)) };
}

function parseDay(value: unknown): [string, JobsOfDay][] {
  const { date, jobs } = isJsonObject(value) ? value : {};
  return typeof date === 'string' ? [[date, parseJobs(jobs)]] : [];
}

/** As {@link toJobs} wrote it. */
export function parseJobs(value: unknown): JobsOfDay {
  const jobs = isJsonObject(value) ? Object.entries(value) : [];
  return new Map(
    jobs.flatMap(([key, id]): [string, string][] =>
      isEntryKey(key) && typeof id === 'string' ? [[key, id]] : [],
    ),
  );
}

export function toJobs(jobs: JobsOfDay): JsonObject {
  return Object.fromEntries(jobs);
}

/** A list, since lists are replaced where objects would be merged with those of the period before. */
export function toDays(days: Period['days']): Json {
  return [...days].map(([date, jobs]) => ({ date, jobs: toJobs(jobs) }));
}

/** The keys of a list, or of a part of one. */
export function keysOf(list: Json | undefined): string[] {
  return isJsonObject(list) ? Object.keys(list).filter(isEntryKey) : [];
}
