import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';

import { count } from '../format.js';
import { CopyButton } from './copy-button.js';
import { tokensOf } from './json-tokens.js';

type Value = Parameters<typeof JSON.stringify>[0];

/** Longer text is cut until it is asked for. */
const MOST = 20_000;

/** A value as indented JSON. It is text, whatever stands in it. */
export function JsonBlock({ value, label }: { readonly value: Value; readonly label: string }): JSX.Element {
  const text = useMemo(() => JSON.stringify(value, null, 2), [value]);
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? text : text.slice(0, MOST);
  const pieces = useMemo(() => coloured(shown), [shown]);
  return (
    <div class="json">
      <pre tabIndex={0} role="region" aria-label={label}>
        <code>{pieces}</code>
      </pre>
      <div class="json-actions">
        {shown.length < text.length ? (
          <button type="button" class="button small" onClick={() => setWhole(true)}>
            Show all {count(text.length)} characters
          </button>
        ) : null}
        <CopyButton text={text} what={label} />
      </div>
    </div>
  );
}

function coloured(text: string): (JSX.Element | string)[] {
  return tokensOf(text).map((token) =>
    token.kind === 'none' ? token.text : <span class={`j-${token.kind}`}>{token.text}</span>,
  );
}
