import { createHash } from 'node:crypto';

import { isJsonObject } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import { link } from '../paths.js';
import type { Cause, OccurrenceOutcome } from './row.js';

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
  const started = times.findLast((update) => update['status'] === 'started')?.['time'];
  const ended = times.findLast((update) => update['status'] === status)?.['time'];
  const duration = millisecondsOf(ended) - millisecondsOf(started);
  const message = isJsonObject(result) && status === 'failure' ? result['message'] : undefined;
  return {
    occurrence,
    outcome: status === 'success' ? 'success' : 'failure',
    ...(typeof started === 'string' && { started }),
    ended: typeof ended === 'string' ? ended : now.toISOString(),
    ...(duration >= 0 && { duration }),
    ...(typeof message === 'string' && { message }),
    ...(typeof failureType === 'string' && { failureType }),
  };
}

function millisecondsOf(time: Json | undefined): number {
  return typeof time === 'string' ? Date.parse(time) : Number.NaN;
}
