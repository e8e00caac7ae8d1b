import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';

import type { InstanceSummary } from '../../api.js';
import { getInstances } from '../client.js';
import { Empty, WhenLoaded } from '../elements/notice.js';
import { State } from '../elements/state.js';
import { Table } from '../elements/table.js';
import type { Column } from '../elements/table.js';
import { Ago } from '../elements/time.js';
import { count, shortId } from '../format.js';
import { None } from '../jobs/job-table.js';
import { useChanges } from '../live.js';
import { useLiveLoad } from '../load.js';
import { linkTo } from '../route.js';
import type { Place } from '../route.js';
import { Heading } from '../shell/heading.js';

const REFRESH_MS = 5000;

export function InstancesView({ place }: { readonly place: Place }): JSX.Element {
  const instances = useLiveLoad('instances', (signal) => getInstances(place, signal));
  const { reload } = instances;
  useChanges('instances', reload);
  useEffect(() => {
    // A heartbeat that does not come is no event.
    const timer = setInterval(() => {
      if (!document.hidden) reload();
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, [reload]);
  return (
    <>
      <Heading title="Instances" />
      <p class="lead">
        The processes of {place.service} that were not stopped cleanly. What a silent one has begun is taken
        over by another.
      </p>
      <WhenLoaded loaded={instances} what="The instances">
        {(all) =>
          all.length === 0 ? (
            <Empty icon="instances" title="None is running">
              Jobs wait until one is started.
            </Empty>
          ) : (
            <Table
              caption="Instances"
              rows={all}
              keyOf={({ instance }) => instance}
              columns={columnsFor(place)}
            />
          )
        }
      </WhenLoaded>
    </>
  );
}

function columnsFor(place: Place): Column<InstanceSummary>[] {
  return [
    {
      title: 'State',
      kind: 'state',
      cell: ({ state }) => <State tone={state === 'alive' ? 'success' : 'warning'}>{state}</State>,
    },
    {
      title: 'Instance',
      isWide: true,
      kind: 'job',
      cell: ({ instance, host }) => (
        <span class="job-link">
          <strong>{host ?? 'unknown host'}</strong> <span class="mono muted">{instance}</span>
        </span>
      ),
    },
    { title: 'Process', isNumber: true, cell: ({ pid }) => (pid === undefined ? <None /> : String(pid)) },
    {
      title: 'Started',
      isNumber: true,
      cell: ({ started }) => (started === undefined ? <None /> : <Ago time={started} />),
    },
    {
      title: 'Heard',
      isNumber: true,
      cell: ({ heard }) => (heard === undefined ? <None /> : <Ago time={heard} />),
    },
    { title: 'Busy', kind: 'progress', cell: (instance) => <Busy {...instance} /> },
    {
      title: 'Jobs',
      kind: 'running-jobs',
      isWide: true,
      isEmpty: ({ jobs }) => jobs.length === 0,
      cell: ({ jobs, running }) => <RunningJobs place={place} jobs={jobs} running={running} />,
    },
  ];
}

function Busy({ running, concurrency }: InstanceSummary): JSX.Element {
  if (concurrency === undefined || concurrency === 0) return <>{count(running)}</>;
  const told = `${count(running)} of ${count(concurrency)}`;
  return (
    <span class="progress">
      <progress max={concurrency} value={Math.min(running, concurrency)} aria-label={`Busy: ${told}`} />
      <span class="progress-told">{told}</span>
    </span>
  );
}

const MOST_SHOWN = 3;

interface RunningJobsProps {
  readonly place: Place;
  readonly jobs: readonly string[];
  readonly running: number;
}

function RunningJobs({ place, jobs, running }: RunningJobsProps): JSX.Element {
  if (jobs.length === 0) return <None />;
  const shown = jobs.slice(0, MOST_SHOWN);
  return (
    <span class="job-chips">
      {shown.map((id) => (
        <a key={id} class="mono chip" href={linkTo(place, { name: 'job', id: shortId(id) })} title={id}>
          {shortId(id)}
        </a>
      ))}
      {running > shown.length ? (
        <a href={linkTo(place, { name: 'jobs', list: 'running' })}>{count(running - shown.length)} more</a>
      ) : null}
    </span>
  );
}
