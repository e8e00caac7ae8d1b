import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';

interface DisclosureProps {
  readonly summary: ComponentChildren;
  readonly kind?: string;
  readonly isOpen?: boolean;
  /** Made when it is opened for the first time: it may be long. */
  readonly children: () => ComponentChildren;
}

export function Disclosure({ summary, kind, isOpen = false, children }: DisclosureProps): JSX.Element {
  const [isMade, setMade] = useState(isOpen);
  return (
    <details
      class={kind}
      open={isOpen}
      onToggle={(event) => {
        if (event.currentTarget.open) setMade(true);
      }}
    >
      <summary>{summary}</summary>
      {isMade ? children() : null}
    </details>
  );
}
