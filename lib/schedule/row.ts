import { isJsonObject, objectOf, dateOf } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import type { StoredDocument } from '../oada/store.js';
import { isEntryKey, isServiceName, linkedId } from '../paths.js';
import type { Notify } from './options.js';

/** How an occurrence ended. */
export type OccurrenceOutcome = 'success' | 'failure' | 'skipped' | 'missed';

/** A schedule and an occurrence of it that another occurrence was caused by. */
export interface Cause {
  readonly schedule: string;
  readonly occurrence: string;
}

/** A run that somebody asked for, out of turn. */
export interface RunRequest {
  readonly id: string;
  readonly time: Date;
  readonly cause: Cause | undefined;
}

/** The occurrence whose job is not over yet. */
export interface CurrentRun {
  /** The occurrence: its due time in ISO 8601, or the id of the request. */
  readonly id: string;
  readonly jobId: string;
  /** Of the job's link in the pending list. */
  readonly key: string;
  readonly since: Date;
  readonly cause: Cause | undefined;
}

/** The occurrence whose job is being submitted: the row says so first, so that it is never taken for a missed one. */
export interface StartingRun {
  readonly id: string;
  /** When it was due, or was asked for. */
  readonly time: Date;
  readonly since: Date;
  readonly cause: Cause | undefined;
}

/** Occurrences that were passed over together. They stand in the history as soon as the row says so. */
export interface Passed {
  /** The first of them. */
  readonly occurrence: string;
  readonly outcome: 'skipped' | 'missed';
  readonly ended: string;
  readonly count: number;
  readonly message: string;
}

/** The row of a schedule as it stands in the store, as far as it can be understood. */
export interface ScheduleRow {
  readonly key: string;
  /** Its resource. */
  readonly id: string;
  readonly rev: number;
  readonly etag: string;
  readonly record: JsonObject;
  /** What operators have set in place of the declared times. */
  readonly override: Json | undefined;
  /** What operators say; undefined: nothing. */
  readonly enabled: boolean | undefined;
  readonly nextRunAt: Date | undefined;
  readonly request: RunRequest | undefined;
  readonly starting: StartingRun | undefined;
  readonly current: CurrentRun | undefined;
  /** Those that were passed over last. */
  readonly passed: Passed | undefined;
  readonly lastId: string | undefined;
  /** How often in a row it has failed. */
  readonly failures: number;
  /** How often in a row its own functions have thrown. */
  readonly thrown: number;
  /** Why it is held: its own functions throw again and again. */
  readonly heldBecause: string | undefined;
  readonly isRetired: boolean;
  /** The list or group of schedules that it belongs to. */
  readonly group: string | undefined;
}

export function parseRow(key: string, id: string, { data, rev, etag }: StoredDocument): ScheduleRow {
  const record = recordOf(data);
  const { override, enabled, nextRunAt, failures, thrown, held, retired, group, last } = record;
  const bodyRev = Number(record['_rev']);
  return {
    ...{ key, id, etag, record },
    rev: Number.isNaN(bodyRev) ? rev : bodyRev,
    override: override ?? undefined,
    enabled: typeof enabled === 'boolean' ? enabled : undefined,
    nextRunAt: dateOf(nextRunAt),
    request: requestOf(record['request']),
    current: currentOf(record['current']),
    starting: startingOf(record['starting']),
    passed: passedOf(record['passed']),
    lastId: isJsonObject(last) && typeof last['occurrence'] === 'string' ? last['occurrence'] : undefined,
    failures: countOf(failures),
    thrown: countOf(thrown),
    heldBecause: typeof held === 'string' ? held : undefined,
    isRetired: typeof retired === 'string',
    group: typeof group === 'string' ? group : undefined,
  };
}

/** The row after a patch of ours was written. */
export function patchedRow(row: ScheduleRow, patch: JsonObject, rev: number, etag: string): ScheduleRow {
  const months = { ...objectOf(row.record['history']), ...objectOf(patch['history']) };
  const data = { ...row.record, ...patch, history: months, _rev: rev };
  return parseRow(row.key, row.id, { data, rev, etag });
}

/** What an event about a schedule says of it besides its key. */
export function toldOf({ record }: ScheduleRow): { readonly type: string; readonly notify: Notify } {
  const { type, notify } = record;
  return {
    type: typeof type === 'string' ? type : '',
    notify: notify === 'always' || notify === 'never' ? notify : 'failure',
  };
}

/** What a patch has to say for a part of the row to be no more than that: a store merges. */
export function replacing(known: Json | undefined, value: JsonObject): JsonObject {
  const gone = Object.keys(objectOf(known)).filter((name) => !(name in value));
  return { ...Object.fromEntries(gone.map((name) => [name, null])), ...value };
}

/** The parts that are replaced, without what was taken out of them. */
function recordOf(data: Json | undefined): JsonObject {
  if (!isJsonObject(data)) return {};
  const parts = ['timing', 'override', 'then'].filter((name) => isJsonObject(data[name]));
  return { ...data, ...Object.fromEntries(parts.map((name) => [name, withoutNulls(objectOf(data[name]))])) };
}

function withoutNulls(part: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== null));
}

const LONGEST_ID = 2000;

/** It is a key of the history, and others may write what they like. */
function isOccurrenceId(id: Json | undefined): id is string {
  return isServiceName(id) && id.length <= LONGEST_ID && isEntryKey(id) && !(id in {});
}

function requestOf(value: Json | undefined): RunRequest | undefined {
  if (!isJsonObject(value)) return undefined;
  const { id, time, cause } = value;
  const asked = dateOf(time);
  if (!isOccurrenceId(id) || asked === undefined) return undefined;
  return { id, time: asked, cause: causeOf(cause) };
}

function currentOf(value: Json | undefined): CurrentRun | undefined {
  if (!isJsonObject(value)) return undefined;
  const { occurrence, job, key, since, cause } = value;
  const jobId = linkedId(job);
  const began = dateOf(since);
  if (!isOccurrenceId(occurrence) || typeof key !== 'string') return undefined;
  if (jobId === undefined || began === undefined) return undefined;
  return { id: occurrence, jobId, key, since: began, cause: causeOf(cause) };
}

function startingOf(value: Json | undefined): StartingRun | undefined {
  if (!isJsonObject(value)) return undefined;
  const { occurrence, due, since, cause } = value;
  const [time, began] = [dateOf(due), dateOf(since)];
  if (!isOccurrenceId(occurrence) || time === undefined || began === undefined) return undefined;
  return { id: occurrence, time, since: began, cause: causeOf(cause) };
}

function passedOf(value: Json | undefined): Passed | undefined {
  if (!isJsonObject(value)) return undefined;
  const { occurrence, outcome, ended, count, message } = value;
  if (!isOccurrenceId(occurrence) || (outcome !== 'skipped' && outcome !== 'missed')) return undefined;
  const time = dateOf(ended);
  if (time === undefined || typeof message !== 'string') return undefined;
  return { occurrence, outcome, ended: time.toISOString(), count: countOf(count), message };
}

function causeOf(value: Json | undefined): Cause | undefined {
  if (!isJsonObject(value)) return undefined;
  const { schedule, occurrence } = value;
  return typeof schedule === 'string' && typeof occurrence === 'string'
    ? { schedule, occurrence }
    : undefined;
}

function countOf(value: Json | undefined): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}
