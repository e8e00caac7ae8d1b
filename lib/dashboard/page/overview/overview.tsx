import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import type { InstanceSummary, JobCounts, QueueView } from '../../api.js';
import { getInstances, getQueues, setPaused } from '../client.js';
import { confirm } from '../elements/dialog.js';
import { Icon } from '../elements/icon.js';
import { State } from '../elements/state.js';
import { Ago } from '../elements/time.js';
import { tell, tellProblem } from '../elements/toasts.js';
import { count, duration } from '../format.js';
import { useChanges } from '../live.js';
import { useLiveLoad } from '../load.js';
import { linkTo } from '../route.js';
import type { Place } from '../route.js';
import { isReadOnly } from '../session.js';
import { Heading } from '../shell/heading.js';
import { Charts } from './charts.js';
import { DaysTable, Figures } from './figures.js';
import { LastFinished } from './last-finished.js';

interface OverviewProps {
  readonly place: Place;
  readonly counts: JobCounts | undefined;
}

export function OverviewView({ place, counts }: OverviewProps): JSX.Element {
  return (
    <>
      <Heading
        title={place.service}
        above={place.store}
        beside={counts?.paused === true ? <State tone="warning">paused</State> : undefined}
      >
        {counts === undefined || isReadOnly() ? null : <PauseButton place={place} isPaused={counts.paused} />}
      </Heading>
      <Figures place={place} counts={counts} />
      <Charts />
      <div class="columns">
        <LastFinished place={place} />
        <div class="stack">
          <InstancesPanel place={place} />
          <QueuesPanel place={place} />
          <DaysTable place={place} counts={counts} />
        </div>
      </div>
    </>
  );
}

function PauseButton({
  place,
  isPaused,
}: {
  readonly place: Place;
  readonly isPaused: boolean;
}): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const act = async (): Promise<void> => {
    if (isBusy) return;
    const isYes = await confirm(
      isPaused
        ? {
            title: `Resume ${place.service}?`,
            text: 'Jobs are begun again, by all of its instances.',
            action: 'Resume',
          }
        : {
            title: `Pause ${place.service}?`,
            text: 'None of its instances begins a job until it is resumed. What runs goes on, and what comes in waits.',
            action: 'Pause',
          },
    );
    if (!isYes) return;
    setBusy(true);
    try {
      await setPaused(place, !isPaused);
      tell(isPaused ? 'The service goes on.' : 'The service is being paused.');
    } catch (error) {
      tellProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <button
      type="button"
      class={isPaused ? 'button primary' : 'button'}
      aria-disabled={isBusy}
      onClick={() => void act()}
    >
      <Icon name={isPaused ? 'play' : 'pause'} /> {isPaused ? 'Resume' : 'Pause'}
    </button>
  );
}

function InstancesPanel({ place }: { readonly place: Place }): JSX.Element {
  const { data = [], reload } = useLiveLoad('instances', (signal) => getInstances(place, signal));
  useChanges('instances', reload);
  return (
    <section class="panel" aria-label="Instances">
      <h2>
        Instances
        <a class="more" href={linkTo(place, { name: 'instances' })}>
          all
        </a>
      </h2>
      {data.length === 0 ? <p class="muted">None is running: jobs wait until one is started.</p> : null}
      <ul class="lines">
        {data.slice(0, 6).map((instance) => (
          <InstanceLine key={instance.instance} instance={instance} />
        ))}
      </ul>
    </section>
  );
}

function InstanceLine({
  instance: { host, pid, instance, state, running, concurrency, heard },
}: {
  readonly instance: InstanceSummary;
}): JSX.Element {
  return (
    <li>
      <State tone={state === 'alive' ? 'success' : 'warning'}>{state}</State>
      <span class="line-name" title={instance}>
        {host ?? instance}
        {pid === undefined ? null : <span class="muted"> · {pid}</span>}
      </span>
      <span class="muted">
        {state === 'alive' || heard === undefined ? (
          `${count(running)}${concurrency === undefined ? '' : ` of ${count(concurrency)}`} busy`
        ) : (
          <Ago time={heard} />
        )}
      </span>
    </li>
  );
}

function QueuesPanel({ place }: { readonly place: Place }): JSX.Element | null {
  const { data = [], reload } = useLiveLoad('queues', (signal) => getQueues(place, signal));
  useChanges('queues', reload);
  if (data.length === 0) return null;
  return (
    <section class="panel" aria-label="Queues">
      <h2>
        Queues
        <a class="more" href={linkTo(place, { name: 'queues' })}>
          all
        </a>
      </h2>
      <ul class="lines">
        {data.slice(0, 6).map((queue) => (
          <QueueLine key={queue.queue} queue={queue} />
        ))}
      </ul>
    </section>
  );
}

function QueueLine({ queue: { queue, domain, health } }: { readonly queue: QueueView }): JSX.Element {
  return (
    <li>
      <State tone={health.ok ? 'success' : 'failure'}>{health.ok ? 'ok' : 'failing'}</State>
      <span class="line-name" title={domain}>
        {queue}
      </span>
      <span class="muted">{health.ok ? duration(health.took) : 'no answer'}</span>
    </li>
  );
}
