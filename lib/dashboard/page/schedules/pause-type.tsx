import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import type { SchedulesView } from '../../api.js';
import { Dialog } from '../elements/dialog.js';
import { Field } from '../elements/field.js';
import type { Place } from '../router.js';
import { steerAll } from './actions.js';

interface PauseTypeProps {
  readonly place: Place;
  readonly view: SchedulesView;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

/** All schedules of a type of jobs start none, or go on. */
export function PauseType({ place, view, onClose, onDone }: PauseTypeProps): JSX.Element {
  const types = [...new Set(view.schedules.map(({ type }) => type))].toSorted();
  const [type, setType] = useState(types[0] ?? '');
  const act = (action: 'pause-type' | 'resume-type'): void => {
    onClose();
    const told = action === 'pause-type' ? `Schedules of ${type} are paused.` : `Schedules of ${type} go on.`;
    void steerAll(place, { action, type }, told).then(onDone);
  };
  return (
    <Dialog title="Pause the schedules of a type" onClose={onClose}>
      <Field
        label="Type of jobs"
        hint="What becomes due while it is paused is made up for as each schedule says."
      >
        {(id, hint) => (
          <select
            {...{ id }}
            aria-describedby={hint}
            class="input"
            value={type}
            onChange={(event) => setType(event.currentTarget.value)}
          >
            {types.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        )}
      </Field>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={() => act('resume-type')}>
          Resume
        </button>
        <button type="button" class="button primary" onClick={() => act('pause-type')}>
          Pause
        </button>
      </div>
    </Dialog>
  );
}
