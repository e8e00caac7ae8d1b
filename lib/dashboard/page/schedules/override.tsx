import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import type { ScheduleSummary, TimingRequest } from '../../api.js';
import { actOnSchedule, messageOf } from '../client.js';
import { Dialog } from '../elements/dialog.js';
import { Field, TextField } from '../elements/field.js';
import { tell } from '../elements/toasts.js';
import type { Place } from '../route.js';

type Kind = 'cron' | 'every' | 'at' | 'manual';

const KINDS: readonly { readonly kind: Kind; readonly name: string }[] = [
  { kind: 'cron', name: 'Cron' },
  { kind: 'every', name: 'Every so often' },
  { kind: 'at', name: 'At times of the day' },
  { kind: 'manual', name: 'Only when asked to' },
];

interface Draft {
  readonly kind: Kind;
  readonly cron: string;
  readonly every: string;
  readonly at: string;
  readonly timeZone: string;
}

function timingOf({ kind, cron, every, at, timeZone }: Draft): TimingRequest {
  const zone = timeZone.trim() === '' ? {} : { timeZone: timeZone.trim() };
  switch (kind) {
    case 'cron':
      return { cron: cron.trim(), ...zone };
    case 'every':
      return { every: every.trim().replaceAll(' ', '') };
    case 'at':
      return { at: at.split(/[\s,]+/).filter((time) => time !== ''), ...zone };
    case 'manual':
      return { manual: true };
  }
}

interface OverrideProps {
  readonly place: Place;
  readonly schedule: ScheduleSummary;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

/** Another timing than that of the code. Whether it is one, the server says. */
export function Override({ place, schedule, onClose, onDone }: OverrideProps): JSX.Element {
  const [draft, setDraft] = useState<Draft>({ kind: 'cron', cron: '', every: '', at: '', timeZone: '' });
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const send = async (timing: TimingRequest | null, told: string): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await actOnSchedule(place, schedule.key, { action: 'override', timing });
    } catch (error) {
      setProblem(messageOf(error));
      setBusy(false);
      return;
    }
    tell(told);
    onDone();
    onClose();
  };
  return (
    <Dialog title={`Timing of ${schedule.key}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send(timingOf(draft), 'The timing is overridden.');
        }}
      >
        <p class="muted">
          By its code: <span class="mono">{schedule.timing}</span>
        </p>
        <DraftFields draft={draft} onDraft={setDraft} />
        <p class="form-problem" role="alert">
          {problem}
        </p>
        <div class="dialog-actions">
          {schedule.override === undefined ? null : (
            <button
              type="button"
              class="button"
              disabled={isBusy}
              onClick={() => void send(null, 'It has the timing of its code again.')}
            >
              Timing of the code again
            </button>
          )}
          <button type="submit" class="button primary" disabled={isBusy}>
            Override
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface DraftFieldsProps {
  readonly draft: Draft;
  readonly onDraft: (draft: Draft) => void;
}

function DraftFields({ draft, onDraft }: DraftFieldsProps): JSX.Element {
  const { kind } = draft;
  const set = (part: Partial<Draft>): void => onDraft({ ...draft, ...part });
  return (
    <>
      <Field label="Due">
        {(id) => (
          <select
            id={id}
            class="input"
            value={kind}
            onChange={({ currentTarget }) =>
              set({ kind: KINDS.find((one) => one.kind === currentTarget.value)?.kind ?? 'cron' })
            }
          >
            {KINDS.map((one) => (
              <option key={one.kind} value={one.kind}>
                {one.name}
              </option>
            ))}
          </select>
        )}
      </Field>
      {kind === 'manual' ? null : <TimingField key={kind} {...{ kind, draft, onDraft }} />}
      {kind === 'cron' || kind === 'at' ? (
        <TextField
          label="Time zone"
          value={draft.timeZone}
          onText={(timeZone) => onDraft({ ...draft, timeZone })}
          placeholder="UTC"
          hint="Like Europe/Paris; UTC where it is left empty."
          list={ZONES}
        />
      ) : null}
    </>
  );
}

const ZONES = Intl.supportedValuesOf('timeZone');

const FIELDS = {
  cron: {
    label: 'Cron',
    placeholder: '0 7 * * 1-5',
    hint: 'Minute, hour, day of the month, month, day of the week; a second may stand before them.',
  },
  every: { label: 'Every', placeholder: '30m', hint: 'Like 30s, 15m, 6h or 1d.' },
  at: { label: 'Times', placeholder: '07:00, 19:30', hint: 'Of each day, one or more.' },
} as const;

function TimingField({
  kind,
  draft,
  onDraft,
}: DraftFieldsProps & { readonly kind: keyof typeof FIELDS }): JSX.Element {
  return (
    <TextField
      {...FIELDS[kind]}
      value={draft[kind]}
      onText={(text) => onDraft({ ...draft, [kind]: text })}
      isRequired
    />
  );
}
