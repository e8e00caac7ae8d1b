import { ConfigError } from '../errors.js';
import { isJsonObject } from '../json.js';
import { checkNames, expected } from '../options.js';
import { DAY_MS, instantOf, localTime, zoneOf } from './zone.js';

export type Weekday = 'sun' | 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat';

const WEEKDAYS: readonly Weekday[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/**
 * A maintenance window: what is due within it waits for its end. Where clocks are changed, its ends are times of the
 * day like those of a schedule's `at`: one that is passed over is the moment at which clocks are put forward, and of one
 * that comes twice the first counts.
 */
export interface MaintenanceWindow {
  /** When it begins: a local time, like `'22:00'`. */
  readonly from: string;
  /** When it is over, like `'02:30'`: on the next day where that is not after `from`. */
  readonly to: string;
  /** The name of a zone of the IANA database. @defaultValue that of the schedule, or 'UTC' */
  readonly timeZone?: string;
  /** On which days it begins, like `['sat', 'sun']`. By default on all. */
  readonly days?: readonly Weekday[];
}

export interface ResolvedWindow {
  /** Milliseconds after the midnight that its day begins with; both, so that `to` is always the greater. */
  readonly from: number;
  readonly to: number;
  readonly timeZone: string;
  /** 0 is Sunday. */
  readonly days: readonly number[];
}

const MOST_WINDOWS = 20;
const WEEK_MS = 7 * DAY_MS;
/** Mondays of both halves of a year: where zones differ, so do the hours that windows leave free. */
const SOME_WEEKS = [Date.UTC(2024, 0, 1), Date.UTC(2024, 6, 1)];

/**
 * @param timeZone of those that name none
 * @throws {ConfigError}
 */
export function resolveWindows(windows: unknown, timeZone: string): readonly ResolvedWindow[] {
  if (!Array.isArray(windows) || windows.length > MOST_WINDOWS) {
    throw expected('windows', `a list of at most ${String(MOST_WINDOWS)} maintenance windows`, windows);
  }
  const resolved = windows.map((window: unknown) => resolveWindow(window, timeZone));
  if (SOME_WEEKS.some((start) => endOfWindows(resolved, start) >= start + WEEK_MS)) {
    throw new ConfigError('expected `windows` to leave some time free, and there is none between them');
  }
  return Object.freeze(resolved);
}

function resolveWindow(window: unknown, defaultZone: string): ResolvedWindow {
  if (!isJsonObject(window))
    throw expected('windows', "a list of windows like { from: '22:00', to: '02:30' }", window);
  checkNames(window, ['from', 'to', 'timeZone', 'days']);
  const { timeZone = defaultZone, days } = window;
  const from = timeOfDay('windows.from', window['from']);
  const to = timeOfDay('windows.to', window['to']);
  if (from === to)
    throw expected('windows.to', 'another time than `from`: it would be the whole day', window['to']);
  if (typeof timeZone !== 'string' || zoneOf(timeZone) === undefined) {
    throw expected('windows.timeZone', "the name of a time zone, like 'America/New_York'", timeZone);
  }
  return Object.freeze({ from, to: to > from ? to : to + DAY_MS, timeZone, days: resolveDays(days) });
}

/** In milliseconds since midnight. */
function timeOfDay(name: string, text: unknown): number {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(typeof text === 'string' ? text : '') ?? [];
  if (hours === undefined) throw expected(name, "a local time like '22:00'", text);
  return (Number(hours) * 60 + Number(minutes)) * 60_000;
}

function resolveDays(days: unknown): readonly number[] {
  if (days === undefined) return Object.freeze([0, 1, 2, 3, 4, 5, 6]);
  const named: readonly unknown[] = Array.isArray(days) ? days : [];
  const numbers = named.map((day) => WEEKDAYS.findIndex((name) => name === day));
  if (numbers.length > 0 && !numbers.includes(-1)) return Object.freeze([...new Set(numbers)]);
  const got = named.find((_, index) => numbers[index] === -1) ?? days;
  throw expected('windows.days', `a list of ${WEEKDAYS.join(', ')}`, got);
}

/**
 * The time itself, where it is in none of the windows; otherwise the end of those that it is in, and of all that follow
 * without a break.
 */
export function endOfWindows(windows: readonly ResolvedWindow[], time: number): number {
  let end = time;
  // What covers a week may cover all weeks, though it was seen to when the windows were given.
  while (end < time + WEEK_MS) {
    const at = end;
    end = Math.max(at, ...windows.map((window) => endOfWindow(window, at)));
    if (end === at) break;
  }
  return end;
}

/** When the window that is open at that time ends; the time itself, where none is. */
function endOfWindow({ from, to, timeZone, days }: ResolvedWindow, time: number): number {
  const zone = zoneOf(timeZone);
  if (zone === undefined) return time;
  const today = Math.floor(localTime(zone, time) / DAY_MS) * DAY_MS;
  const ends = [today - DAY_MS, today]
    .filter((day) => days.includes(new Date(day).getUTCDay()))
    .filter((day) => instantOf(zone, day + from) <= time)
    .map((day) => instantOf(zone, day + to));
  return Math.max(time, ...ends);
}
