import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import type { ScheduleSummary } from '../../api.js';
import { confirm } from '../elements/dialog.js';
import { Icon } from '../elements/icon.js';
import { Outcome, State } from '../elements/state.js';
import type { Tone } from '../elements/state.js';
import { Table } from '../elements/table.js';
import type { Column } from '../elements/table.js';
import { Ago } from '../elements/time.js';
import { count } from '../format.js';
import { None } from '../jobs/job-table.js';
import { linkTo } from '../route.js';
import type { Place } from '../route.js';
import { isReadOnly } from '../session.js';
import { stateOf, steer } from './actions.js';
import type { ScheduleState } from './actions.js';
import { ChooseDue } from './choose-due.js';

interface TableProps {
  readonly place: Place;
  readonly schedules: readonly ScheduleSummary[];
  /** All of them. */
  readonly isHeld: boolean;
  readonly reload: () => void;
}

export function ScheduleTable({ place, schedules, isHeld, reload }: TableProps): JSX.Element {
  return (
    <Table
      caption="Schedules"
      rows={schedules}
      keyOf={({ key }) => key}
      columns={columnsFor(place, isHeld, reload)}
    />
  );
}

const TONES: Readonly<Record<ScheduleState, Tone>> = {
  retired: 'quiet',
  held: 'warning',
  disabled: 'quiet',
  paused: 'warning',
  running: 'running',
  failing: 'failure',
  enabled: 'success',
};

export function ScheduleMark({ schedule }: { readonly schedule: ScheduleSummary }): JSX.Element {
  const state = stateOf(schedule);
  return <State tone={TONES[state]}>{state}</State>;
}

export function Timing({
  schedule: { timing, override },
}: {
  readonly schedule: ScheduleSummary;
}): JSX.Element {
  if (override === undefined) return <span class="timing">{timing}</span>;
  return (
    <span class="timing">
      {override} <span class="tag">overridden</span>
      <del class="muted" title="The timing of its code">
        {timing}
      </del>
    </span>
  );
}

function columnsFor(place: Place, isHeld: boolean, reload: () => void): Column<ScheduleSummary>[] {
  const actions: Column<ScheduleSummary> = {
    title: 'Actions',
    kind: 'actions',
    isWide: true,
    cell: (schedule) => <RowActions place={place} schedule={schedule} reload={reload} />,
  };
  return [
    { title: 'State', kind: 'state', cell: (schedule) => <ScheduleMark schedule={schedule} /> },
    {
      title: 'Schedule',
      kind: 'job',
      isWide: true,
      cell: ({ key, type, group }) => (
        <a class="job-link" href={linkTo(place, { name: 'schedule', key })}>
          <strong>{key}</strong>{' '}
          <span class="muted">
            {type}
            {group === undefined ? '' : ` · ${group}`}
          </span>
        </a>
      ),
    },
    { title: 'Due', kind: 'timing', cell: (schedule) => <Timing schedule={schedule} /> },
    {
      title: 'Next',
      isNumber: true,
      kind: 'when',
      cell: ({ nextRunAt, enabled }) =>
        nextRunAt === undefined || !enabled || isHeld ? <None /> : <Ago time={nextRunAt} />,
      isEmpty: ({ nextRunAt }) => nextRunAt === undefined,
    },
    {
      title: 'Last',
      kind: 'last',
      cell: ({ last }) => <Last last={last} />,
      isEmpty: ({ last }) => last === undefined,
    },
    {
      title: 'Failures',
      isNumber: true,
      cell: ({ failures }) =>
        failures === 0 ? <None /> : <strong class="failure-text">{count(failures)}</strong>,
      isEmpty: ({ failures }) => failures === 0,
    },
    ...(isReadOnly() ? [] : [actions]),
  ];
}

function Last({ last }: { readonly last: ScheduleSummary['last'] }): JSX.Element {
  if (last === undefined) return <None />;
  return (
    <span class="last">
      <Outcome outcome={last.outcome} />{' '}
      <span class="muted">
        <Ago time={last.ended} />
      </span>
    </span>
  );
}

interface RowActionsProps {
  readonly place: Place;
  readonly schedule: ScheduleSummary;
  readonly reload: () => void;
}

function RowActions({ place, schedule, reload }: RowActionsProps): JSX.Element | null {
  const { key, isRetired } = schedule;
  if (isRetired) return null;
  return (
    <span class="row-actions">
      <EnabledSwitch place={place} schedule={schedule} reload={reload} />
      <button
        type="button"
        class="button small"
        aria-label={`Run ${key} now`}
        onClick={() => void steer(place, key, { action: 'run' }, `${key} is to be run now.`).then(reload)}
      >
        <Icon name="play" /> Run
      </button>
    </span>
  );
}

export function EnabledSwitch({ place, schedule: { key, enabled }, reload }: RowActionsProps): JSX.Element {
  const [isChoosing, setChoosing] = useState(false);
  const disable = async (): Promise<void> => {
    const isYes = await confirm({
      title: `Disable ${key}?`,
      text: 'It starts no job until it is enabled. What became due meanwhile is run or passed over then, as is chosen.',
      action: 'Disable',
    });
    if (!isYes) return;
    await steer(place, key, { action: 'disable' }, `${key} is disabled.`);
    reload();
  };
  return (
    <>
      <button
        type="button"
        role="switch"
        class="switch"
        aria-checked={enabled}
        aria-label={`${key} enabled`}
        title={enabled ? 'Enabled: press to disable' : 'Disabled: press to enable'}
        onClick={() => {
          if (enabled) void disable();
          else setChoosing(true);
        }}
      >
        <span />
      </button>
      {isChoosing ? (
        <ChooseDue
          title={`Enable ${key}`}
          action="Enable"
          onClose={() => setChoosing(false)}
          onChosen={(due) =>
            void steer(place, key, { action: 'enable', due }, `${key} is enabled.`).then(reload)
          }
        />
      ) : null}
    </>
  );
}
