import type { JSX } from 'preact';

import type { SchedulesView } from '../../api.js';
import { Dialog } from '../elements/dialog.js';
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
  const act = (type: string, isPaused: boolean): void => {
    const told = isPaused ? `Schedules of ${type} go on.` : `Schedules of ${type} are paused.`;
    void steerAll(place, { action: isPaused ? 'resume-type' : 'pause-type', type }, told).then(onDone);
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
                onClick={() => act(type, isPaused)}
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
