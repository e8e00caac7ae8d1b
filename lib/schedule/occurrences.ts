import { createHash } from 'node:crypto';

import { cronOccurrences, merged } from './cron.js';
import type { Occurrences } from './cron.js';
import type { ResolvedTiming, When } from './definition.js';
import { endOfWindows } from './windows.js';
import { zoneOf } from './zone.js';

/** Which occurrences there were in a stretch of time. */
export interface DueOccurrences {
  /** The latest, oldest first. */
  readonly latest: readonly Date[];
  /**
   * How many there were in all. Those of `cron` and `at` are counted one by one, hence no further than 1,000 before
   * the latest ones: there may have been more.
   */
  readonly count: number;
}

/** What a schedule comes to at some moment. */
export interface Plan {
  /** The occurrences to be run now, oldest first. */
  readonly due: readonly Date[];
  /** How many were passed over; {@link DueOccurrences.count} says how far they are counted. */
  readonly missed: number;
  /** The first that is still to come: where the next plan is to start. Undefined where there is none. */
  readonly next: Date | undefined;
}

export interface PlanRequest {
  /** The first occurrence that has not been planned yet: `next` of the plan before. */
  readonly nextRunAt: Date;
  readonly now: Date;
  /** How late an occurrence may be to count as in time with `catchUp: 'none'`, in milliseconds. @defaultValue 60000 */
  readonly lateBy?: number;
}

/** What a `Date` can hold. */
const LATEST_MS = 8.64e15;
const MOST_COUNTED = 1000;
const LATE_BY_MS = 60_000;

/** The first occurrence after that time, and not at it. */
export function nextAfter(timing: ResolvedTiming, time: Date): Date | undefined {
  return occurrencesOf(timing.when).after(time);
}

/** Those after the one and not after the other time, oldest first, as they are asked for. */
export function* occurrencesBetween(
  timing: ResolvedTiming,
  after: Date,
  until: Date,
  limit: number,
): Generator<Date, void, undefined> {
  let time = nextAfter(timing, after);
  for (let count = 0; time !== undefined && time <= until && count < limit; count++) {
    yield time;
    time = nextAfter(timing, time);
  }
}

/** The next so many. */
export function preview(timing: ResolvedTiming, from: Date, count: number): Date[] {
  return [...occurrencesBetween(timing, from, new Date(LATEST_MS), count)];
}

/** The latest of those from the one to the other time, both included. More of them do not make it cost more. */
export function latestDue(timing: ResolvedTiming, from: Date, now: Date, limit: number): DueOccurrences {
  const { when } = timing;
  const { upTo } = occurrencesOf(when);
  const most = when.kind === 'every' ? limit : limit + MOST_COUNTED;
  const latest: Date[] = [];
  let count = 0;
  let time = upTo(now);
  const last = time;
  while (time !== undefined && time >= from && count < most) {
    if (count < limit) latest.push(time);
    count++;
    time = upTo(new Date(time.getTime() - 1));
  }
  if (when.kind === 'every' && last !== undefined) count = countOnGrid(when.every, from, last);
  return { latest: latest.reverse(), count };
}

function countOnGrid(every: number, from: Date, last: Date): number {
  return Math.max(0, Math.floor((last.getTime() - from.getTime()) / every) + 1);
}

/**
 * What is to be run now, and what is passed over: by `catchUp`, of the occurrences that have come since the last plan,
 *
 * - `'one'`: the latest;
 * - `'all'`: the latest ones, up to `catchUpLimit`;
 * - `'none'`: the latest, if it is no later than `lateBy`.
 *
 * Each plan goes on where the one before ended (`next`), so no occurrence is in two of them, and each is in one, run or
 * missed. That holds for a clock that is put back as well: `next` never goes back. Both times have to be valid ones.
 */
export function plan(timing: ResolvedTiming, { nextRunAt, now, lateBy = LATE_BY_MS }: PlanRequest): Plan {
  const { catchUp, catchUpLimit } = timing;
  const { latest, count } = latestDue(timing, nextRunAt, now, catchUp === 'all' ? catchUpLimit : 1);
  const inTime = now.getTime() - lateBy;
  const due = catchUp === 'none' ? latest.filter((time) => time.getTime() >= inTime) : latest;
  const done = Math.max(now.getTime(), nextRunAt.getTime() - 1);
  return { due, missed: count - due.length, next: nextAfter(timing, new Date(done)) };
}

/**
 * How long an occurrence is put off, in milliseconds: from 0 to less than the timing's `jitter`. It is as good as
 * chance, but the same wherever and however often it is asked for.
 */
export function jitterOf(scheduleKey: string, occurrence: Date, { jitter }: ResolvedTiming): number {
  const seed = JSON.stringify([scheduleKey, occurrence.getTime()]);
  const bits = createHash('sha256').update(seed).digest().readUIntBE(0, 6);
  return Math.floor((bits / 2 ** 48) * jitter);
}

/** The time itself; or the end of the maintenance window that it falls in, and of those that follow without a break. */
export function deferredTo({ windows }: ResolvedTiming, time: Date): Date {
  return new Date(endOfWindows(windows, time.getTime()));
}

const NEVER: Occurrences = { after: () => undefined, upTo: () => undefined };
/** To read cron takes longer than to go on from one occurrence to the next. */
const made = new WeakMap<When, Occurrences>();

function occurrencesOf(when: When): Occurrences {
  const occurrences = made.get(when) ?? makeOccurrences(when);
  made.set(when, occurrences);
  return occurrences;
}

function makeOccurrences(when: When): Occurrences {
  switch (when.kind) {
    case 'manual':
      return NEVER;
    case 'every':
      return gridOf(when.every, when.phase);
    case 'cron':
      return inZone([when.cron], when.timeZone);
    case 'at':
      return inZone(when.at.map(patternOf), when.timeZone);
  }
}

function inZone(patterns: readonly string[], timeZone: string): Occurrences {
  const zone = zoneOf(timeZone);
  if (zone === undefined) throw new RangeError(`there is no time zone \`${timeZone}\``);
  return merged(patterns.map((pattern) => cronOccurrences(pattern, zone)));
}

/** @param time like '07:00' or '07:00:30' */
function patternOf(time: string): string {
  const [hour = 0, minute = 0, second = 0] = time.split(':').map(Number);
  return `${String(second)} ${String(minute)} ${String(hour)} * * *`;
}

function gridOf(every: number, phase: number): Occurrences {
  const upTo = (time: Date): number => Math.floor((time.getTime() - phase) / every) * every + phase;
  return {
    after: (time) => toDate(upTo(time) + every),
    upTo: (time) => toDate(upTo(time)),
  };
}

function toDate(time: number): Date | undefined {
  return Math.abs(time) <= LATEST_MS ? new Date(time) : undefined;
}
