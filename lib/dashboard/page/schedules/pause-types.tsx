import type { JSX } from 'preact';

import type { SchedulesView } from '../../api.js';
import { confirm, Dialog } from '../elements/dialog.js';
import { counted } from '../format.js';
import type { Place } from '../route.js';
import { steerAll } from './actions.js';

interface PauseTypesProps {
  readonly place: Place;
  readonly view: SchedulesView;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

/** All schedules of a type of jobs start none, or go on. */
export function PauseTypes({ place, view: { schedules }, onClose, onDone }: PauseTypesProps): JSX.Element {
  const types = [...new Set(schedules.map(({ type }) => type))].toSorted();
  const act = async (type: string, of: number, isPaused: boolean): Promise<void> => {
    const isYes =
      isPaused ||
      (await confirm({
        title: `Pause the schedules of ${type}?`,
        text: `${counted(of, 'schedule')} of that type ${of === 1 ? 'starts' : 'start'} no job until they are resumed.`,
        action: 'Pause',
      }));
    if (!isYes) return;
    const told = isPaused ? `Schedules of ${type} go on.` : `Schedules of ${type} are paused.`;
    await steerAll(place, { action: isPaused ? 'resume-type' : 'pause-type', type }, told);
    onDone();
  };
  return (
    <Dialog title="Pause the schedules of a type" onClose={onClose}>
      <p class="dialog-text muted">What becomes due meanwhile is made up for as each schedule says.</p>
      <ul class="lines">
        {types.map((type) => {
          const its = schedules.filter((schedule) => schedule.type === type);
          const isPaused = its.some((schedule) => schedule.isPaused);
          return (
            <li key={type}>
              <strong class="line-name">{type}</strong>
              <span class="muted">{counted(its.length, 'schedule')}</span>
              <button
                type="button"
                class="button small"
                aria-label={isPaused ? `Resume ${type}` : `Pause ${type}`}
                onClick={() => void act(type, its.length, isPaused)}
              >
                {isPaused ? 'Resume' : 'Pause'}
              </button>
            </li>
          );
        })}
      </ul>
    </Dialog>
  );
}
