import { assertNever, ConfigError } from '../errors.js';
import { withOverride } from './definition.js';
import type { ResolvedTiming } from './definition.js';
import { deferredTo, nextAfter, plan } from './occurrences.js';
import type { Cause, ScheduleRow, StartingRun } from './row.js';

/** One due time of a schedule, or a run that was asked for. */
export interface Occurrence {
  /** Its due time in ISO 8601, or the id of the request. */
  readonly id: string;
  readonly time: Date;
  readonly cause: Cause | undefined;
  readonly isAsked: boolean;
}

/** What is to be done for a schedule now. */
export type Step =
  /** Nothing, before that time or until something changes. */
  | { readonly kind: 'rest'; readonly until: Date | undefined }
  /** Its job is to be submitted; that of one which is starting is, perhaps, already. */
  | {
      readonly kind: 'start';
      readonly occurrence: Occurrence;
      readonly isStarting: boolean;
      readonly next: Date | undefined;
      readonly missed: number;
    }
  /** Occurrences that are due are passed over. */
  | {
      readonly kind: 'pass';
      readonly next: Date | undefined;
      readonly missed: number;
      readonly reason: PassReason;
    }
  /** What is asked for was run already: two have seen that it was to come next. */
  | { readonly kind: 'drop' }
  /** The job of the occurrence before is to be cancelled. */
  | { readonly kind: 'cancel' };

/** New: nothing was due before. */
export type PassReason = 'new' | 'missed' | 'overlap' | 'rescheduled';

/** What bears on all schedules. */
export interface View {
  readonly now: Date;
  readonly isHeld: boolean;
  /** What was due before that is not run. */
  readonly rescheduledAt: Date | undefined;
  isPaused(type: string): boolean;
}

/** The times that hold: what stands in the store in place of those of the code may be anything. */
export function timingOf(declared: ResolvedTiming, override: unknown): ResolvedTiming {
  try {
    return withOverride(declared, override);
  } catch (error) {
    if (error instanceof ConfigError) return declared;
    throw error;
  }
}

const STARTING_MS = 10_000;
const FASTEST_CLOCK_MS = 86_400_000;

/** Decides, from the row alone, what is to be done for a schedule. */
export function nextStep(row: ScheduleRow, type: string, timing: ResolvedTiming, view: View): Step {
  const { request, current, enabled = true } = row;
  if (row.starting !== undefined && !row.isRetired) return startingStep(row.starting, row, view);
  if (row.isRetired || view.isHeld || row.heldBecause !== undefined) return rest();
  if (request !== undefined && current === undefined) {
    const { id, time, cause } = request;
    if (id === row.lastId) return { kind: 'drop' };
    const occurrence = { id, time, cause, isAsked: true };
    const isStarting = false;
    return {
      kind: 'start',
      occurrence,
      isStarting,
      next: row.nextRunAt ?? nextAfter(timing, view.now),
      missed: 0,
    };
  }
  if (!enabled || view.isPaused(type)) return rest();
  return dueStep(row, timing, view);
}

/** Whoever began with it is given some time. */
function startingStep({ since, ...occurrence }: StartingRun, row: ScheduleRow, { now }: View): Step {
  const wait = since.getTime() + STARTING_MS;
  if (since <= now && now.getTime() < wait) return rest(new Date(wait));
  const isAsked = occurrence.id !== occurrence.time.toISOString();
  return {
    ...{ kind: 'start', isStarting: true, next: row.nextRunAt, missed: 0 },
    occurrence: { ...occurrence, isAsked },
  };
}

function dueStep(row: ScheduleRow, timing: ResolvedTiming, { now, rescheduledAt }: View): Step {
  const { nextRunAt } = row;
  if (nextRunAt === undefined) {
    const next = nextAfter(timing, now);
    return next === undefined ? rest() : { kind: 'pass', next, missed: 0, reason: 'new' };
  }
  // A clock may be fast by some minutes, but not by a day.
  const isSound = rescheduledAt !== undefined && rescheduledAt.getTime() - now.getTime() < FASTEST_CLOCK_MS;
  if (isSound && nextRunAt <= rescheduledAt) {
    const { due, missed } = plan(timing, { nextRunAt, now: rescheduledAt });
    const next = nextAfter(timing, rescheduledAt);
    return { kind: 'pass', next, missed: missed + due.length, reason: 'rescheduled' };
  }
  if (nextRunAt > now) return rest(nextRunAt);
  const allowed = deferredTo(timing, now);
  if (allowed > now) return rest(allowed);
  const { due, missed, next } = plan(timing, { nextRunAt, now });
  const [first, second] = due;
  if (first === undefined) return { kind: 'pass', next, missed, reason: 'missed' };
  if (row.current !== undefined) return overlapStep(timing, { next, missed: missed + due.length });
  const occurrence = { id: first.toISOString(), time: first, cause: undefined, isAsked: false };
  return { kind: 'start', occurrence, isStarting: false, next: second ?? next, missed };
}

/** The job of the occurrence before is not over. */
function overlapStep(timing: ResolvedTiming, skipped: { next: Date | undefined; missed: number }): Step {
  switch (timing.overlap) {
    case 'queue':
      return rest();
    case 'skip':
      return { kind: 'pass', ...skipped, reason: 'overlap' };
    case 'cancel-previous':
      return { kind: 'cancel' };
    default:
      return assertNever(timing.overlap);
  }
}

function rest(until?: Date): Step {
  return { kind: 'rest', until };
}
