import type { ScheduleAction, SchedulesAction, ScheduleSummary } from '../../api.js';
import { actOnSchedule, actOnSchedules } from '../client.js';
import { tell, tellProblem } from '../elements/toasts.js';
import type { Place } from '../route.js';

/** Does it and tells of it. */
export async function steer(place: Place, key: string, action: ScheduleAction, told: string): Promise<void> {
  try {
    await actOnSchedule(place, key, action);
    tell(told);
  } catch (error) {
    tellProblem(error);
  }
}

export async function steerAll(place: Place, action: SchedulesAction, told: string): Promise<void> {
  try {
    await actOnSchedules(place, action);
    tell(told);
  } catch (error) {
    tellProblem(error);
  }
}

export type ScheduleState = 'retired' | 'held' | 'disabled' | 'paused' | 'running' | 'failing' | 'enabled';

export const SCHEDULE_STATES: readonly ScheduleState[] = [
  'enabled',
  'running',
  'failing',
  'disabled',
  'paused',
  'held',
  'retired',
];

/** The one that is to be known of it first. */
export function stateOf({
  isRetired,
  heldBecause,
  enabled,
  isPaused,
  current,
  failures,
}: ScheduleSummary): ScheduleState {
  if (isRetired) return 'retired';
  if (heldBecause !== undefined) return 'held';
  if (!enabled) return 'disabled';
  if (isPaused) return 'paused';
  if (current !== undefined) return 'running';
  return failures > 0 ? 'failing' : 'enabled';
}
