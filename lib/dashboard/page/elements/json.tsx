import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';

import { count } from '../format.js';
import { Icon } from './icon.js';
import { tell, tellProblem } from './toasts.js';

type Value = Parameters<typeof JSON.stringify>[0];

/** Longer text is cut until it is asked for. */
const MOST = 20_000;
/** A string with the colon that makes it a name, a string, another value. */
const TOKENS = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

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
        <button
          type="button"
          class="button quiet icon-only small"
          aria-label={`Copy ${label}`}
          title="Copy"
          onClick={() => copy(text)}
        >
          <Icon name="copy" />
        </button>
      </div>
    </div>
  );
}

function coloured(text: string): (JSX.Element | string)[] {
  const pieces: (JSX.Element | string)[] = [];
  let end = 0;
  for (const match of text.matchAll(TOKENS)) {
    const [token, string, colon] = match;
    if (match.index > end) pieces.push(text.slice(end, match.index));
    const kind = string === undefined ? 'j-value' : colon === undefined ? 'j-text' : 'j-name';
    pieces.push(<span class={kind}>{token}</span>);
    end = match.index + token.length;
  }
  return [...pieces, text.slice(end)];
}

export function copy(text: string): void {
  navigator.clipboard.writeText(text).then(
    () => tell('Copied.'),
    () => tellProblem(new Error('The browser does not let this page write to the clipboard.')),
  );
}
