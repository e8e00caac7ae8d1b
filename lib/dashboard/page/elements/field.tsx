import type { ComponentChildren, JSX, TargetedInputEvent } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';

interface FieldProps {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly children: (id: string, hintId: string | undefined) => ComponentChildren;
}

export function Field({ label, hint, children }: FieldProps): JSX.Element {
  const id = useId();
  const hintId = hint === undefined ? undefined : `${id}-hint`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(id, hintId)}
      {hint === undefined ? null : (
        <small id={hintId} class="muted">
          {hint}
        </small>
      )}
    </div>
  );
}

interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onText: (text: string) => void;
  readonly type?: 'text' | 'password';
  readonly hint?: string;
  readonly placeholder?: string;
  readonly isRequired?: boolean;
  readonly autocomplete?: string;
  readonly list?: readonly string[];
}

export function TextField(props: TextFieldProps): JSX.Element {
  const { label, value, onText, type = 'text', hint, placeholder, isRequired = false, list = [] } = props;
  const listId = useId();
  return (
    <Field label={label} hint={hint}>
      {(id, hintId) => {
        const input = {
          ...{ id, value, placeholder, class: 'input', required: isRequired, spellcheck: false },
          autocomplete: props.autocomplete ?? 'off',
          'aria-describedby': hintId,
          onInput: (event: TargetedInputEvent<HTMLInputElement>) => onText(event.currentTarget.value),
        };
        if (type === 'password') return <input {...input} type="password" />;
        return (
          <>
            <input {...input} type="text" list={list.length > 0 ? listId : undefined} />
            <Options id={listId} values={list} />
          </>
        );
      }}
    </Field>
  );
}

function Options({
  id,
  values,
}: {
  readonly id: string;
  readonly values: readonly string[];
}): JSX.Element | null {
  if (values.length === 0) return null;
  return (
    <datalist id={id}>
      {values.map((value) => (
        <option key={value} value={value} />
      ))}
    </datalist>
  );
}

interface FilterFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly type?: 'search' | 'text' | 'date';
  readonly values?: readonly string[];
  readonly kind?: string;
  readonly max?: string;
  /** Half of it is of no use: it is told of with Enter, when the field is left, or when one of the values is chosen. */
  readonly isWhole?: boolean;
}

const TYPING_MS = 300;

/** Tells of what was typed when nothing has been typed for a moment. */
export function FilterField({
  label,
  value,
  onValue,
  type = 'text',
  values = [],
  kind = '',
  max,
  isWhole = false,
}: FilterFieldProps): JSX.Element {
  const id = useId();
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value || (isWhole && text !== '' && !values.includes(text))) return undefined;
    const timer = setTimeout(() => onValue(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div class={`filter ${kind}`}>
      <label for={id} class={type === 'search' ? 'visually-hidden' : undefined}>
        {label}
      </label>
      <input
        {...{ id, type, max }}
        class={text === '' ? 'input' : 'input is-set'}
        value={text}
        placeholder={type === 'search' ? label : type === 'text' ? 'any' : undefined}
        autocomplete="off"
        spellcheck={false}
        data-search={type === 'search' ? '' : undefined}
        list={values.length > 0 ? `${id}-list` : undefined}
        onInput={(event) => setText(event.currentTarget.value)}
        onBlur={() => {
          if (text !== value) onValue(text);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onValue(text);
        }}
      />
      <Options id={`${id}-list`} values={values} />
    </div>
  );
}
