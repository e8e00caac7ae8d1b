import type { JSX } from 'preact';

import type { JobSummary } from '../../api.js';
import { JobState, Progress } from '../elements/state.js';
import { Table } from '../elements/table.js';
import type { Column, Selection } from '../elements/table.js';
import { Ago, Running } from '../elements/time.js';
import { count, duration, shortId, userName } from '../format.js';
import { linkTo } from '../route.js';
import type { ListName, Place } from '../route.js';

interface JobTableProps {
  readonly place: Place;
  readonly caption: string;
  readonly jobs: readonly JobSummary[];
  readonly list: ListName | 'mixed';
  readonly selection?: Selection | undefined;
}

export function JobTable({ place, caption, jobs, list, selection }: JobTableProps): JSX.Element {
  return (
    <Table
      caption={caption}
      rows={jobs}
      columns={columnsFor(place, list)}
      keyOf={({ id }) => id}
      nameOf={({ type, id }) => `${type} ${shortId(id)}`}
      selection={selection}
    />
  );
}

function JobLink({
  place,
  job,
}: {
  readonly place: Place;
  readonly job: Pick<JobSummary, 'id' | 'type' | 'key'>;
}): JSX.Element {
  return (
    <a class="job-link" href={linkTo(place, { name: 'job', id: shortId(job.id) })}>
      <strong>{job.type === '' ? 'no type' : job.type}</strong>
      <span class="mono muted" title={job.key}>
        {job.key}
      </span>
    </a>
  );
}

function columnsFor(place: Place, list: ListName | 'mixed'): Column<JobSummary>[] {
  const isOver = list === 'success' || list === 'failure' || list === 'mixed';
  const owner = list === 'mixed' ? [] : [OWNER];
  return [
    { title: 'State', kind: 'state', cell: (job) => <JobState job={job} /> },
    { title: 'Job', kind: 'job', isWide: true, cell: (job) => <JobLink place={place} job={job} /> },
    ...middleOf(list),
    ...owner,
    isOver ? FINISHED : STARTED,
    {
      title: 'Took',
      isNumber: true,
      cell: (job) => <Took job={job} />,
      isEmpty: ({ started }) => started === undefined,
    },
  ];
}

function middleOf(list: ListName | 'mixed'): readonly Column<JobSummary>[] {
  if (list === 'success') return [];
  return list === 'failure' || list === 'mixed' ? [ERROR] : [PROGRESS];
}

const OWNER: Column<JobSummary> = {
  title: 'Owner',
  kind: 'owner',
  cell: ({ owner }) => (owner === undefined ? <None /> : userName(owner)),
  isEmpty: ({ owner }) => owner === undefined,
};

const ERROR: Column<JobSummary> = {
  title: 'Error',
  kind: 'error',
  isWide: true,
  cell: ({ error }) => (error === undefined ? <None /> : <ErrorCell {...error} />),
  isEmpty: ({ error }) => error === undefined,
};

const PROGRESS: Column<JobSummary> = {
  title: 'Progress',
  kind: 'progress',
  cell: ({ progress, error, attempts, state }) =>
    error !== undefined ? (
      <ErrorCell {...error} />
    ) : progress === undefined || state === 'success' ? (
      attempts > 1 ? (
        <span class="muted">attempt {count(attempts)}</span>
      ) : (
        <None />
      )
    ) : (
      <Progress progress={progress} />
    ),
  isEmpty: ({ progress, error, attempts, state }) =>
    (progress === undefined || state === 'success') && error === undefined && attempts <= 1,
};

const FINISHED: Column<JobSummary> = {
  title: 'Finished',
  isNumber: true,
  kind: 'when',
  cell: ({ finished }) => (finished === undefined ? <None /> : <Ago time={finished} />),
};

const STARTED: Column<JobSummary> = {
  title: 'Start',
  isNumber: true,
  kind: 'when',
  cell: ({ started, startAfter, state }) =>
    started !== undefined && state !== 'waiting' ? (
      <Ago time={started} />
    ) : startAfter !== undefined ? (
      <Ago time={startAfter} />
    ) : (
      <None />
    ),
  isEmpty: ({ started, startAfter }) => started === undefined && startAfter === undefined,
};

function Took({ job: { started, duration: took, state } }: { readonly job: JobSummary }): JSX.Element {
  if (took !== undefined) return <>{duration(took)}</>;
  if (state === 'running' && started !== undefined) return <Running since={started} />;
  return <None />;
}

type ProblemOf = NonNullable<JobSummary['error']>;

function ErrorCell({ type, message }: ProblemOf): JSX.Element {
  return (
    <span class="error-cell">
      {type === undefined ? null : <span class="tag failure">{type}</span>}
      <span class="error-message" title={message}>
        {message}
      </span>
    </span>
  );
}

/** What is over tells how long it took. */
export const TOOK: Column<{ readonly duration?: number }> = {
  title: 'Took',
  isNumber: true,
  cell: ({ duration: took }) => (took === undefined ? <None /> : duration(took)),
  isEmpty: ({ duration: took }) => took === undefined,
};

export function None(): JSX.Element {
  return (
    <span class="none" aria-label="none">
      –
    </span>
  );
}
