import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';

import type { JobCounts } from '../../api.js';
import { useCurrentInView } from '../elements/current-in-view.js';
import { Icon } from '../elements/icon.js';
import type { IconName } from '../elements/icon.js';
import { Notice } from '../elements/notice.js';
import { useNow } from '../elements/time.js';
import { count } from '../format.js';
import { InstancesView } from '../instances/instances.js';
import { JobView } from '../jobs/job.js';
import { JobsView } from '../jobs/jobs.js';
import { LiveConnection, LiveProvider, useLive } from '../live.js';
import { OverviewView } from '../overview/overview.js';
import { QueuesView } from '../queues/queues.js';
import { linkTo } from '../route.js';
import type { Place, Route, View } from '../route.js';
import { ScheduleView } from '../schedules/schedule.js';
import { SchedulesView } from '../schedules/schedules.js';
import { useStore } from '../store.js';
import { Frame } from './frame.js';

type ServiceRoute = Extract<Route, { readonly name: 'service' }>;

/** All of a service's views, and the one live connection that they share. */
export function ServiceFrame({ route }: { readonly route: ServiceRoute }): JSX.Element {
  const { place, view } = route;
  const live = useMemo(() => new LiveConnection(place), []);
  const [counts, setCounts] = useState<JobCounts>();
  useEffect(() => {
    const end = live.on('counts', setCounts);
    live.start();
    return () => {
      end();
      live.stop();
    };
  }, [live]);
  return (
    <LiveProvider value={live}>
      <Frame nav={<Nav place={place} view={view} counts={counts} />} banners={<Banners counts={counts} />}>
        <ViewOf route={route} counts={counts} />
      </Frame>
    </LiveProvider>
  );
}

function ViewOf({
  route,
  counts,
}: {
  readonly route: ServiceRoute;
  readonly counts: JobCounts | undefined;
}): JSX.Element {
  const { place, view, query } = route;
  switch (view.name) {
    case 'overview':
      return <OverviewView place={place} counts={counts} />;
    case 'jobs':
      return <JobsView place={place} list={view.list} query={query} counts={counts} />;
    case 'job':
      return <JobView key={view.id} place={place} id={view.id} />;
    case 'queues':
      return <QueuesView place={place} />;
    case 'instances':
      return <InstancesView place={place} />;
    case 'schedules':
      return <SchedulesView place={place} query={query} />;
    case 'schedule':
      return <ScheduleView key={view.key} place={place} name={view.key} />;
  }
}

interface Entry {
  readonly title: string;
  readonly icon: IconName;
  readonly view: View;
  readonly isAt: (view: View) => boolean;
}

const ENTRIES: readonly Entry[] = [
  {
    title: 'Overview',
    icon: 'overview',
    view: { name: 'overview' },
    isAt: ({ name }) => name === 'overview',
  },
  {
    title: 'Jobs',
    icon: 'jobs',
    view: { name: 'jobs', list: 'pending' },
    isAt: ({ name }) => name === 'jobs' || name === 'job',
  },
  {
    title: 'Schedules',
    icon: 'schedules',
    view: { name: 'schedules' },
    isAt: ({ name }) => name === 'schedules' || name === 'schedule',
  },
  { title: 'Queues', icon: 'queues', view: { name: 'queues' }, isAt: ({ name }) => name === 'queues' },
  {
    title: 'Instances',
    icon: 'instances',
    view: { name: 'instances' },
    isAt: ({ name }) => name === 'instances',
  },
];

interface NavProps {
  readonly place: Place;
  readonly view: View;
  readonly counts: JobCounts | undefined;
}

function Nav({ place, view, counts }: NavProps): JSX.Element {
  const links = useCurrentInView<HTMLUListElement>(view.name);
  return (
    <nav class="nav" aria-label={`Service ${place.service}`}>
      <div class="place">
        <strong title={place.service}>{place.service}</strong>
        <span class="muted" title={place.store}>
          {place.store}
        </span>
        <LiveSign />
      </div>
      <ul ref={links}>
        {ENTRIES.map((entry) => (
          <li key={entry.title}>
            <a href={linkTo(place, entry.view)} aria-current={entry.isAt(view) ? 'page' : undefined}>
              <Icon name={entry.icon} />
              <span>{entry.title}</span>
              <Tally title={entry.title} counts={counts} />
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Tally({
  title,
  counts,
}: {
  readonly title: string;
  readonly counts: JobCounts | undefined;
}): JSX.Element | null {
  if (counts === undefined) return null;
  if (title === 'Jobs') return <span class="tally">{count(counts.pending)}</span>;
  if (title === 'Instances') return <span class="tally">{count(counts.instances.alive)}</span>;
  return null;
}

/** That what is shown is what there is. */
function LiveSign(): JSX.Element {
  const { state } = useStore(useLive().status);
  const words = { opening: 'Connecting', live: 'Live', lost: 'Offline' };
  return <span class={`live-sign ${state}`}>{words[state]}</span>;
}

function Banners({ counts }: { readonly counts: JobCounts | undefined }): JSX.Element {
  const live = useLive();
  const status = useStore(live.status);
  const problem = useStore(live.storeProblem);
  return (
    <>
      {status.state === 'lost' ? <LostBanner retryAt={status.retryAt} onRetry={() => live.open()} /> : null}
      {problem !== undefined && status.state !== 'lost' ? (
        <Notice tone="warning" title="The dashboard hears nothing of the store.">
          What you see may be out of date: {problem}
        </Notice>
      ) : null}
      {counts?.paused === true ? (
        <Notice tone="note" title="The service is paused.">
          No job is begun; those that run go on.
        </Notice>
      ) : null}
    </>
  );
}

function LostBanner({
  retryAt,
  onRetry,
}: {
  readonly retryAt: number;
  readonly onRetry: () => void;
}): JSX.Element {
  const seconds = Math.max(0, Math.ceil((retryAt - useNow()) / 1000));
  return (
    <div class="notice problem" role="status">
      <Icon name="warning" />
      <div class="notice-text">
        <strong>The connection is lost.</strong>
        <span>
          What you see may be out of date. <span aria-hidden="true">Trying again in {seconds} s.</span>
        </span>
      </div>
      <button type="button" class="button" onClick={onRetry}>
        Try now
      </button>
    </div>
  );
}
