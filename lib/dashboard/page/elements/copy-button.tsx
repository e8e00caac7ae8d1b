import type { JSX } from 'preact';

import { Icon } from './icon.js';
import { tell, tellProblem } from './toasts.js';

/** Not there where the browser has no clipboard for the page: over HTTP without TLS, from another machine. */
export function CopyButton({
  text,
  what,
}: {
  readonly text: string;
  /** As in `Copy the id`. */
  readonly what: string;
}): JSX.Element | null {
  if (!('clipboard' in navigator)) return null;
  return (
    <button
      type="button"
      class="button quiet icon-only small"
      aria-label={`Copy ${what}`}
      title="Copy"
      onClick={() => copy(text)}
    >
      <Icon name="copy" />
    </button>
  );
}

function copy(text: string): void {
  navigator.clipboard.writeText(text).then(
    () => tell('Copied.'),
    () => tellProblem(new Error('The browser does not let this page write to the clipboard.')),
  );
}
