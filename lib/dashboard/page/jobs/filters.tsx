import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';

import type { JobSummary } from '../../api.js';
import { FilterField } from '../elements/field.js';
import { today, userName } from '../format.js';
import { linkTo, parseRoute } from '../route.js';
import { replaceWith } from '../router.js';
import type { JobFilter, ListName, Place, Query } from '../route.js';

const FAILURE_TYPES = ['cancelled', 'invalid', 'lost', 'timeout', 'unknown-type'];

interface FiltersProps {
  readonly place: Place;
  readonly list: ListName;
  readonly query: Query;
  /** Those that are shown: their types and owners are offered. */
  readonly jobs: readonly JobSummary[];
}

/** All that is asked for stands in the address. */
export function Filters({ place, list, query, jobs }: FiltersProps): JSX.Element {
  const types = useSeen(jobs.map(({ type }) => type));
  const owners = useSeen(jobs.map(({ owner }) => userName(owner ?? '')));
  const failureTypes = useSeen([...FAILURE_TYPES, ...jobs.map(({ error }) => error?.type ?? '')]);
  const field = (name: JobFilter): { value: string; onValue: (value: string) => void } => ({
    value: query[name] ?? '',
    onValue: (value) => {
      // The address is asked again: another field may have changed it since this was rendered.
      const now = parseRoute(location.hash);
      const { after: _, ...others } = now.name === 'service' ? now.query : query;
      replaceWith(linkTo(place, { name: 'jobs', list }, { ...others, [name]: value }));
    },
  });
  const isFiled = list === 'success' || list === 'failure';
  return (
    <form class="filters" role="search" aria-label="Jobs" onSubmit={(event) => event.preventDefault()}>
      <FilterField label="Search key, config, error …" type="search" kind="wide" {...field('text')} />
      <FilterField label="Type" values={types} {...field('type')} />
      <FilterField
        label="Owner"
        isWhole
        values={owners}
        {...field('owner')}
        value={userName(query['owner'] ?? '')}
      />
      {isFiled ? <FilterField label="Day" type="date" max={today(Date.now())} {...field('day')} /> : null}
      {list === 'failure' ? (
        <FilterField label="Failure type" values={failureTypes} {...field('failureType')} />
      ) : null}
    </form>
  );
}

/** What there was so far. */
function useSeen(values: readonly string[]): readonly string[] {
  const seen = useRef(new Set<string>());
  for (const value of values) if (value !== '') seen.current.add(value);
  return [...seen.current].toSorted();
}
