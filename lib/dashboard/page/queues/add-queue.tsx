import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import { addQueue, messageOf } from '../client.js';
import { Dialog } from '../elements/dialog.js';
import { TextField } from '../elements/field.js';
import { tell } from '../elements/toasts.js';
import type { Place } from '../router.js';

interface AddQueueProps {
  readonly place: Place;
  readonly onClose: () => void;
  readonly onAdded: () => void;
}

export function AddQueue({ place, onClose, onAdded }: AddQueueProps): JSX.Element {
  const [queue, setQueue] = useState('');
  const [domain, setDomain] = useState('');
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const add = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await addQueue(place, { queue: queue.trim(), domain: domain.trim(), token });
    } catch (error) {
      setProblem(messageOf(error));
      setBusy(false);
      return;
    }
    tell(`The queue ${queue.trim()} is added.`);
    onAdded();
    onClose();
  };
  return (
    <Dialog title="Add a queue" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void add();
        }}
      >
        <TextField
          label="Name"
          value={queue}
          onText={setQueue}
          hint="What it is called in the list of queues: no blanks, no slashes."
          isRequired
        />
        <TextField
          label="Store"
          value={domain}
          onText={setDomain}
          placeholder="oada.example.org"
          hint="A name, or an address with http:// or https://."
          isRequired
        />
        <TextField
          label="Token"
          type="password"
          value={token}
          onText={setToken}
          autocomplete="new-password"
          hint="Of the user whose jobs are to be watched. It goes into the store and is never shown again."
          isRequired
        />
        <p class="form-problem" role="alert">
          {problem}
        </p>
        <div class="dialog-actions">
          <button type="button" class="button" onClick={onClose}>
            Back
          </button>
          <button type="submit" class="button primary" disabled={isBusy}>
            {isBusy ? 'Adding …' : 'Add'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
