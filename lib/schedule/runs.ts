import { waitAtMost } from '../clock.js';
import type { Clock } from '../clock.js';
import { IdempotencyError, StoreError, toError } from '../errors.js';
import type { Events } from '../events.js';
import { isJsonObject, toJson } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import type { Store } from '../oada/store.js';
import { link } from '../paths.js';
import type { LayoutName } from '../paths.js';
import { submitTo } from '../producer.js';
import type { ResolvedTiming } from './definition.js';
import { entryOf, entryRecord, monthOf, monthResource } from './history.js';
import type { HistoryEntry } from './history.js';
import { jitterOf } from './occurrences.js';
import type { DeclaredSchedule, OccurrenceContext } from './options.js';
import { toldOf } from './row.js';
import type { CurrentRun, RunRequest, ScheduleRow } from './row.js';
import type { ScheduleRows } from './rows.js';
import type { Occurrence, Step } from './step.js';

export interface RunDeps {
  readonly service: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly events: Events;
  readonly rows: Pick<ScheduleRows, 'patch' | 'idOf'>;
  /** In which list the jobs are put; undefined: in that which is in use. */
  readonly layout: LayoutName | undefined;
}

type StartStep = Extract<Step, { kind: 'start' }>;
type PassStep = Extract<Step, { kind: 'pass' }>;

/** How long a schedule's own function may take. */
const FUNCTION_MS = 30_000;
/** How often in a row its own functions may throw before a schedule is held. */
const MOST_THROWN = 5;
const MAX_CONFIG_BYTES = 1024 * 1024;

/** Submits the job of an occurrence, or finds that it is to be skipped, or cannot be. */
export async function startOccurrence(
  schedule: DeclaredSchedule,
  row: ScheduleRow,
  timing: ResolvedTiming,
  step: StartStep,
  deps: RunDeps,
): Promise<void> {
  const { occurrence, next, missed } = step;
  const context = { schedule: row.key, occurrence: occurrence.time };
  const months = await rememberMissed(row, missed, 'missed', deps);
  const goneOn = { nextRunAt: isoOf(next), request: null, ...months };
  let config: JsonObject;
  try {
    if (!(await isToRun(schedule, context, deps.clock))) {
      await skip(row, occurrence, goneOn, deps);
      return;
    }
    config = configOf(schedule, context);
  } catch (error) {
    await failed(schedule, row, occurrence, toError(error), goneOn, deps);
    return;
  }
  const delay = occurrence.isAsked ? 0 : jitterOf(row.key, occurrence.time, timing);
  const { jobId, key } = await submitOccurrence(schedule, occurrence, config, delay, deps);
  const current = {
    ...{ occurrence: occurrence.id, job: link(jobId), key, since: deps.clock.now().toISOString() },
    cause: occurrence.cause === undefined ? null : { ...occurrence.cause },
  };
  // If it is not as it was, another instance was here: it is all the same job.
  if (!(await deps.rows.patch(row, { ...goneOn, current, thrown: 0 }))) return;
  tellMissed(row, missed, 'missed', deps);
  deps.events.emit('schedule:started', { schedule: row.key, occurrence: occurrence.id, jobId });
}

/** The same occurrence gives the same job, whoever submits it and however often. */
async function submitOccurrence(
  { key: schedule, type }: DeclaredSchedule,
  { id, time, cause }: Occurrence,
  config: JsonObject,
  delay: number,
  { service, store, clock, layout }: RunDeps,
): Promise<{ jobId: string; key: string }> {
  const startedBy = { schedule, occurrence: id, ...(cause !== undefined && { cause: { ...cause } }) };
  const startAfter = new Date(time.getTime() + delay).toISOString();
  const job = { service, type, config, startedBy, ...(delay > 0 && { startAfter }) };
  const idempotencyKey = JSON.stringify(['schedule', schedule, id]);
  try {
    const { _id: jobId, key } = await submitTo(store, { service, job, idempotencyKey, layout }, clock);
    return { jobId, key };
  } catch (error) {
    // Another version of the code, with another config, was first.
    if (!(error instanceof IdempotencyError)) throw error;
    return { jobId: error.jobId, key: error.jobId.slice('resources/'.length) };
  }
}

/** Goes on without a run. */
export async function passOver(row: ScheduleRow, step: PassStep, deps: RunDeps): Promise<void> {
  const { missed: count, reason } = step;
  const months = await rememberMissed(row, count, reason, deps);
  if (await deps.rows.patch(row, { nextRunAt: isoOf(step.next), ...months }))
    tellMissed(row, count, reason, deps);
}

/**
 * Looks whether the job of the current occurrence is over, and if so has the row and its history say so, and those that
 * come after it run.
 */
export async function settle(
  schedule: DeclaredSchedule,
  row: ScheduleRow,
  current: CurrentRun,
  deps: RunDeps,
): Promise<boolean> {
  const document = await jobDocument(current.jobId, deps.store);
  const status = isJsonObject(document) ? document['status'] : 'gone';
  if (status !== 'success' && status !== 'failure' && status !== 'gone') return false;
  const now = deps.clock.now();
  const entry: HistoryEntry =
    status === 'gone'
      ? {
          occurrence: current.id,
          outcome: 'failure',
          ended: now.toISOString(),
          message: 'Its job was deleted',
        }
      : entryOf(current.id, document, now);
  const told = {
    ...entry,
    jobId: current.jobId,
    ...(current.cause !== undefined && { cause: current.cause }),
  };
  await runNext(schedule, row.key, told, deps);
  await end(row, told, { current: null }, deps);
  return true;
}

/** Undefined where it is gone. */
async function jobDocument(jobId: string, store: Store): Promise<Json | undefined> {
  try {
    return (await store.get(`/${jobId}`)).data;
  } catch (error) {
    if (error instanceof StoreError && error.code === 'OADA_JOBS_STORE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Has the schedules run that follow this one. Asked twice for the same, they run once. */
async function runNext(
  { chain }: DeclaredSchedule,
  key: string,
  entry: HistoryEntry,
  deps: RunDeps,
): Promise<void> {
  if (entry.outcome !== 'success' && chain.on !== 'always') return;
  const { occurrence } = entry;
  const request = {
    id: `after:${key}:${occurrence}`,
    time: deps.clock.now(),
    cause: { schedule: key, occurrence },
  };
  await Promise.all(chain.run.map((next) => askToRun(deps.rows.idOf(next), request, deps.store)));
}

/** Asks for a run out of turn, of whoever attends to the schedule. */
export async function askToRun(rowId: string, { id, time, cause }: RunRequest, store: Store): Promise<void> {
  const request = { id, time: time.toISOString(), cause: cause === undefined ? null : { ...cause } };
  await store.put(`/${rowId}`, { request });
}

async function isToRun(
  schedule: DeclaredSchedule,
  context: OccurrenceContext,
  clock: Clock,
): Promise<boolean> {
  const { shouldRun } = schedule;
  if (shouldRun === undefined) return true;
  let answer: unknown;
  let error: Error | undefined;
  const asking = Promise.resolve()
    .then(() => shouldRun(context))
    .then(
      (value: unknown) => {
        answer = value;
      },
      (thrown: unknown) => {
        error = toError(thrown);
      },
    );
  if (!(await waitAtMost(clock, FUNCTION_MS, asking)))
    throw new Error(`shouldRun did not answer within ${String(FUNCTION_MS)} ms`);
  if (error !== undefined) throw error;
  return answer === true;
}

function configOf(schedule: DeclaredSchedule, context: OccurrenceContext): JsonObject {
  const config = toJson(schedule.config(context), MAX_CONFIG_BYTES);
  if (!isJsonObject(config)) throw new TypeError('what makes its config does not give an object');
  return config;
}

async function skip(
  row: ScheduleRow,
  { id, cause }: Occurrence,
  patch: JsonObject,
  deps: RunDeps,
): Promise<void> {
  const ended = deps.clock.now().toISOString();
  const message = 'shouldRun said no';
  const entry: HistoryEntry = {
    occurrence: id,
    outcome: 'skipped',
    ended,
    message,
    ...(cause !== undefined && { cause }),
  };
  await end(row, entry, { ...patch, thrown: 0 }, deps);
}

/** Its own functions have thrown: a failed occurrence, and no run. */
async function failed(
  schedule: DeclaredSchedule,
  row: ScheduleRow,
  { id, cause }: Occurrence,
  { message }: Error,
  patch: JsonObject,
  deps: RunDeps,
): Promise<void> {
  const ended = deps.clock.now().toISOString();
  const entry: HistoryEntry = {
    occurrence: id,
    outcome: 'failure',
    ended,
    message,
    ...(cause !== undefined && { cause }),
  };
  const thrown = row.thrown + 1;
  const held = thrown >= MOST_THROWN ? { held: message } : {};
  await runNext(schedule, row.key, entry, deps);
  const isDone = await end(row, entry, { ...patch, thrown, ...held }, deps);
  if (isDone && thrown >= MOST_THROWN)
    deps.events.emit('schedule:held', { schedule: row.key, ...toldOf(row), reason: message });
}

/** Occurrences that are passed over stand in the history together. @returns what the row is to say of where */
async function rememberMissed(
  row: ScheduleRow,
  count: number,
  reason: PassStep['reason'],
  deps: RunDeps,
): Promise<JsonObject> {
  if (count === 0) return {};
  const ended = deps.clock.now().toISOString();
  const outcome = reason === 'missed' ? 'missed' : 'skipped';
  const entry = {
    occurrence: firstMissed(row, ended),
    outcome,
    ended,
    count,
    message: REASONS[reason],
  } as const;
  return await remember(row, entry, deps);
}

function tellMissed(
  row: ScheduleRow,
  count: number,
  reason: PassStep['reason'],
  { clock, events }: RunDeps,
): void {
  if (count === 0) return;
  const occurrence = firstMissed(row, clock.now().toISOString());
  events.emit('schedule:skipped', { schedule: row.key, occurrence, reason, count });
}

function firstMissed(row: ScheduleRow, otherwise: string): string {
  return isoOf(row.nextRunAt) ?? otherwise;
}

const REASONS: Readonly<Record<PassStep['reason'], string>> = {
  new: 'it is new',
  missed: 'nobody was there to run it, or the job before took too long',
  overlap: 'the job before was not over',
  rescheduled: 'all schedules were held, and then went on from there',
};

/** What came of an occurrence, in the history and on the row. @returns whether that was ours to say */
async function end(
  row: ScheduleRow,
  entry: HistoryEntry,
  patch: JsonObject,
  deps: RunDeps,
): Promise<boolean> {
  const { outcome, occurrence, ended, jobId } = entry;
  const failures = outcome === 'failure' ? row.failures + 1 : outcome === 'success' ? 0 : row.failures;
  const months = await remember(row, entry, deps);
  const last = { occurrence, outcome, ended };
  if (!(await deps.rows.patch(row, { ...patch, last, failures, ...months }))) return false;
  const event = { schedule: row.key, ...toldOf(row), occurrence, outcome, failures, before: row.failures };
  deps.events.emit('schedule:ended', { ...event, jobId, message: entry.message });
  return true;
}

/** @returns what the row is to say of where it stands */
async function remember(row: ScheduleRow, entry: HistoryEntry, deps: RunDeps): Promise<JsonObject> {
  const month = monthOf(new Date(entry.ended));
  const id = monthResource(row.id, month);
  await deps.store.put(`/${id}`, { [entry.occurrence]: entryRecord(entry) });
  const known = row.record['history'];
  return isJsonObject(known) && month in known ? {} : { history: { [month]: link(id) } };
}

/** As it is stored: null where there is none. */
export function isoOf(time: Date | undefined): string | null {
  return time === undefined ? null : time.toISOString();
}
