import type { JSX } from 'preact';

import type { HistoryEntry } from '../../api.js';
import { Empty } from '../elements/notice.js';
import { Outcome } from '../elements/state.js';
import { Table } from '../elements/table.js';
import { Ago } from '../elements/time.js';
import { absolute, counted, shortId } from '../format.js';
import { None, TOOK } from '../jobs/job-table.js';
import { linkTo } from '../route.js';
import type { Place } from '../route.js';

interface HistoryProps {
  readonly place: Place;
  readonly history: readonly HistoryEntry[];
}

/** The latest first. */
export function History({ place, history }: HistoryProps): JSX.Element {
  if (history.length === 0) return <Empty icon="schedules" title="It has not been run yet" />;
  return (
    <Table
      caption="History"
      rows={history}
      keyOf={({ occurrence }) => occurrence}
      columns={[
        { title: 'Outcome', kind: 'state', cell: ({ outcome }) => <Outcome outcome={outcome} /> },
        {
          title: 'Due (UTC)',
          isWide: true,
          kind: 'job',
          cell: (entry) => <Occurrence place={place} entry={entry} />,
        },
        {
          title: 'Output',
          isWide: true,
          kind: 'error',
          cell: (entry) => <Output entry={entry} />,
          isEmpty: hasNoOutput,
        },
        {
          title: 'Ended',
          isNumber: true,
          kind: 'when',
          cell: ({ ended }) => (ended === undefined ? <None /> : <Ago time={ended} />),
        },
        TOOK,
      ]}
    />
  );
}

function Occurrence({
  place,
  entry: { occurrence, job },
}: {
  readonly place: Place;
  readonly entry: HistoryEntry;
}): JSX.Element {
  // A time that it was due at, or the id of somebody's request.
  const name = Number.isNaN(Date.parse(occurrence)) ? 'asked for' : absolute(occurrence).replace(' UTC', '');
  if (job === undefined) return <span title={occurrence}>{name}</span>;
  return (
    <a class="job-link" href={linkTo(place, { name: 'job', id: shortId(job) })} title={occurrence}>
      {name}
    </a>
  );
}

function hasNoOutput({ output, message, count }: HistoryEntry): boolean {
  return output === undefined && message === undefined && count === undefined;
}

function Output({ entry }: { readonly entry: HistoryEntry }): JSX.Element {
  const { output, message, failureType, count } = entry;
  if (hasNoOutput(entry)) return <None />;
  return (
    <span class="error-cell">
      {failureType === undefined ? null : <span class="tag failure">{failureType}</span>}
      {count === undefined ? null : <span class="muted">{counted(count, 'occurrence')}</span>}
      {message === undefined ? null : (
        <span class="error-message" title={message}>
          {message}
        </span>
      )}
      {output === undefined ? null : <OutputText text={output} />}
    </span>
  );
}

const SHORT = 80;

function OutputText({ text }: { readonly text: string }): JSX.Element {
  if (text.length <= SHORT) return <code>{text}</code>;
  return (
    <details>
      <summary>
        <code>{text.slice(0, SHORT)}…</code>
      </summary>
      <pre>{text}</pre>
    </details>
  );
}
