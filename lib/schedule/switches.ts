import { dateOf, isJsonObject } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import type { View } from './step.js';

/** What operators ask of all schedules at once; it stands in the controls, under `schedules`. */
export interface Switches {
  /** Since when all are held; 1970 where what stands there is no time. */
  readonly heldSince: Date | undefined;
  /** What was due before that is not run. */
  readonly rescheduledAt: Date | undefined;
  readonly pausedTypes: ReadonlySet<string>;
}

export function parseSwitches(value: Json | undefined): Switches {
  const { hold, rescheduledAt, pausedTypes } = isJsonObject(value) ? value : {};
  const paused = isJsonObject(pausedTypes) ? Object.entries(pausedTypes) : [];
  return {
    heldSince: sinceOf(hold),
    rescheduledAt: dateOf(rescheduledAt),
    pausedTypes: new Set(paused.flatMap(([type, isPaused]) => (isPaused === true ? [type] : []))),
  };
}

/** Whatever somebody has written there: schedules that are to be held are not to run because of how it was put. */
function sinceOf(hold: Json | undefined): Date | undefined {
  return hold === undefined || hold === null || hold === false ? undefined : (dateOf(hold) ?? new Date(0));
}

export function viewOf({ heldSince, rescheduledAt, pausedTypes }: Switches): Omit<View, 'now'> {
  return { isHeld: heldSince !== undefined, rescheduledAt, isPaused: (type) => pausedTypes.has(type) };
}

/** As it is written to the controls. */
export function holdPatch(now: Date): JsonObject {
  return { schedules: { hold: now.toISOString() } };
}

/** @param due whether what became due meanwhile is run, by each schedule's catch-up, or passed over */
export function releasePatch(now: Date, due: 'run' | 'reschedule'): JsonObject {
  return { schedules: { hold: null, ...(due === 'reschedule' && { rescheduledAt: now.toISOString() }) } };
}

export function pauseTypePatch(type: string, isPaused: boolean): JsonObject {
  return { schedules: { pausedTypes: { [type]: isPaused } } };
}
