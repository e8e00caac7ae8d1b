import { createHash } from 'node:crypto';

import { dateOf, isJsonObject } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import type { Store } from '../oada/store.js';
import { link } from '../paths.js';
import type { Cause, OccurrenceOutcome, Passed, ScheduleRow } from './row.js';

/** What is kept of an occurrence. */
export interface HistoryEntry {
  /** Its due time, or the id of the request. */
  readonly occurrence: string;
  readonly outcome: OccurrenceOutcome;
  /** ISO 8601, in UTC; of what never began, only the end. */
  readonly started?: string;
  readonly ended: string;
  /** Of the work, in milliseconds. */
  readonly duration?: number;
  /** Why it is as it is: the message of its error, say. */
  readonly message?: string;
  readonly failureType?: string;
  /** How many occurrences were passed over together. */
  readonly count?: number;
  readonly jobId?: string;
  readonly cause?: Cause;
}

const MAX_MESSAGE_LENGTH = 500;

/** The month that an entry is kept under, like `2026-01`. */
export function monthOf(time: Date): string {
  return time.toISOString().slice(0, 'YYYY-MM'.length);
}

/** The resource of a month's entries: known without being looked up. */
export function monthResource(rowId: string, month: string): string {
  const hash = createHash('sha256').update(JSON.stringify([rowId, 'history', month]));
  return `resources/${hash.digest('hex')}`;
}

/** What the row is to say of where the history of a time stands. */
export function monthLink({ id, record }: ScheduleRow, ended: string): JsonObject {
  const month = monthOf(new Date(ended));
  const known = record['history'];
  if (isJsonObject(known) && month in known) return {};
  return { history: { [month]: link(monthResource(id, month)) } };
}

/** As it is stored. */
export function entryRecord(entry: HistoryEntry): JsonObject {
  const { jobId, message, cause, ...rest } = entry;
  return {
    ...rest,
    ...(message !== undefined && { message: message.slice(0, MAX_MESSAGE_LENGTH) }),
    ...(cause !== undefined && { cause: { ...cause } }),
    ...(jobId !== undefined && { job: link(jobId) }),
  };
}

/** What a finished job's document says of its occurrence. */
export function entryOf(occurrence: string, document: Json | undefined, now: Date): HistoryEntry {
  const { status, result, failureType, updates } = isJsonObject(document) ? document : {};
  const times = isJsonObject(updates) ? Object.values(updates).filter(isJsonObject) : [];
  // Anybody may have written them: the end decides on the month that the occurrence is kept under.
  const timeAt = (what: Json | undefined): string | undefined =>
    dateOf(times.findLast((update) => update['status'] === what)?.['time'])?.toISOString();
  const started = timeAt('started');
  const ended = timeAt(status);
  const duration = millisecondsOf(ended) - millisecondsOf(started);
  const message = isJsonObject(result) && status === 'failure' ? result['message'] : undefined;
  return {
    occurrence,
    outcome: status === 'success' ? 'success' : 'failure',
    ...(started !== undefined && { started }),
    ended: ended ?? now.toISOString(),
    ...(duration >= 0 && { duration }),
    ...(typeof message === 'string' && { message }),
    ...(typeof failureType === 'string' && { failureType: failureType.slice(0, MAX_MESSAGE_LENGTH) }),
  };
}

function millisecondsOf(time: string | undefined): number {
  return time === undefined ? Number.NaN : Date.parse(time);
}

/** Occurrences that are passed over stand in the history together. Before that the row does not go on. */
export async function rememberPassed({ id }: ScheduleRow, passed: Passed, store: Store): Promise<void> {
  const month = monthResource(id, monthOf(new Date(passed.ended)));
  await store.put(`/${month}`, { [passed.occurrence]: entryRecord(passed) });
}
