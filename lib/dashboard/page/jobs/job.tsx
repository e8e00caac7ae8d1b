import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

import type { JobDetail, JobView as Job } from '../../api.js';
import { getJob } from '../client.js';
import { Disclosure } from '../elements/disclosure.js';
import { Icon } from '../elements/icon.js';
import { JsonBlock } from '../elements/json.js';
import { Notice, WhenLoaded } from '../elements/notice.js';
import { JobState, Progress } from '../elements/state.js';
import { shortId } from '../format.js';
import { useLiveEvent, useWatchedJobs } from '../live.js';
import { useGathered, useLiveLoad } from '../load.js';
import type { Loaded } from '../load.js';
import { linkTo } from '../route.js';
import { goTo } from '../router.js';
import type { ListName, Place } from '../route.js';
import { isReadOnly } from '../session.js';
import { Heading } from '../shell/heading.js';
import { actOnOne, WORDS } from './actions.js';
import { Children } from './children.js';
import { deedsOfState } from './deeds.js';
import { ErrorPanel } from './error-panel.js';
import { Facts } from './facts.js';
import { isOpen, mayChange } from './is-open.js';
import { Timeline } from './timeline.js';

const CHILDREN_MS = 1500;

interface JobViewProps {
  readonly place: Place;
  /** Its id, with or without `resources/`, or its key. */
  readonly id: string;
}

export function JobView({ place, id }: JobViewProps): JSX.Element {
  const { loaded, job } = useJob(place, id);
  return (
    <>
      <Heading
        title={job === undefined ? 'Job' : job.type === '' ? 'Job without a type' : job.type}
        above={<Above place={place} job={job} />}
        beside={job === undefined ? undefined : <JobState job={job} />}
      >
        {job === undefined || isReadOnly() ? null : (
          <Actions place={place} job={job} reload={loaded.reload} />
        )}
      </Heading>
      <WhenLoaded loaded={loaded} what="The job">
        {() => (job === undefined ? null : <Content place={place} job={job} />)}
      </WhenLoaded>
    </>
  );
}

/** The job as it is now, and its children as they were a moment ago. */
function useJob(place: Place, id: string): { loaded: Loaded<Job>; job: Job | undefined } {
  const loaded = useLiveLoad(id, (signal) => getJob(place, id, signal));
  const { data, reload } = loaded;
  const [latest, setLatest] = useState<JobDetail>();
  useEffect(() => setLatest(undefined), [data]);
  useWatchedJobs(data === undefined ? [] : [data.id]);
  useLiveEvent('job', (job) => {
    if (job.id === data?.id && 'updates' in job) setLatest(job);
  });
  const job = data === undefined || latest === undefined ? data : { ...data, ...latest };

  const gathered = useGathered(reload, CHILDREN_MS);
  useLiveEvent('counts', () => {
    if (job !== undefined && mayChange(job)) gathered();
  });
  useLiveEvent('finished', (jobs) => {
    const children = new Set(job?.children.map((child) => child.id));
    if (jobs.some((one) => children.has(one.id))) gathered();
  });
  return { loaded, job };
}

const LIST_OF: Readonly<Record<Job['state'], ListName>> = {
  waiting: 'pending',
  running: 'running',
  success: 'success',
  failure: 'failure',
};

function Above({ place, job }: { readonly place: Place; readonly job: Job | undefined }): JSX.Element {
  const list = job === undefined ? 'pending' : LIST_OF[job.state];
  return (
    <>
      <a href={linkTo(place, { name: 'jobs', list })}>Jobs</a>
      {job?.parent === undefined ? null : (
        <>
          {' / '}
          <a href={linkTo(place, { name: 'job', id: shortId(job.parent) })}>parent job</a>
        </>
      )}
    </>
  );
}

interface ActionsProps {
  readonly place: Place;
  readonly job: Job;
  readonly reload: () => void;
}

function Actions({ place, job, reload }: ActionsProps): JSX.Element {
  const [busy, setBusy] = useState<string>();
  const isShown = useRef(true);
  useEffect(() => () => void (isShown.current = false), []);
  // A job that is gone has no page; but whoever has gone elsewhere meanwhile is left there.
  const leave = (isDone: boolean): void => {
    if (!isDone) reload();
    else if (isShown.current) goTo(linkTo(place, { name: 'jobs', list: LIST_OF[job.state] }));
  };
  return (
    <>
      {deedsOfState(job.state, job.retriedBy !== undefined).map((deed) => (
        <button
          key={deed}
          type="button"
          class={deed === 'delete' ? 'button danger-quiet' : deed === 'cancel' ? 'button' : 'button primary'}
          // With `disabled` it would lose the focus.
          aria-disabled={busy === deed}
          onClick={() => {
            if (busy === deed) return;
            setBusy(deed);
            const onDone = deed === 'delete' ? leave : reload;
            void actOnOne({ place, deed, ids: [job.id], onDone }).finally(() => setBusy(undefined));
          }}
        >
          <Icon name={deed === 'delete' ? 'trash' : deed === 'cancel' ? 'stop' : 'retry'} />
          {WORDS[deed].label}
        </button>
      ))}
    </>
  );
}

function Content({ place, job }: { readonly place: Place; readonly job: Job }): JSX.Element {
  const { config, result, progress, retriedBy, state, error } = job;
  return (
    <div class="job">
      <div class="job-main">
        {retriedBy === undefined ? null : (
          <Notice
            tone="note"
            action={
              <a class="button" href={linkTo(place, { name: 'job', id: shortId(retriedBy) })}>
                Open that job
              </a>
            }
          >
            This failure has been retried by another job.
          </Notice>
        )}
        {progress === undefined ? null : <Progress progress={progress} isLarge />}
        {error === undefined ? null : <ErrorPanel error={error} result={result} />}
        {state === 'failure' || result === undefined ? null : (
          <section class="panel" aria-label="Result">
            <h2>Result</h2>
            <JsonBlock value={result} label="Result" />
          </section>
        )}
        <section class="panel" aria-label="Config">
          <h2>Config</h2>
          <JsonBlock value={config} label="Config" />
        </section>
        <Children place={place} job={job} />
        <Timeline updates={job.updates} isOpen={isOpen(job)} />
        <Disclosure kind="panel" summary={<h2>Document as it stands in the store</h2>}>
          {() => <JsonBlock value={job.document} label="Document" />}
        </Disclosure>
      </div>
      <Facts place={place} job={job} />
    </div>
  );
}
