import type { JSX } from 'preact';

import type { JobCounts } from '../../api.js';
import { Table } from '../elements/table.js';
import { count, dayName, today } from '../format.js';
import { linkTo } from '../route.js';
import type { Place, View } from '../route.js';

interface FiguresProps {
  readonly place: Place;
  readonly counts: JobCounts | undefined;
}

export function Figures({ place, counts }: FiguresProps): JSX.Element {
  const day = counts?.days.find((one) => one.day === today(Date.now()));
  const { alive, silent } = counts?.instances ?? { alive: undefined, silent: 0 };
  return (
    <ul class="stats">
      <Stat name="Pending" value={counts?.pending} link={linkTo(place, jobs('pending'))} />
      <Stat name="Running" value={counts?.running} tone="running" link={linkTo(place, jobs('running'))} />
      <Stat name="Success today" value={day?.success} tone="success" link={linkTo(place, jobs('success'))} />
      <Stat name="Failure today" value={day?.failure} tone="failure" link={linkTo(place, jobs('failure'))} />
      <Stat
        name={silent > 0 ? `Instances · ${count(silent)} silent` : 'Instances'}
        value={alive}
        tone={silent > 0 ? 'warning' : undefined}
        link={linkTo(place, { name: 'instances' })}
      />
    </ul>
  );
}

function jobs(list: 'pending' | 'running' | 'success' | 'failure'): View {
  return { name: 'jobs', list };
}

interface StatProps {
  readonly name: string;
  readonly value: number | undefined;
  readonly tone?: string | undefined;
  readonly link: string;
}

function Stat({ name, value, tone = '', link }: StatProps): JSX.Element {
  return (
    <li>
      <a class={value === undefined || value === 0 ? 'stat' : `stat ${tone}`} href={link}>
        <span class="stat-name">{name}</span>{' '}
        <span class="stat-value">{value === undefined ? '–' : count(value)}</span>
      </a>
    </li>
  );
}

export function DaysTable({ place, counts }: FiguresProps): JSX.Element | null {
  const days = counts?.days.filter(({ success, failure }) => success + failure > 0) ?? [];
  if (days.length === 0) return null;
  const cell = (list: 'success' | 'failure', value: number, day: string): JSX.Element =>
    value === 0 ? (
      <span class="none">0</span>
    ) : (
      <a class={list} href={linkTo(place, jobs(list), { day })}>
        {count(value)}
      </a>
    );
  return (
    <section class="panel" aria-label="Days">
      <h2>
        Days <span class="muted small-text">UTC</span>
      </h2>
      <Table
        caption="Jobs filed on each day"
        narrow="lines"
        rows={days}
        keyOf={({ day }) => day}
        columns={[
          { title: 'Day', cell: ({ day }) => <span title={day}>{dayName(day)}</span> },
          { title: 'Success', isNumber: true, cell: ({ success, day }) => cell('success', success, day) },
          { title: 'Failure', isNumber: true, cell: ({ failure, day }) => cell('failure', failure, day) },
          {
            title: 'Rate',
            isNumber: true,
            cell: ({ success, failure }) => <Share part={failure} of={success + failure} />,
          },
        ]}
      />
    </section>
  );
}

function Share({ part, of }: { readonly part: number; readonly of: number }): JSX.Element {
  const share = of === 0 ? 0 : (part / of) * 100;
  return <span class="muted">{share > 0 && share < 0.1 ? '<0.1' : share.toFixed(1)} %</span>;
}
