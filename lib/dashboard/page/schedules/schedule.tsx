import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import type { ScheduleView as Schedule } from '../../api.js';
import { getSchedule } from '../client.js';
import { Icon } from '../elements/icon.js';
import { Notice, WhenLoaded } from '../elements/notice.js';
import { Ago } from '../elements/time.js';
import { absolute, count, shortId } from '../format.js';
import { Fact } from '../jobs/facts.js';
import { useChanges } from '../live.js';
import { useGathered, useLiveLoad } from '../load.js';
import { linkTo } from '../route.js';
import type { Place } from '../route.js';
import { isReadOnly } from '../session.js';
import { Heading } from '../shell/heading.js';
import { steer } from './actions.js';
import { History } from './history.js';
import { Override } from './override.js';
import { EnabledSwitch, ScheduleMark, Timing } from './schedule-table.js';

const GATHER_MS = 300;

interface ScheduleProps {
  readonly place: Place;
  readonly name: string;
}

export function ScheduleView({ place, name }: ScheduleProps): JSX.Element {
  const loaded = useLiveLoad(name, (signal) => getSchedule(place, name, signal));
  const { data, reload } = loaded;
  useChanges('schedules', useGathered(reload, GATHER_MS));
  return (
    <>
      <Heading
        title={name}
        above={<a href={linkTo(place, { name: 'schedules' })}>Schedules</a>}
        beside={data === undefined ? undefined : <ScheduleMark schedule={data} />}
      >
        {data === undefined || data.isRetired || isReadOnly() ? null : (
          <Actions place={place} schedule={data} reload={reload} />
        )}
      </Heading>
      <WhenLoaded loaded={loaded} what="The schedule">
        {(schedule) => <Content place={place} schedule={schedule} />}
      </WhenLoaded>
    </>
  );
}

interface ActionsProps {
  readonly place: Place;
  readonly schedule: Schedule;
  readonly reload: () => void;
}

function Actions({ place, schedule, reload }: ActionsProps): JSX.Element {
  const [isTiming, setTiming] = useState(false);
  const { key, failures, heldBecause } = schedule;
  const reset = (): void =>
    void steer(place, key, { action: 'reset' }, 'Its failures are forgotten.').then(reload);
  const run = (): void => void steer(place, key, { action: 'run' }, `${key} is to be run now.`).then(reload);
  return (
    <>
      <span class="labelled-switch">
        Enabled <EnabledSwitch place={place} schedule={schedule} reload={reload} />
      </span>
      {failures > 0 || heldBecause !== undefined ? (
        <button type="button" class="button" onClick={reset}>
          Reset failures
        </button>
      ) : null}
      <button type="button" class="button" onClick={() => setTiming(true)}>
        <Icon name="edit" /> Override
      </button>
      <button type="button" class="button primary" onClick={run}>
        <Icon name="play" /> Run now
      </button>
      {isTiming ? (
        <Override place={place} schedule={schedule} onClose={() => setTiming(false)} onDone={reload} />
      ) : null}
    </>
  );
}

function Content({ place, schedule }: { readonly place: Place; readonly schedule: Schedule }): JSX.Element {
  const { heldBecause, isRetired, current } = schedule;
  return (
    <>
      {heldBecause === undefined ? null : (
        <Notice tone="warning" title="It is not run.">
          {heldBecause}
        </Notice>
      )}
      {isRetired ? (
        <Notice tone="note" title="It is retired.">
          The code of the service no longer has it.
        </Notice>
      ) : null}
      <div class="job">
        <div class="job-main">
          <section class="panel" aria-label="History">
            <h2>
              History <span class="tally">{count(schedule.history.length)}</span>
            </h2>
            <History place={place} history={schedule.history} />
          </section>
        </div>
        <div class="stack">
          <aside class="panel facts" aria-label="About the schedule">
            <dl>
              <Fact name="Due">
                <Timing schedule={schedule} />
              </Fact>
              <Fact name="Type of jobs">
                <a href={linkTo(place, { name: 'jobs', list: 'success' }, { type: schedule.type })}>
                  {schedule.type}
                </a>
              </Fact>
              {schedule.group === undefined ? null : <Fact name="Group">{schedule.group}</Fact>}
              <Fact name="Failures in a row">{count(schedule.failures)}</Fact>
              {current === undefined ? null : <Current place={place} current={current} />}
            </dl>
          </aside>
          <NextRuns schedule={schedule} />
        </div>
      </div>
    </>
  );
}

function Current({
  place,
  current,
}: {
  readonly place: Place;
  readonly current: NonNullable<Schedule['current']>;
}): JSX.Element {
  const { occurrence, job } = current;
  return (
    <Fact name="Running">
      {job === undefined ? (
        absolute(occurrence)
      ) : (
        <a href={linkTo(place, { name: 'job', id: shortId(job) })}>{absolute(occurrence)}</a>
      )}
    </Fact>
  );
}

function NextRuns({ schedule: { preview } }: { readonly schedule: Schedule }): JSX.Element {
  return (
    <section class="panel" aria-label="Next runs">
      <h2>
        Next runs <span class="muted small-text">UTC</span>
      </h2>
      {preview.length === 0 ? <p class="muted">Never by itself.</p> : null}
      <ol class="next-runs">
        {preview.map((time) => (
          <li key={time}>
            <span class="mono">{absolute(time).replace(' UTC', '')}</span>
            <span class="muted">
              <Ago time={time} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
