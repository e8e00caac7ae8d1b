import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import type { JobView } from '../../api.js';
import { JobState, Progress } from '../elements/state.js';
import { Table } from '../elements/table.js';
import type { Column } from '../elements/table.js';
import { count, counted } from '../format.js';
import { linkTo } from '../route.js';
import type { Place } from '../route.js';
import { shortId } from '../format.js';
import { None, TOOK } from './job-table.js';

type Child = JobView['childSummaries'][number];

const PAGE = 50;

/** The jobs that it has spawned: those that are not over first, then the failures. */
export function Children({
  place,
  job,
}: {
  readonly place: Place;
  readonly job: JobView;
}): JSX.Element | null {
  const [shown, setShown] = useState(PAGE);
  const { children, childSummaries } = job;
  if (children.length === 0) return null;
  const sorted = childSummaries.toSorted((one, other) => RANK[one.state] - RANK[other.state]);
  return (
    <section class="panel" aria-label="Children">
      <h2>
        Children <span class="tally">{count(children.length)}</span>
      </h2>
      <Shares all={childSummaries} total={children.length} />
      <Table
        caption="Children"
        rows={sorted.slice(0, shown)}
        columns={columnsFor(place)}
        keyOf={({ id }) => id}
      />
      {sorted.length > shown ? (
        <button type="button" class="button" onClick={() => setShown(shown + PAGE)}>
          Show {count(Math.min(PAGE, sorted.length - shown))} more
        </button>
      ) : null}
      {children.length > childSummaries.length ? (
        <p class="muted">
          {counted(children.length - childSummaries.length, 'child', 'children')} more are not listed.
        </p>
      ) : null}
    </section>
  );
}

const RANK: Readonly<Record<Child['state'], number>> = { running: 0, failure: 1, waiting: 2, success: 3 };

/** How many are in which state, as one bar. */
function Shares({ all, total }: { readonly all: readonly Child[]; readonly total: number }): JSX.Element {
  const states = ['success', 'failure', 'running', 'waiting'] as const;
  const counts = states.map((state) => ({ state, of: all.filter((child) => child.state === state).length }));
  const told = counts
    .filter(({ of }) => of > 0)
    .map(({ state, of }) => `${count(of)} ${state}`)
    .join(', ');
  let x = 0;
  return (
    <div class="shares">
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false">
        {counts.map(({ state, of }) => {
          const width = (of / total) * 100;
          const left = x;
          x += width;
          return <rect key={state} class={`share-${state}`} x={left} y={0} width={width} height={4} />;
        })}
      </svg>
      <span class="muted">{told}</span>
    </div>
  );
}

function columnsFor(place: Place): Column<Child>[] {
  return [
    { title: 'State', kind: 'state', cell: (child) => <JobState job={child} /> },
    {
      title: 'Child',
      kind: 'job',
      isWide: true,
      cell: ({ id, name, type }) => (
        <a class="job-link" href={linkTo(place, { name: 'job', id: shortId(id) })}>
          <strong>{name}</strong> <span class="muted">{type}</span>
        </a>
      ),
    },
    {
      title: 'Progress',
      kind: 'progress',
      cell: ({ progress, error, state }) =>
        error !== undefined ? (
          <span class="error-message" title={error.message}>
            {error.message}
          </span>
        ) : progress === undefined || state === 'success' ? (
          <None />
        ) : (
          <Progress progress={progress} />
        ),
      isEmpty: ({ progress, error, state }) =>
        (progress === undefined || state === 'success') && error === undefined,
    },
    TOOK,
  ];
}
