import { documentAt } from '../document-at.js';
import { assertNever } from '../errors.js';
import { isJsonObject } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import { isJobOf } from '../operator/job-of.js';
import type { OperatorDeps } from '../operator/operator-deps.js';
import { linkedId } from '../paths.js';
import { parseTiming } from '../schedule/definition.js';
import { Schedules } from '../schedule/operations.js';
import type { HistoryRecord, ScheduleState } from '../schedule/operations.js';
import type {
  HistoryEntry,
  ScheduleAction,
  SchedulesAction,
  ScheduleSummary,
  SchedulesView,
  ScheduleView,
} from './api.js';
import { overrideOf } from './input.js';
import { orNotFound } from './problem.js';
import type { Redactor } from './redactor.js';
import { timingText } from '../operator/timing-text.js';

const MOST_HISTORY = 100;
const PREVIEWED = 10;
const LONGEST_OUTPUT = 2000;
/** How many documents are read at once. */
const AT_ONCE = 20;

export async function viewSchedules(deps: OperatorDeps): Promise<SchedulesView> {
  const operations = new Schedules(deps);
  const [schedules, heldSince, pausedTypes] = await Promise.all([
    operations.list(),
    operations.heldSince(),
    operations.pausedTypes(),
  ]);
  return {
    schedules: schedules.map((state) => summaryOf(state, pausedTypes)),
    ...(heldSince !== undefined && { heldSince: heldSince.toISOString() }),
  };
}

/**
 * @param redactor for what is cut: of half a token nobody can tell what it was
 * @throws {Refusal} there is none of that key
 */
export async function viewSchedule(
  deps: OperatorDeps,
  key: string,
  redactor: Redactor,
): Promise<ScheduleView> {
  const operations = new Schedules(deps);
  const state = await orNotFound(operations.get(key));
  const [preview, history, pausedTypes] = await Promise.all([
    operations.preview(key, PREVIEWED),
    operations.history(key, MOST_HISTORY),
    operations.pausedTypes(),
  ]);
  const entries: HistoryEntry[] = [];
  for (let from = 0; from < history.length; from += AT_ONCE) {
    const some = history.slice(from, from + AT_ONCE);
    entries.push(...(await Promise.all(some.map((record) => entryOf(deps, record, redactor)))));
  }
  return {
    ...summaryOf(state, pausedTypes),
    preview: preview.map((time) => time.toISOString()),
    history: entries,
  };
}

export async function actOnSchedules(deps: OperatorDeps, request: SchedulesAction): Promise<void> {
  const operations = new Schedules(deps);
  switch (request.action) {
    case 'hold':
      await operations.hold();
      return;
    case 'release':
      await operations.release(request.due);
      return;
    case 'pause-type':
      await operations.pauseType(request.type);
      return;
    case 'resume-type':
      await operations.resumeType(request.type);
      return;
    default:
      assertNever(request);
  }
}

/** @throws {Refusal} there is none of that key */
export async function actOnSchedule(deps: OperatorDeps, key: string, request: ScheduleAction): Promise<void> {
  const operations = new Schedules(deps);
  await orNotFound(operations.get(key));
  switch (request.action) {
    case 'run':
      await operations.run(key);
      return;
    case 'disable':
      await operations.disable(key);
      return;
    case 'reset':
      await operations.reset(key);
      return;
    case 'enable':
      await operations.enable(key, request.due);
      return;
    case 'override':
      await operations.override(key, request.timing === null ? undefined : overrideOf(request.timing));
      return;
    default:
      assertNever(request);
  }
}

function summaryOf(state: ScheduleState, pausedTypes: readonly string[]): ScheduleSummary {
  const { key, type, enabled, isRetired, failures, heldBecause, nextRunAt, current, last, group } = state;
  return {
    ...{ key, type, enabled, isRetired, failures },
    timing: timingText(state.timing),
    isPaused: pausedTypes.includes(type),
    ...(state.override !== undefined && { override: overrideText(state) }),
    ...(heldBecause !== undefined && { heldBecause }),
    ...(nextRunAt !== undefined && { nextRunAt: nextRunAt.toISOString() }),
    ...(current !== undefined && { current: { occurrence: current.id, job: current.jobId } }),
    ...(last !== undefined && { last }),
    ...(group !== undefined && { group }),
  };
}

/** What is no timing has no effect. */
function overrideText({ override = {}, timing }: ScheduleState): string {
  return parseTiming(override) === undefined ? timingText(timing) : timingText(override);
}

async function entryOf(deps: OperatorDeps, record: HistoryRecord, redactor: Redactor): Promise<HistoryEntry> {
  const { occurrence, outcome, started, ended, duration, message, failureType, count } = record;
  const job = linkedId(record['job']);
  const output = job === undefined ? undefined : await readOutput(deps, job, redactor);
  return {
    occurrence,
    outcome: typeof outcome === 'string' ? outcome : '',
    ...texts({ started, ended, message, failureType }),
    ...(typeof duration === 'number' && { duration }),
    ...(typeof count === 'number' && { count }),
    ...(job !== undefined && { job }),
    ...(output !== undefined && { output }),
  };
}

function texts(fields: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]): [string, string][] =>
      typeof value === 'string' ? [[name, value]] : [],
    ),
  );
}

/** What the job returned; undefined where it is gone, or has returned nothing. */
async function readOutput(
  { store, service }: OperatorDeps,
  job: string,
  redactor: Redactor,
): Promise<string | undefined> {
  const data: Json | undefined = await documentAt(store, `/${job}`);
  if (!isJsonObject(data) || !isJobOf(service, data) || data['status'] !== 'success') return undefined;
  const { result } = data;
  return result === undefined ? undefined : redactor.toText(result).slice(0, LONGEST_OUTPUT);
}
