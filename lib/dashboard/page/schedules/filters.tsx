import type { JSX } from 'preact';
import { useId } from 'preact/hooks';

import type { ScheduleSummary } from '../../api.js';
import { FilterField } from '../elements/field.js';
import { linkTo, parseRoute } from '../route.js';
import { replaceWith } from '../router.js';
import type { Place, Query } from '../route.js';
import { SCHEDULE_STATES, stateOf } from './actions.js';

interface FiltersProps {
  readonly place: Place;
  readonly query: Query;
  readonly schedules: readonly ScheduleSummary[];
}

export function ScheduleFilters({ place, query, schedules }: FiltersProps): JSX.Element {
  const set = (name: string, value: string): void => {
    const now = parseRoute(location.hash);
    const others = now.name === 'service' ? now.query : query;
    replaceWith(linkTo(place, { name: 'schedules' }, { ...others, [name]: value }));
  };
  const choice = (name: string, label: string, values: readonly string[]): JSX.Element | null =>
    values.length === 0 ? null : (
      <Choice label={label} value={query[name] ?? ''} values={values} onValue={(value) => set(name, value)} />
    );
  const states = SCHEDULE_STATES.filter((state) => schedules.some((one) => stateOf(one) === state));
  return (
    <form class="filters" role="search" aria-label="Schedules" onSubmit={(event) => event.preventDefault()}>
      <FilterField
        label="Search name, type, timing …"
        type="search"
        kind="wide"
        value={query['text'] ?? ''}
        onValue={(value) => set('text', value)}
      />
      {choice('type', 'Type', distinct(schedules.map(({ type }) => type)))}
      {choice('group', 'Group', distinct(schedules.flatMap(({ group }) => group ?? [])))}
      {choice('state', 'State', states)}
    </form>
  );
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].toSorted();
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly values: readonly string[];
  readonly onValue: (value: string) => void;
}

function Choice({ label, value, values, onValue }: ChoiceProps): JSX.Element {
  const id = useId();
  return (
    <div class="filter">
      <label for={id}>{label}</label>
      <select
        id={id}
        class={value === '' ? 'input' : 'input is-set'}
        value={value}
        onChange={(event) => onValue(event.currentTarget.value)}
      >
        <option value="">any</option>
        {values.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </div>
  );
}
