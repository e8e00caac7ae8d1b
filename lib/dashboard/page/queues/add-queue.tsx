import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import type { NewQueue } from '../../api.js';
import { addQueue, messageOf } from '../client.js';
import { Dialog } from '../elements/dialog.js';
import { TextField } from '../elements/field.js';
import { tell } from '../elements/toasts.js';
import type { Place } from '../route.js';

interface AddQueueProps {
  readonly place: Place;
  readonly onClose: () => void;
  readonly onAdded: () => void;
}

export function AddQueue({ place, onClose, onAdded }: AddQueueProps): JSX.Element {
  const [draft, setDraft] = useState<NewQueue>({ queue: '', domain: '', token: '' });
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const add = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    const queue = draft.queue.trim();
    try {
      await addQueue(place, { queue, domain: draft.domain.trim(), token: draft.token });
    } catch (error) {
      setProblem(messageOf(error));
      setBusy(false);
      return;
    }
    tell(`The queue ${queue} is added.`);
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
        <DraftFields draft={draft} onDraft={setDraft} />
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

interface DraftFieldsProps {
  readonly draft: NewQueue;
  readonly onDraft: (draft: NewQueue) => void;
}

function DraftFields({ draft, onDraft }: DraftFieldsProps): JSX.Element {
  return (
    <>
      <TextField
        label="Name"
        value={draft.queue}
        onText={(queue) => onDraft({ ...draft, queue })}
        hint="What it is called in the list of queues: no blanks, no slashes."
        isRequired
      />
      <TextField
        label="Store"
        value={draft.domain}
        onText={(domain) => onDraft({ ...draft, domain })}
        placeholder="oada.example.org"
        hint="A name, or an address with http:// or https://."
        isRequired
      />
      <TextField
        label="Token"
        type="password"
        value={draft.token}
        onText={(token) => onDraft({ ...draft, token })}
        autocomplete="new-password"
        hint="Of the user whose jobs are to be watched. It goes into the store and is never shown again."
        isRequired
      />
    </>
  );
}
