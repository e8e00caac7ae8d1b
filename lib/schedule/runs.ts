import { waitAtMost } from '../clock.js';
import type { Clock } from '../clock.js';
import { documentAt } from '../document-at.js';
import { IdempotencyError, toError } from '../errors.js';
import type { Events } from '../events.js';
import { isJsonObject, toJson } from '../json.js';
import type { JsonObject } from '../json.js';
import type { Store } from '../oada/store.js';
import { link } from '../paths.js';
import type { LayoutName } from '../paths.js';
import { submitTo } from '../producer.js';
import type { ResolvedTiming } from './definition.js';
import { entryOf, entryRecord, monthLink, monthOf, monthResource } from './history.js';
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
  readonly rows: Pick<ScheduleRows, 'get' | 'patch' | 'idOf'>;
  /** Hides what must not be stored or told. */
  redact(text: string): string;
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
  const { occurrence, isStarting } = step;
  const context = { schedule: row.key, occurrence: occurrence.time };
  const goneOn = isStarting ? { starting: null } : goOn(row, step, deps);
  let config: JsonObject;
  try {
    if (!isStarting && !(await isToRun(schedule, context, deps.clock))) {
      await skip(row, occurrence, goneOn, deps);
      return;
    }
    config = configOf(schedule, context);
  } catch (error) {
    await failed(schedule, row, occurrence, toError(error), goneOn, deps);
    return;
  }
  if (!isStarting && !(await beginWith(row, step, goneOn, deps))) return;
  const delay = occurrence.isAsked ? 0 : jitterOf(row.key, occurrence.time, timing);
  const { jobId, key } = await submitOccurrence(schedule, occurrence, config, delay, deps);
  const current = {
    ...{ occurrence: occurrence.id, job: link(jobId), key, since: deps.clock.now().toISOString() },
    cause: occurrence.cause === undefined ? null : { ...occurrence.cause },
  };
  // Whatever operators write meanwhile; another instance that has said it has submitted the same job.
  for (let now = deps.rows.get(row.key); now?.starting?.id === occurrence.id; now = deps.rows.get(row.key)) {
    if (!(await deps.rows.patch(now, { starting: null, current }))) continue;
    const lag = Math.max(0, deps.clock.now().getTime() - occurrence.time.getTime());
    const { key: name, group } = schedule;
    deps.events.emit('schedule:started', { schedule: name, group, occurrence: occurrence.id, jobId, lag });
    return;
  }
}

function goOn(row: ScheduleRow, { next, missed }: StartStep, deps: RunDeps): JsonObject {
  return { nextRunAt: isoOf(next), request: null, ...passing(row, missed, 'missed', deps) };
}

/**
 * Has the row say which occurrence is begun with, before anything of it can be seen elsewhere: who comes after a crash
 * would take it for a missed one, if another one is due by then.
 *
 * @returns false: the row is not as it was
 */
async function beginWith(
  row: ScheduleRow,
  { occurrence: { id, time, cause }, missed }: StartStep,
  goneOn: JsonObject,
  deps: RunDeps,
): Promise<boolean> {
  const starting = {
    ...{ occurrence: id, due: time.toISOString(), since: deps.clock.now().toISOString() },
    cause: cause === undefined ? null : { ...cause },
  };
  if (!(await deps.rows.patch(row, { ...goneOn, starting, thrown: 0 }))) return false;
  tellMissed(row, missed, 'missed', deps);
  return true;
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
    // Another version of the code, with another config, was first, and may not have come as far as the list.
    if (!(error instanceof IdempotencyError)) throw error;
    const first = await documentAt(store, `/${error.jobId}`);
    const same = { ...job, ...(isJsonObject(first) && { type: first['type'], config: first['config'] }) };
    const { _id: jobId, key } = await submitTo(store, { service, job: same, idempotencyKey, layout }, clock);
    return { jobId, key };
  }
}

/** Goes on without a run. */
export async function passOver(row: ScheduleRow, step: PassStep, deps: RunDeps): Promise<void> {
  const { missed: count, reason } = step;
  const patch = { nextRunAt: isoOf(step.next), ...passing(row, count, reason, deps) };
  if (await deps.rows.patch(row, patch)) tellMissed(row, count, reason, deps);
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
  const document = await documentAt(deps.store, `/${current.jobId}`);
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
  const asked = chain.run.filter((next) => !isSeen(deps.rows.get(next), request.id));
  await Promise.all(asked.map((next) => askToRun(deps.rows.idOf(next), request, deps.store)));
}

function isSeen(row: ScheduleRow | undefined, id: string): boolean {
  return row !== undefined && [row.request?.id, row.starting?.id, row.current?.id, row.lastId].includes(id);
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
  error: Error,
  patch: JsonObject,
  deps: RunDeps,
): Promise<void> {
  const message = deps.redact(error.message);
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

/**
 * What the row is to say of occurrences that are passed over. The history follows the row: of two who see different
 * numbers of them only one has the row say so.
 */
function passing(
  row: ScheduleRow,
  count: number,
  reason: PassStep['reason'],
  { clock }: RunDeps,
): JsonObject {
  if (count === 0) return settled(row);
  const ended = clock.now().toISOString();
  const occurrence = firstMissed(row, ended);
  const outcome = reason === 'missed' ? 'missed' : 'skipped';
  const passed = { occurrence, outcome, ended, count, message: REASONS[reason] };
  return { passed, ...monthLink(row, ended) };
}

/** They stand in the history by now: see {@link rememberPassed}. */
function settled({ passed }: ScheduleRow): JsonObject {
  return passed === undefined ? {} : { passed: null };
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
  const month = monthResource(row.id, monthOf(new Date(ended)));
  await deps.store.put(`/${month}`, { [occurrence]: entryRecord(entry) });
  const last = { occurrence, outcome, ended };
  const said = { ...settled(row), ...monthLink(row, ended), ...patch, last, failures };
  if (!(await deps.rows.patch(row, said))) return false;
  const event = { schedule: row.key, ...toldOf(row), occurrence, outcome, failures, before: row.failures };
  deps.events.emit('schedule:ended', { ...event, jobId, message: entry.message });
  return true;
}

/** As it is stored: null where there is none. */
export function isoOf(time: Date | undefined): string | null {
  return time === undefined ? null : time.toISOString();
}
