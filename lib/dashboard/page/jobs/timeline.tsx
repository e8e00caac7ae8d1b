import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import type { JobDetail } from '../../api.js';
import { absolute, clockTime, count, duration } from '../format.js';

type Update = JobDetail['updates'][number];

/** How many of them are shown before more is asked for: the last ones. */
const PAGE = 100;
const LONG_META = 120;

interface TimelineProps {
  readonly updates: readonly Update[];
  /** More may come. */
  readonly isOpen: boolean;
}

/** What the job has told, in the order of time; the latest stands at the end, as in a log. */
export function Timeline({ updates, isOpen }: TimelineProps): JSX.Element {
  const [shown, setShown] = useState(PAGE);
  const first = updates[0];
  const hidden = Math.max(0, updates.length - shown);
  return (
    <section class="panel" aria-label="Timeline">
      <h2>
        Timeline <span class="tally">{count(updates.length)}</span>
      </h2>
      {hidden === 0 ? null : (
        <button type="button" class="button" onClick={() => setShown(shown + PAGE)}>
          Show {count(Math.min(PAGE, hidden))} earlier
        </button>
      )}
      {first === undefined ? <p class="muted">Nothing has been told yet.</p> : null}
      <ol class={isOpen ? 'timeline is-open' : 'timeline'}>
        {updates.slice(hidden).map((update) => (
          <Line key={update.key} update={update} since={first?.time} />
        ))}
      </ol>
    </section>
  );
}

const TONES: Readonly<Record<string, string>> = {
  success: 'success',
  failure: 'failure',
  started: 'running',
  error: 'failure',
};

function Line({
  update: { status, time, meta },
  since,
}: {
  readonly update: Update;
  readonly since: string | undefined;
}): JSX.Element {
  const after = since === undefined ? 0 : Date.parse(time) - Date.parse(since);
  return (
    <li class={Object.hasOwn(TONES, status) ? TONES[status] : undefined}>
      <time dateTime={time} title={absolute(time)}>
        {clockTime(time)}
      </time>
      <span class="timeline-after muted">{after > 0 ? `+${duration(after)}` : ''}</span>
      <span class="timeline-text">
        <strong>{status}</strong> {meta === undefined || meta === null ? null : <Meta meta={meta} />}
      </span>
    </li>
  );
}

function Meta({ meta }: { readonly meta: NonNullable<Update['meta']> }): JSX.Element {
  const text = typeof meta === 'string' ? meta : JSON.stringify(meta);
  if (text.length <= LONG_META) return <span class={typeof meta === 'string' ? '' : 'mono'}>{text}</span>;
  return (
    <details>
      <summary class="mono">{text.slice(0, LONG_META)}…</summary>
      <pre>{typeof meta === 'string' ? meta : JSON.stringify(meta, null, 2)}</pre>
    </details>
  );
}
