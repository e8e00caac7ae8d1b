import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';

import type { DayCounts, JobCounts, StoreSummary } from '../../api.js';
import { getCounts, getStores } from '../client.js';
import { Empty, Notice, WhenLoaded } from '../elements/notice.js';
import { State } from '../elements/state.js';
import { Ago } from '../elements/time.js';
import { count, counted, today } from '../format.js';
import { useLoad } from '../load.js';
import { linkTo } from '../route.js';
import type { Place } from '../route.js';
import { Heading } from '../shell/heading.js';
import { followVisibility } from '../visibility.js';

const REFRESH_MS = 15_000;

/** Asks again from time to time while somebody looks, and at once when somebody does again. */
function useRefresh(reload: () => void): void {
  useEffect(() => {
    let timer: ReturnType<typeof setInterval> | undefined;
    const look = (isVisible: boolean): void => {
      clearInterval(timer);
      if (isVisible) timer = setInterval(reload, REFRESH_MS);
    };
    look(!document.hidden);
    const end = followVisibility((isVisible) => {
      look(isVisible);
      if (isVisible) reload();
    });
    return () => {
      end();
      clearInterval(timer);
    };
  }, [reload]);
}

export function Home(): JSX.Element {
  const stores = useLoad('stores', getStores);
  useRefresh(stores.reload);
  return (
    <>
      <Heading title="Services" />
      <WhenLoaded loaded={stores} what="The stores">
        {(all) =>
          all.length === 0 ? (
            <Empty icon="home" title="No store">
              Start the dashboard with the address and the token of one.
            </Empty>
          ) : (
            all.map((store) => <StoreSection key={store.store} store={store} />)
          )
        }
      </WhenLoaded>
    </>
  );
}

function StoreSection({
  store: { store, domain, services, problem },
}: {
  readonly store: StoreSummary;
}): JSX.Element {
  return (
    <section class="store" aria-label={`Store ${store}`}>
      <h2>
        {store} <span class="muted mono">{domain}</span>
      </h2>
      {problem === undefined ? null : (
        <Notice tone="problem" title="This store does not answer as it should.">
          {problem.message}
        </Notice>
      )}
      {services.length === 0 && problem === undefined ? (
        <Empty icon="jobs" title="No service yet">
          One shows up here as soon as it is started, or has a job.
        </Empty>
      ) : null}
      <div class="cards">
        {services.map((service) => (
          <ServiceCard key={service} place={{ store, service }} />
        ))}
      </div>
    </section>
  );
}

function ServiceCard({ place }: { readonly place: Place }): JSX.Element {
  const counts = useLoad(`${place.store} ${place.service}`, (signal) => getCounts(place, signal));
  useRefresh(counts.reload);
  return (
    <article class="card service-card">
      <header>
        <h3>
          <a href={linkTo(place, { name: 'overview' })} class="card-link">
            {place.service}
          </a>
        </h3>
        {counts.data === undefined ? null : <Health counts={counts.data} />}
      </header>
      <WhenLoaded loaded={counts} what="The counts">
        {(known) => <CardFigures counts={known} place={place} />}
      </WhenLoaded>
      {counts.at === undefined ? null : (
        <p class="muted small-text as-of">
          As of <Ago time={new Date(counts.at).toISOString()} />
        </p>
      )}
    </article>
  );
}

function Health({ counts: { paused, instances } }: { readonly counts: JobCounts }): JSX.Element {
  if (paused) return <State tone="warning">paused</State>;
  if (instances.silent > 0) return <State tone="warning">{`${count(instances.silent)} silent`}</State>;
  if (instances.alive === 0) return <State tone="quiet">not running</State>;
  return <State tone="success">{counted(instances.alive, 'instance')}</State>;
}

function CardFigures({ counts, place }: { readonly counts: JobCounts; readonly place: Place }): JSX.Element {
  const day = counts.days.find((one) => one.day === today(Date.now()));
  return (
    <>
      <dl class="figures">
        <Figure name="Pending" value={counts.pending} />
        <Figure name="Running" value={counts.running} tone="running" />
        <Figure name="Success today" value={day?.success ?? 0} />
        <Figure
          name="Failure today"
          value={day?.failure ?? 0}
          tone="failure"
          link={linkTo(place, { name: 'jobs', list: 'failure' })}
        />
      </dl>
      <WeekBars days={counts.days} />
    </>
  );
}

interface FigureProps {
  readonly name: string;
  readonly value: number;
  /** In which it stands unless it is none. */
  readonly tone?: string;
  readonly link?: string;
}

function Figure({ name, value, tone, link }: FigureProps): JSX.Element {
  const figure = count(value);
  return (
    <div class={tone !== undefined && value > 0 ? `figure ${tone}` : 'figure'}>
      <dt>{name}</dt>
      <dd>{link !== undefined && value > 0 ? <a href={link}>{figure}</a> : figure}</dd>
    </div>
  );
}

const BARS = 7;
const HEIGHT = 28;

/** The last days, one bar each: successes, and failures on top. */
function WeekBars({ days }: { readonly days: readonly DayCounts[] }): JSX.Element | null {
  const shown = days.slice(0, BARS).toReversed();
  const most = Math.max(...shown.map(({ success, failure }) => success + failure), 1);
  if (shown.length < 2) return null;
  const total = shown.reduce((sum, { success, failure }) => sum + success + failure, 0);
  return (
    <svg
      class="week-bars"
      viewBox={`0 0 ${BARS * 10} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${counted(total, 'job')} on the last ${counted(shown.length, 'day')} that had any`}
    >
      {shown.map(({ day, success, failure }, index) => {
        const x = (BARS - shown.length + index) * 10 + 1;
        const good = (success / most) * HEIGHT;
        const bad = failure === 0 ? 0 : Math.max(1.5, (failure / most) * HEIGHT);
        return (
          <g key={day}>
            <rect class="bar-success" x={x} width={8} y={HEIGHT - good} height={good} />
            <rect class="bar-failure" x={x} width={8} y={Math.max(0, HEIGHT - good - bad)} height={bad} />
          </g>
        );
      })}
    </svg>
  );
}
