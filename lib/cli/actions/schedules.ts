import type { JsonObject } from '../../json.js';
import type { Duration } from '../../duration.js';
import { timingText } from '../../operator/timing-text.js';
import { resolveTiming } from '../../schedule/definition.js';
import { Schedules } from '../../schedule/operations.js';
import type { ScheduleState, TimingOverride } from '../../schedule/operations.js';
import { CliError, orNotFound, orUsage, usageOf } from '../failure.js';
import type { Invocation } from '../invocation.js';
import { openSession } from '../session.js';
import type { ServiceFlags } from '../settings.js';
import { lengthOf, stateOf, timeText } from '../wording.js';

export interface PreviewFlags extends ServiceFlags {
  readonly count: number;
}

export interface HistoryFlags extends ServiceFlags {
  readonly limit: number;
}

export interface DueFlags extends ServiceFlags {
  readonly due: 'run' | 'reschedule';
}

export interface OverrideFlags extends ServiceFlags {
  readonly cron?: string;
  readonly every?: Duration;
  readonly at?: readonly string[];
  readonly manual?: boolean;
  readonly timeZone?: string;
  readonly phase?: Duration;
  readonly clear?: boolean;
}

interface Opened {
  readonly service: string;
  readonly schedules: Schedules;
}

async function open(cli: Invocation, flags: ServiceFlags): Promise<Opened> {
  const { service, deps } = await openSession(cli, flags);
  return { service, schedules: new Schedules(deps) };
}

async function openOne(
  cli: Invocation,
  key: string,
  flags: ServiceFlags,
): Promise<Opened & { readonly schedule: ScheduleState }> {
  const opened = await open(cli, flags);
  const advice = '`oada-jobs schedules list` shows those that there are';
  return { ...opened, schedule: await orNotFound(opened.schedules.get(key), advice) };
}

/** What is asked of many schedules at once. */
interface Switched {
  readonly heldSince: Date | undefined;
  readonly pausedTypes: readonly string[];
}

async function switchesOf(schedules: Schedules): Promise<Switched> {
  const [heldSince, pausedTypes] = await Promise.all([schedules.heldSince(), schedules.pausedTypes()]);
  return { heldSince, pausedTypes };
}

export async function showSchedules(cli: Invocation, flags: ServiceFlags): Promise<void> {
  const { output } = cli;
  const { service, schedules } = await open(cli, flags);
  const [all, switched] = await Promise.all([schedules.list(), switchesOf(schedules)]);
  const { heldSince } = switched;
  if (heldSince !== undefined)
    output.warn(`all are held since ${timeText(heldSince)}: \`schedules release\` lets them go on`);
  if (flags.json === true) {
    for (const schedule of all) output.json(recordOf(schedule, switched));
    return;
  }
  if (all.length === 0) {
    output.note(`${service} has no schedules.`);
    return;
  }
  await output.table(
    ['SCHEDULE', 'TYPE', 'TIMES', 'STATE', 'NEXT (UTC)', 'LAST', 'FAILURES'].map((title) => ({ title })),
    all.map((schedule) => {
      const { key, type, timing, override, nextRunAt, last, failures } = schedule;
      const times = override === undefined ? timingText(timing) : `${timingText(override)} (override)`;
      const shown = [
        timeText(nextRunAt),
        stateOf(last?.outcome ?? ''),
        failures === 0 ? '' : String(failures),
      ];
      return [key, type, times, stateOf(stateOfSchedule(schedule, switched)), ...shown];
    }),
  );
}

export async function showSchedule(cli: Invocation, key: string, flags: ServiceFlags): Promise<void> {
  const { output } = cli;
  const { schedules, schedule } = await openOne(cli, key, flags);
  const switched = await switchesOf(schedules);
  if (flags.json === true) {
    output.json(recordOf(schedule, switched));
    return;
  }
  const { type, timing, override, nextRunAt, current, last, failures, heldBecause, group } = schedule;
  const facts = [
    ['Schedule', key],
    ['Type', type],
    ['Times', timingText(timing)],
    ['Override', override === undefined ? '' : timingText(override)],
    ['State', stateOfSchedule(schedule, switched)],
    ['Held', heldBecause ?? ''],
    ['All held', timeText(switched.heldSince)],
    ['Next', timeText(nextRunAt)],
    ['Running', current === undefined ? '' : `${current.id}: ${current.jobId}`],
    ['Last', last === undefined ? '' : `${last.outcome} at ${timeText(last.ended)} (${last.occurrence})`],
    ['Failures', String(failures)],
    ['Group', group ?? ''],
  ] as const;
  for (const [name, value] of facts)
    if (value !== '') output.line({ text: `${name}:`.padEnd(11), style: 'bold' }, value);
}

export async function previewSchedule(cli: Invocation, key: string, flags: PreviewFlags): Promise<void> {
  if (flags.count > 1000) throw new CliError('usage', '--count can be 1000 at most');
  const { schedules } = await openOne(cli, key, flags);
  const times = await schedules.preview(key, flags.count);
  for (const time of times) {
    if (flags.json === true) cli.output.json({ time: time.toISOString() });
    else cli.output.line(`${timeText(time)} UTC`);
  }
  if (times.length === 0) cli.output.note(`${key} is never due by itself.`);
}

export async function showHistory(cli: Invocation, key: string, flags: HistoryFlags): Promise<void> {
  const { output } = cli;
  const { schedules } = await openOne(cli, key, flags);
  const history = await schedules.history(key, flags.limit);
  if (flags.json === true) {
    for (const entry of history) output.json(entry);
    return;
  }
  if (history.length === 0) {
    output.note(`${key} has not run yet.`);
    return;
  }
  await output.table(
    [
      ...['OCCURRENCE', 'OUTCOME', 'ENDED (UTC)', 'TOOK'].map((title) => ({ title })),
      { title: 'MESSAGE', isFlexible: true },
    ],
    history.map((entry) => [
      entry.occurrence,
      stateOf(text(entry, 'outcome')),
      timeText(text(entry, 'ended')),
      typeof entry['duration'] === 'number' ? lengthOf(entry['duration']) : '',
      text(entry, 'message'),
    ]),
  );
}

export async function switchSchedule(
  cli: Invocation,
  how: 'run' | 'disable' | 'reset',
  key: string,
  flags: ServiceFlags,
): Promise<void> {
  const { schedules } = await openOne(cli, key, flags);
  await schedules[how](key);
  const said = {
    run: 'runs now; when the job before is over, if there is one',
    disable: 'runs no more, until it is enabled',
    reset: 'goes on, with its failures forgotten',
  };
  tell(cli, flags, { schedule: key, done: how }, `${key} ${said[how]}.`);
}

export async function enableSchedule(cli: Invocation, key: string, flags: DueFlags): Promise<void> {
  const { schedules } = await openOne(cli, key, flags);
  await schedules.enable(key, flags.due);
  tell(cli, flags, { schedule: key, done: 'enable' }, `${key} runs again.`);
}

export async function overrideSchedule(cli: Invocation, key: string, flags: OverrideFlags): Promise<void> {
  const timing = timingGiven(flags);
  const { schedules } = await openOne(cli, key, flags);
  await schedules.override(key, timing);
  const { nextRunAt, override } = await schedules.get(key);
  const next = nextRunAt === undefined ? '' : `; the next time is ${timeText(nextRunAt)} UTC`;
  const what = override === undefined ? 'has the times of the code again' : `is due: ${timingText(override)}`;
  tell(cli, flags, { schedule: key, done: 'override', nextRunAt }, `${key} ${what}${next}.`);
}

/** Undefined: those of the code. */
function timingGiven(flags: OverrideFlags): TimingOverride | undefined {
  const { cron, every, at, manual, timeZone, phase, clear } = flags;
  const timing: TimingOverride = {
    ...(cron !== undefined && { cron }),
    ...(every !== undefined && { every }),
    ...(at !== undefined && { at }),
    ...(manual === true && { manual }),
    ...(timeZone !== undefined && { timeZone }),
    ...(phase !== undefined && { phase }),
  };
  if (clear !== true) {
    orUsage(() => resolveTiming(timing));
    return timing;
  }
  if (Object.keys(timing).length > 0) throw new CliError('usage', '--clear goes with no other times');
  return undefined;
}

export async function holdSchedules(cli: Invocation, flags: ServiceFlags): Promise<void> {
  const { service, schedules } = await open(cli, flags);
  await schedules.hold();
  tell(cli, flags, { service, done: 'hold' }, `The schedules of ${service} are held; jobs that run go on.`);
}

export async function releaseSchedules(cli: Invocation, flags: DueFlags): Promise<void> {
  const { service, schedules } = await open(cli, flags);
  await schedules.release(flags.due);
  tell(cli, flags, { service, done: 'release' }, `The schedules of ${service} go on.`);
}

/** Of the schedules whose jobs are of a type. */
export async function pauseSchedules(
  cli: Invocation,
  paused: boolean,
  type: string,
  flags: ServiceFlags,
): Promise<void> {
  const { service, schedules } = await open(cli, flags);
  const all = await schedules.list();
  if (paused && all.every((schedule) => schedule.type !== type))
    cli.output.warn(`no schedule of ${service} has jobs of type ${JSON.stringify(type)} as yet`);
  await usageOf(paused ? schedules.pauseType(type) : schedules.resumeType(type));
  const said = paused ? 'begin no more of them; jobs that run go on' : 'go on';
  const record = { service, type, done: paused ? 'pause-type' : 'resume-type' };
  tell(cli, flags, record, `The schedules of ${service} for jobs of type ${type} ${said}.`);
}

function tell({ output }: Invocation, { json = false }: ServiceFlags, record: object, text: string): void {
  if (json) output.json(record);
  else output.line(text);
}

function stateOfSchedule(
  { isRetired, heldBecause, enabled, current, type }: ScheduleState,
  { heldSince, pausedTypes }: Switched,
): string {
  if (isRetired) return 'retired';
  if (!enabled) return 'disabled';
  if (heldBecause !== undefined || heldSince !== undefined) return 'held';
  if (pausedTypes.includes(type)) return 'paused';
  return current === undefined ? 'enabled' : 'running';
}

function recordOf(schedule: ScheduleState, switched: Switched): object {
  const { heldSince, pausedTypes } = switched;
  return {
    ...schedule,
    state: stateOfSchedule(schedule, switched),
    isPaused: pausedTypes.includes(schedule.type),
    ...(heldSince !== undefined && { heldSince }),
  };
}

function text(entry: JsonObject, name: string): string {
  const value = entry[name];
  return typeof value === 'string' ? value : '';
}
