import type { JSX } from 'preact';

import type { JobDetail } from '../../api.js';
import { Disclosure } from '../elements/disclosure.js';
import { JsonBlock } from '../elements/json.js';

interface ErrorPanelProps {
  readonly error: NonNullable<JobDetail['error']>;
  /** The error as it was stored: with its stack and its cause, where there are any. */
  readonly result: JobDetail['result'];
}

export function ErrorPanel({ error: { type, message }, result }: ErrorPanelProps): JSX.Element {
  const { name, code, stack, ...rest } = partsOf(result);
  const others = Object.entries(rest).filter(([key]) => key !== 'message');
  return (
    <section class="panel error-panel" aria-label="Error">
      <h2>
        {typeof name === 'string' ? name : 'Error'}
        {type === undefined ? null : <span class="tag failure">{type}</span>}
        {typeof code === 'string' ? <span class="tag">{code}</span> : null}
      </h2>
      <p class="error-text">{message}</p>
      {typeof stack === 'string' ? (
        <details open>
          <summary>Stack</summary>
          <pre tabIndex={0} role="region" aria-label="Stack" class="stack">
            {stack}
          </pre>
        </details>
      ) : null}
      {others.length === 0 ? null : (
        <Disclosure summary="More of the error" isOpen={typeof stack !== 'string'}>
          {() => <JsonBlock value={Object.fromEntries(others)} label="More of the error" />}
        </Disclosure>
      )}
    </section>
  );
}

function partsOf(result: JobDetail['result']): Readonly<Record<string, unknown>> {
  return typeof result === 'object' && result !== null && !Array.isArray(result) ? { ...result } : {};
}
