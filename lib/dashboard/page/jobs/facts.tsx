import type { ComponentChildren, JSX } from 'preact';

import type { JobView } from '../../api.js';
import { Ago, Running } from '../elements/time.js';
import { CopyButton } from '../elements/copy-button.js';
import { absolute, count, duration, shortId, userName } from '../format.js';
import { linkTo } from '../route.js';
import type { Place } from '../route.js';

interface FactsProps {
  readonly place: Place;
  readonly job: JobView;
}

/** Who, when and where. */
export function Facts({ place, job }: FactsProps): JSX.Element {
  const { id, key, owner, parent, instance, attempts, priority, state } = job;
  return (
    <aside class="panel facts" aria-label="About the job">
      <dl>
        <Times job={job} />
        <Fact name="Attempts">{count(attempts)}</Fact>
        {priority === 0 ? null : <Fact name="Priority">{count(priority)}</Fact>}
        {owner === undefined ? null : (
          <Fact name="Owner">
            <a
              href={linkTo(place, { name: 'jobs', list: state === 'waiting' ? 'pending' : state }, { owner })}
            >
              {userName(owner)}
            </a>
          </Fact>
        )}
        <StartedBy place={place} job={job} />
        {parent === undefined ? null : (
          <Fact name="Parent">
            <a class="mono" href={linkTo(place, { name: 'job', id: shortId(parent) })}>
              {shortId(parent)}
            </a>
          </Fact>
        )}
        {instance === undefined ? null : (
          <Fact name="Instance">
            <a class="mono" href={linkTo(place, { name: 'instances' })}>
              {instance}
            </a>
          </Fact>
        )}
        <Fact name="Key">
          <span class="mono">{key}</span>
        </Fact>
        <Fact name="Id">
          <span class="mono">{id}</span>
          <CopyButton text={id} what="the id" />
        </Fact>
      </dl>
    </aside>
  );
}

export function Fact({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Times({
  job: { started, finished, startAfter, duration: took, state },
}: {
  readonly job: JobView;
}): JSX.Element {
  return (
    <>
      {state === 'waiting' && startAfter !== undefined ? <When name="Starts" time={startAfter} /> : null}
      {started === undefined ? null : <When name="Started" time={started} />}
      {finished === undefined ? null : <When name="Finished" time={finished} />}
      {took === undefined ? null : <Fact name="Took">{duration(took)}</Fact>}
      {state === 'running' && started !== undefined ? (
        <Fact name="Running for">
          <Running since={started} />
        </Fact>
      ) : null}
    </>
  );
}

function When({ name, time }: { readonly name: string; readonly time: string }): JSX.Element {
  return (
    <Fact name={name}>
      <Ago time={time} />
      <span class="muted small-text">{absolute(time)}</span>
    </Fact>
  );
}

/** `{user}`, `{job}`, or `{schedule, occurrence}`: or what somebody else has written. */
function StartedBy({ place, job: { startedBy } }: FactsProps): JSX.Element | null {
  if (startedBy === undefined) return null;
  const { user, job, schedule, occurrence } = startedBy;
  if (typeof user === 'string') return <Fact name="Started by">{userName(user)}</Fact>;
  if (typeof job === 'string')
    return (
      <Fact name="Started by">
        <a class="mono" href={linkTo(place, { name: 'job', id: shortId(job) })}>
          job {shortId(job)}
        </a>
      </Fact>
    );
  if (typeof schedule === 'string')
    return (
      <Fact name="Started by">
        <a href={linkTo(place, { name: 'schedule', key: schedule })}>schedule {schedule}</a>
        {typeof occurrence === 'string' ? <span class="muted small-text">{absolute(occurrence)}</span> : null}
      </Fact>
    );
  return null;
}
