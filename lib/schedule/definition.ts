import { toMilliseconds } from '../duration.js';
import type { Duration } from '../duration.js';
import { ConfigError, toError } from '../errors.js';
import { isJsonObject, toJson } from '../json.js';
import type { JsonObject } from '../json.js';
import { checkNames, expected, wholeNumber } from '../options.js';
import { cronOccurrences } from './cron.js';
import { resolveWindows } from './windows.js';
import type { MaintenanceWindow, ResolvedWindow } from './windows.js';
import { zoneOf } from './zone.js';

/** What becomes of occurrences that nobody was there for: none is made up for, the last one, or all. */
export type CatchUp = 'none' | 'one' | 'all';

/** What becomes of an occurrence while the job of the one before is not over. */
export type Overlap = 'skip' | 'queue' | 'cancel-previous';

/** When a schedule is due. One of `cron`, `every`, `at` and `manual` has to be given. */
export interface ScheduleTiming {
  /**
   * Cron of 5 fields (minute, hour, day of the month, month, day of the week) or 6 (a second before them), like
   * `'0 7 * * 1-5'`. Names like `'@daily'` are not taken. With neither `*` nor `/` for second, minute and hour it gives
   * times of the day, which are due once a day when clocks are changed, as those of `at` are; otherwise a beat, which
   * is never due where clocks pass it over, and twice where they show it twice.
   */
  readonly cron?: string;
  /** On a fixed grid, however long the jobs take: from `'1s'` to `'24d'`. */
  readonly every?: Duration;
  /**
   * Local times of each day, like `['07:00', '19:30:15']`; 100 at most. Where clocks are put forward past one, it is
   * due at that moment; where they show it twice, the first time.
   */
  readonly at?: readonly string[];
  /** Never by itself: only when somebody asks for it. */
  readonly manual?: true;
  /** What `cron` and `at` go by: a name of the IANA database, like `'America/New_York'`. @defaultValue 'UTC' */
  readonly timeZone?: string;
  /** How far the grid of `every` is moved: without it, an occurrence falls on 1970-01-01T00:00:00Z. @defaultValue 0 */
  readonly phase?: Duration;
  /** The most that an occurrence is put off by chance, so that not all schedules start at once. @defaultValue 0 */
  readonly jitter?: Duration;
  /** What becomes of occurrences that nobody was there for. @defaultValue 'one' */
  readonly catchUp?: CatchUp;
  /** How many are made up for at a time with `catchUp: 'all'`, the latest; 10,000 at most. @defaultValue 10 */
  readonly catchUpLimit?: number;
  /** What becomes of an occurrence while the job of the one before is not over. @defaultValue 'queue' */
  readonly overlap?: Overlap;
  /** Maintenance windows: what is due within one waits for its end. 20 at most. */
  readonly windows?: readonly MaintenanceWindow[];
}

export type When =
  | { readonly kind: 'cron'; readonly cron: string; readonly timeZone: string }
  | { readonly kind: 'every'; readonly every: number; readonly phase: number }
  | { readonly kind: 'at'; readonly at: readonly string[]; readonly timeZone: string }
  | { readonly kind: 'manual' };

/** A {@link ScheduleTiming}, checked and complete. Lengths of time are milliseconds. */
export interface ResolvedTiming {
  readonly when: When;
  readonly jitter: number;
  readonly catchUp: CatchUp;
  readonly catchUpLimit: number;
  readonly overlap: Overlap;
  readonly windows: readonly ResolvedWindow[];
}

export const timingDefaults: Readonly<
  Required<Pick<ScheduleTiming, 'timeZone' | 'phase' | 'jitter' | 'catchUp' | 'catchUpLimit' | 'overlap'>>
> = Object.freeze({
  timeZone: 'UTC',
  phase: 0,
  jitter: 0,
  catchUp: 'one',
  catchUpLimit: 10,
  overlap: 'queue',
});

const KINDS = ['cron', 'every', 'at', 'manual'] as const;
const WHEN_NAMES = [...KINDS, 'timeZone', 'phase'] as const;

/** The names of all that a {@link ScheduleTiming} may have. */
export const timingNames: readonly (keyof ScheduleTiming)[] = Object.freeze([
  ...WHEN_NAMES,
  'jitter',
  'catchUp',
  'catchUpLimit',
  'overlap',
  'windows',
] as const);

const SHORTEST_MS = 1000;
const MOST_TIMES = 100;
const MOST_CATCH_UP = 10_000;
const LONGEST_RECORD = 65_536;

/** @throws {ConfigError} */
export function resolveTiming(timing: unknown): ResolvedTiming {
  const given = givenOf('timing', timing, timingNames);
  const { jitter, catchUp, catchUpLimit, overlap, windows = [] } = { ...timingDefaults, ...given };
  const when = resolveWhen(given);
  return Object.freeze({
    when,
    jitter: lengthOf('jitter', jitter, 0),
    catchUp: oneOf('catchUp', catchUp, ['none', 'one', 'all']),
    catchUpLimit: limitOf(catchUpLimit),
    overlap: oneOf('overlap', overlap, ['skip', 'queue', 'cancel-previous']),
    windows: resolveWindows(windows, 'timeZone' in when ? when.timeZone : timingDefaults.timeZone),
  });
}

/** As it is stored: what was given, and nothing else. {@link parseTiming} makes the same of it. */
export function timingRecord(timing: ScheduleTiming): JsonObject {
  const record = toJson(Object.fromEntries(timingNames.map((name) => [name, timing[name]])), LONGEST_RECORD);
  return isJsonObject(record) ? record : {};
}

/**
 * @param record what the store holds, by whomever it was written
 * @returns undefined for what is no timing
 */
export function parseTiming(record: unknown): ResolvedTiming | undefined {
  try {
    return resolveTiming(record);
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

/**
 * The timing with another time to be due: that of the override, which has one of `cron`, `every`, `at` and `manual`,
 * with the `timeZone` or `phase` that belongs to it, and nothing else. All that is not about that stays, the windows
 * with the zone that they had.
 *
 * @param override what the store holds, by whomever it was written; undefined and null stand for none
 * @throws {ConfigError}
 */
export function withOverride(timing: ResolvedTiming, override: unknown): ResolvedTiming {
  if (override === undefined || override === null) return timing;
  return Object.freeze({ ...timing, when: resolveWhen(givenOf('override', override, WHEN_NAMES)) });
}

/** What is undefined counts as not given. */
function givenOf(name: string, options: unknown, names: readonly string[]): JsonObject {
  if (!isJsonObject(options)) throw expected(name, "an object like { every: '15m' }", options);
  checkNames(options, names);
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function resolveWhen(given: JsonObject): When {
  const kinds = KINDS.filter((name) => name in given);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    const got = kinds.map((name) => `\`${name}\``).join(' and ');
    throw new ConfigError(`expected one of \`cron\`, \`every\`, \`at\` and \`manual\`, got ${got || 'none'}`);
  }
  if ('phase' in given && kind !== 'every') throw misplaced('phase', '`every`', kind);
  if ('timeZone' in given && kind !== 'cron' && kind !== 'at')
    throw misplaced('timeZone', '`cron` and `at`', kind);
  return Object.freeze(whenOf(kind, given));
}

function whenOf(kind: (typeof KINDS)[number], given: JsonObject): When {
  const { timeZone, phase } = { ...timingDefaults, ...given };
  switch (kind) {
    case 'cron':
      return { kind, cron: patternOf(given[kind]), timeZone: zoneNameOf(timeZone) };
    case 'at':
      return { kind, at: timesOf(given[kind]), timeZone: zoneNameOf(timeZone) };
    case 'every': {
      const every = lengthOf(kind, given[kind], SHORTEST_MS);
      return { kind, every, phase: lengthOf('phase', phase, 0) % every };
    }
    case 'manual':
      if (given[kind] !== true) throw expected(kind, 'true, or not there', given[kind]);
      return { kind };
  }
}

function misplaced(name: string, where: string, kind: string): ConfigError {
  return new ConfigError(`expected \`${name}\` only with ${where}, got it with \`${kind}\``);
}

function patternOf(pattern: unknown): string {
  const what = "cron of 5 or 6 fields, like '0 7 * * *'";
  if (typeof pattern !== 'string') throw expected('cron', what, pattern);
  try {
    cronOccurrences(pattern, { offsetAt: () => 0 });
    return pattern;
  } catch (error) {
    const reason = toError(error).message;
    throw new ConfigError(`expected \`cron\` to be ${what}, got \`${pattern}\`: ${reason}`, { cause: error });
  }
}

function zoneNameOf(timeZone: unknown): string {
  if (typeof timeZone === 'string' && zoneOf(timeZone) !== undefined) return timeZone;
  throw expected('timeZone', "the name of a time zone, like 'America/New_York'", timeZone);
}

function timesOf(at: unknown): readonly string[] {
  const times: readonly unknown[] = Array.isArray(at) ? at : [at];
  const isTime = (time: unknown): time is string =>
    typeof time === 'string' && /^(?:[01]\d|2[0-3])(?::[0-5]\d){1,2}$/.test(time);
  const wrong = times.find((time) => !isTime(time));
  if (!Array.isArray(at) || times.length === 0 || times.length > MOST_TIMES || wrong !== undefined) {
    throw expected('at', "a list of 1 to 100 local times, like '07:00' or '07:00:30'", wrong ?? at);
  }
  return Object.freeze(times.filter(isTime));
}

function lengthOf(name: string, duration: unknown, least: number): number {
  if (!isDuration(duration)) throw expected(name, "a time, in ms or like '15m'", duration);
  // A timer's length may not be 0, so that toMilliseconds takes none.
  const length = Number.parseFloat(String(duration)) === 0 ? 0 : Math.round(toMilliseconds(duration, name));
  if (length >= least && length !== Infinity) return length;
  throw expected(name, least === 0 ? 'a time that ends' : "a time from '1s' on that ends", duration);
}

function isDuration(value: unknown): value is Duration {
  return (
    typeof value === 'number' || (typeof value === 'string' && /^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/.test(value))
  );
}

function limitOf(limit: unknown): number {
  const whole = wholeNumber('catchUpLimit', limit);
  if (whole <= MOST_CATCH_UP) return whole;
  throw expected('catchUpLimit', 'at most 10000', limit);
}

function oneOf<Name extends string>(option: string, value: unknown, names: readonly Name[]): Name {
  const name = names.find((one) => one === value);
  if (name === undefined) throw expected(option, names.map((one) => `'${one}'`).join(' or '), value);
  return name;
}
