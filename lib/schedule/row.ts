import { isJsonObject } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import type { StoredDocument } from '../oada/store.js';
import { linkedId } from '../paths.js';
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
  readonly current: CurrentRun | undefined;
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
  const record = isJsonObject(data) ? data : {};
  const { override, enabled, nextRunAt, failures, thrown, held, retired, group, last } = record;
  const bodyRev = Number(record['_rev']);
  return {
    ...{ key, id, etag, record },
    rev: Number.isNaN(bodyRev) ? rev : bodyRev,
    override: override ?? undefined,
    enabled: typeof enabled === 'boolean' ? enabled : undefined,
    nextRunAt: timeOf(nextRunAt),
    request: requestOf(record['request']),
    current: currentOf(record['current']),
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

function requestOf(value: Json | undefined): RunRequest | undefined {
  if (!isJsonObject(value)) return undefined;
  const { id, time, cause } = value;
  const asked = timeOf(time);
  if (typeof id !== 'string' || id === '' || asked === undefined) return undefined;
  return { id, time: asked, cause: causeOf(cause) };
}

function currentOf(value: Json | undefined): CurrentRun | undefined {
  if (!isJsonObject(value)) return undefined;
  const { occurrence, job, key, since, cause } = value;
  const jobId = linkedId(job);
  const began = timeOf(since);
  if (typeof occurrence !== 'string' || typeof key !== 'string') return undefined;
  if (jobId === undefined || began === undefined) return undefined;
  return { id: occurrence, jobId, key, since: began, cause: causeOf(cause) };
}

function causeOf(value: Json | undefined): Cause | undefined {
  if (!isJsonObject(value)) return undefined;
  const { schedule, occurrence } = value;
  return typeof schedule === 'string' && typeof occurrence === 'string'
    ? { schedule, occurrence }
    : undefined;
}

function timeOf(value: Json | undefined): Date | undefined {
  if (typeof value !== 'string') return undefined;
  const time = new Date(value);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

function countOf(value: Json | undefined): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function objectOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
