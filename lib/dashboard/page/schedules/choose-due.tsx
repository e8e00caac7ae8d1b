import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';

import { Dialog } from '../elements/dialog.js';

export type Due = 'run' | 'reschedule';

interface ChooseDueProps {
  readonly title: string;
  readonly action: string;
  readonly onClose: () => void;
  readonly onChosen: (due: Due) => void;
}

/** What becomes of what was due while nothing was run: that has to be chosen. */
export function ChooseDue({ title, action, onClose, onChosen }: ChooseDueProps): JSX.Element {
  const [due, setDue] = useState<Due>();
  const name = useId();
  const choice = (value: Due, label: string, text: string): JSX.Element => (
    <label class="choice">
      <input
        type="radio"
        name={name}
        value={value}
        checked={due === value}
        onChange={() => setDue(value)}
        required
      />
      <span>
        <strong>{label}</strong>
        <span class="muted">{text}</span>
      </span>
    </label>
  );
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (due === undefined) return;
          onClose();
          onChosen(due);
        }}
      >
        <fieldset class="choices">
          <legend>What became due meanwhile</legend>
          {choice(
            'run',
            'Run what became due',
            'As each schedule makes up for what was missed: once, as a rule.',
          )}
          {choice('reschedule', 'Pass over it', 'The next run is the next that is due from now on.')}
        </fieldset>
        <div class="dialog-actions">
          <button type="button" class="button" onClick={onClose}>
            Back
          </button>
          <button type="submit" class="button primary" disabled={due === undefined}>
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
