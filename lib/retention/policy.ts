import type { Duration } from '../duration.js';
import { dayOf } from '../paths.js';
import type { FinalStatus } from '../paths.js';

/** How long finished jobs are kept. What is left out sets no limit. */
export interface RetentionOptions {
  /** How long successes are kept: at least a day, like `'30d'`. @defaultValue Infinity */
  readonly success?: Duration;
  /** How long failures are kept: at least a day, like `'365d'`. @defaultValue Infinity */
  readonly failure?: Duration;
  /**
   * How many of them are enough: days before those that hold the newest so many are pruned, however young. One number is
   * for each status on its own. @defaultValue Infinity
   */
  readonly keep?: number | { readonly success?: number; readonly failure?: number };
}

/** What is kept of one status. */
export interface StatusRetention {
  /** In milliseconds. */
  readonly age: number;
  readonly keep: number;
}

export type ResolvedRetention = Readonly<Record<FinalStatus, StatusRetention>>;

/** So many finished jobs stand in the lists of a day. */
export interface DayCount {
  readonly date: string;
  readonly count: () => Promise<number>;
}

export const DAY_MS = 86_400_000;

/**
 * The first day that is kept. Jobs may be filed under yesterday for a while yet, and lists that are written to are not
 * to be deleted: it is yesterday at the latest.
 *
 * @param days are asked for their counts from the newest on, and only as far as that tells something
 * @returns UTC, as `2026-01-31`; empty: all are kept
 */
export async function firstKept(
  { age, keep }: StatusRetention,
  days: readonly DayCount[],
  now: Date,
): Promise<string> {
  const byAge = age === Infinity ? '' : dayOf(new Date(now.getTime() - age));
  const byCount = keep === Infinity ? '' : await firstCounted(keep, days, byAge);
  const first = byCount > byAge ? byCount : byAge;
  const yesterday = dayOf(new Date(now.getTime() - DAY_MS));
  return first < yesterday ? first : yesterday;
}

/** The day with which there are enough. */
async function firstCounted(keep: number, days: readonly DayCount[], from: string): Promise<string> {
  let sum = 0;
  const newest = days.filter(({ date }) => date >= from).toSorted((one, other) => order(other, one));
  for (const { date, count } of newest) {
    sum += await count();
    if (sum >= keep) return date;
  }
  return '';
}

/** For lists of days, the oldest first. */
export function order(one: { readonly date: string }, other: { readonly date: string }): number {
  return one.date < other.date ? -1 : Number(one.date > other.date);
}
