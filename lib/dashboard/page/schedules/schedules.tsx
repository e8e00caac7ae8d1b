import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import type { ScheduleSummary, SchedulesView as Schedules } from '../../api.js';
import { getSchedules } from '../client.js';
import { confirm } from '../elements/dialog.js';
import { Icon } from '../elements/icon.js';
import { Empty, Notice, WhenLoaded } from '../elements/notice.js';
import { Ago } from '../elements/time.js';
import { counted } from '../format.js';
import { useChanges } from '../live.js';
import { useGathered, useLiveLoad } from '../load.js';
import type { Place, Query } from '../route.js';
import { isReadOnly } from '../session.js';
import { Heading } from '../shell/heading.js';
import { stateOf, steerAll } from './actions.js';
import { ChooseDue } from './choose-due.js';
import { ScheduleFilters } from './filters.js';
import { PauseTypes } from './pause-types.js';
import { ScheduleTable } from './schedule-table.js';

const GATHER_MS = 300;
const PAGE = 100;

interface SchedulesProps {
  readonly place: Place;
  readonly query: Query;
}

export function SchedulesView({ place, query }: SchedulesProps): JSX.Element {
  const loaded = useLiveLoad('schedules', (signal) => getSchedules(place, signal));
  const { data, reload } = loaded;
  useChanges('schedules', useGathered(reload, GATHER_MS));
  return (
    <>
      <Heading title="Schedules">
        {data === undefined || isReadOnly() ? null : <Actions place={place} view={data} reload={reload} />}
      </Heading>
      <WhenLoaded loaded={loaded} what="The schedules">
        {(view) => <Content {...{ place, query, view, reload }} />}
      </WhenLoaded>
    </>
  );
}

interface ActionsProps {
  readonly place: Place;
  readonly view: Schedules;
  readonly reload: () => void;
}

function Actions({ place, view, reload }: ActionsProps): JSX.Element {
  const [isPausing, setPausing] = useState(false);
  const hold = async (): Promise<void> => {
    const isYes = await confirm({
      title: 'Hold all schedules?',
      text: 'None of them starts a job until they are released. Jobs that were started already go on.',
      action: 'Hold all',
    });
    if (!isYes) return;
    await steerAll(place, { action: 'hold' }, 'All schedules are held.');
    reload();
  };
  return (
    <>
      <button type="button" class="button" onClick={() => setPausing(true)}>
        Pause types …
      </button>
      {view.heldSince === undefined ? (
        <button type="button" class="button" onClick={() => void hold()}>
          <Icon name="pause" /> Hold all
        </button>
      ) : null}
      {isPausing ? (
        <PauseTypes place={place} view={view} onClose={() => setPausing(false)} onDone={reload} />
      ) : null}
    </>
  );
}

function HeldBanner({
  place,
  since,
  reload,
}: {
  readonly place: Place;
  readonly since: string;
  readonly reload: () => void;
}): JSX.Element {
  const [isReleasing, setReleasing] = useState(false);
  return (
    <>
      <Notice
        tone="warning"
        title="All schedules are held."
        action={
          isReadOnly() ? null : (
            <button type="button" class="button primary" onClick={() => setReleasing(true)}>
              <Icon name="play" /> Release …
            </button>
          )
        }
      >
        Since <Ago time={since} />: none of them starts a job.
      </Notice>
      {isReleasing ? (
        <ChooseDue
          title="Release all schedules"
          action="Release"
          onClose={() => setReleasing(false)}
          onChosen={(due) =>
            void steerAll(place, { action: 'release', due }, 'The schedules go on.').then(reload)
          }
        />
      ) : null}
    </>
  );
}

interface ContentProps extends SchedulesProps {
  readonly view: Schedules;
  readonly reload: () => void;
}

function Content({ place, query, view, reload }: ContentProps): JSX.Element {
  const [shown, setShown] = useState(PAGE);
  const fitting = view.schedules.filter((schedule) => fits(schedule, query));
  if (view.schedules.length === 0)
    return (
      <Empty icon="schedules" title="No schedule">
        A service has them from its code: <code>service.schedule(…)</code>.
      </Empty>
    );
  return (
    <>
      {view.heldSince === undefined ? null : (
        <HeldBanner place={place} since={view.heldSince} reload={reload} />
      )}
      <ScheduleFilters place={place} query={query} schedules={view.schedules} />
      {fitting.length === 0 ? <Empty icon="search" title="None that fits" /> : null}
      {fitting.length === 0 ? null : (
        <ScheduleTable
          place={place}
          schedules={fitting.slice(0, shown)}
          isHeld={view.heldSince !== undefined}
          reload={reload}
        />
      )}
      <nav class="paging" aria-label="More schedules">
        <span class="muted">
          {fitting.length === view.schedules.length
            ? counted(fitting.length, 'schedule')
            : `${counted(fitting.length, 'schedule')} of ${view.schedules.length}`}
        </span>
        {fitting.length > shown ? (
          <button type="button" class="button" onClick={() => setShown(shown + PAGE)}>
            Show more
          </button>
        ) : null}
      </nav>
    </>
  );
}

function fits(schedule: ScheduleSummary, query: Query): boolean {
  const { text = '', type = '', group = '', state = '' } = query;
  const told = `${schedule.key} ${schedule.type} ${schedule.timing} ${schedule.override ?? ''}`.toLowerCase();
  return (
    told.includes(text.trim().toLowerCase()) &&
    (type === '' || schedule.type === type) &&
    (group === '' || schedule.group === group) &&
    (state === '' || stateOf(schedule) === state)
  );
}
