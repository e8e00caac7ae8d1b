import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import type { JobCounts, JobPage } from '../../api.js';
import { useCurrentInView } from '../elements/current-in-view.js';
import { Icon } from '../elements/icon.js';
import { Empty, WhenLoaded } from '../elements/notice.js';
import type { Selection } from '../elements/table.js';
import { count, counted, today } from '../format.js';
import { JOB_FILTERS, linkTo, LISTS } from '../route.js';
import type { ListName, Place, Query } from '../route.js';
import { isReadOnly } from '../session.js';
import { Heading } from '../shell/heading.js';
import { actOnMany, retryAll, WORDS } from './actions.js';
import { deedsOfList } from './deeds.js';
import { Filters } from './filters.js';
import { requestOf, useJobRows } from './job-rows.js';
import type { JobRows } from './job-rows.js';
import { JobTable } from './job-table.js';

interface JobsViewProps {
  readonly place: Place;
  readonly list: ListName;
  readonly query: Query;
  readonly counts: JobCounts | undefined;
}

export function JobsView({ place, list, query, counts }: JobsViewProps): JSX.Element {
  const jobs = useJobRows(place, list, query);
  const selection = useSelection(`${list} ${JSON.stringify(query)}`);
  return (
    <>
      <Heading title="Jobs" />
      <Tabs place={place} list={list} query={query} counts={counts} />
      <Filters place={place} list={list} query={query} jobs={jobs.rows} />
      <Toolbar {...{ place, list, query, jobs, selection }} />
      <WhenLoaded loaded={jobs.loaded} what="The jobs">
        {(page) => <Page {...{ place, list, query, jobs, selection, page }} />}
      </WhenLoaded>
    </>
  );
}

interface Chosen extends Selection {
  readonly keys: readonly string[];
}

/** @param key with another, nothing is selected */
function useSelection(key: string): Chosen {
  const [keys, set] = useState<readonly string[]>([]);
  useEffect(() => set([]), [key]);
  return {
    ...{ keys, set },
    has: (one) => keys.includes(one),
    toggle: (one) => set((old) => (old.includes(one) ? old.filter((other) => other !== one) : [...old, one])),
  };
}

const NAMES: Readonly<Record<ListName, string>> = {
  pending: 'Pending',
  running: 'Running',
  success: 'Success',
  failure: 'Failure',
};

function Tabs({ place, list, query, counts }: JobsViewProps): JSX.Element {
  const tabs = useCurrentInView<HTMLElement>(list);
  const { text = '', type = '', owner = '' } = query;
  return (
    <nav ref={tabs} class="tabs" aria-label="Lists of jobs">
      {LISTS.map((one) => (
        <a
          key={one}
          href={linkTo(place, { name: 'jobs', list: one }, { text, type, owner })}
          class={`tab ${one}`}
          aria-current={one === list ? 'page' : undefined}
        >
          {NAMES[one]}
          {counts === undefined ? null : <Tally list={one} counts={counts} />}
        </a>
      ))}
    </nav>
  );
}

function Tally({ list, counts }: { readonly list: ListName; readonly counts: JobCounts }): JSX.Element {
  const day = counts.days.find((one) => one.day === today(Date.now()));
  const value = list === 'pending' || list === 'running' ? counts[list] : day?.[list];
  const isOfDay = list === 'success' || list === 'failure';
  return (
    <span class="tally" title={isOfDay ? 'today (UTC)' : undefined}>
      {value === undefined ? '–' : count(value)}
      {isOfDay ? <span class="visually-hidden"> today</span> : null}
    </span>
  );
}

interface PartProps {
  readonly place: Place;
  readonly list: ListName;
  readonly query: Query;
  readonly jobs: JobRows;
  readonly selection: Chosen;
}

/** What can be done to those that are selected; else what is new. */
function Toolbar({ place, list, query, jobs, selection }: PartProps): JSX.Element | null {
  const { reload } = jobs.loaded;
  const { keys, set } = selection;
  if (keys.length > 0 && !isReadOnly()) {
    const onDone = (): void => {
      set([]);
      reload();
    };
    return (
      <div class="toolbar selected" role="toolbar" aria-label="Selected jobs">
        <strong>{count(keys.length)} selected</strong>
        {deedsOfList(list).map((deed) => (
          <button
            key={deed}
            type="button"
            class={deed === 'delete' ? 'button danger-quiet' : 'button'}
            onClick={() => void actOnMany({ place, deed, ids: keys, onDone })}
          >
            {WORDS[deed].label}
          </button>
        ))}
        <button type="button" class="button quiet" onClick={() => set([])}>
          Select none
        </button>
      </div>
    );
  }
  const { list: _, limit: __, after: ___, ...filter } = requestOf(list, query);
  // Of the first page, where no other follows: with a filter, there is nothing else that fits.
  const fitting =
    query['after'] === undefined && jobs.loaded.data?.next === undefined ? jobs.rows.length : undefined;
  const canRetry = list === 'failure' && !isReadOnly() && jobs.rows.length > 0;
  return (
    <div class="toolbar">
      <News jobs={jobs} />
      {canRetry ? (
        <button
          type="button"
          class="button"
          onClick={() => void retryAll({ place, filter, fitting, onDone: reload })}
        >
          <Icon name="retry" />
          {Object.keys(filter).length === 0 ? 'Retry all failures' : 'Retry all that fit'}
        </button>
      ) : null}
    </div>
  );
}

/** Rows do not jump: what has come is shown when it is asked for. */
function News({ jobs: { added, isAtLeast, over, loaded } }: { readonly jobs: JobRows }): JSX.Element {
  const told = [
    added > 0 ? `${count(added)}${isAtLeast ? '+' : ''} new` : '',
    over > 0 ? `${count(over)} over` : '',
  ]
    .filter((part) => part !== '')
    .join(', ');
  return (
    <div class="news" aria-live="polite">
      {told === '' ? (
        <button type="button" class="button quiet" onClick={loaded.reload}>
          <Icon name="retry" /> Refresh
        </button>
      ) : (
        <button type="button" class="button fresh" onClick={loaded.reload}>
          {told} – show
        </button>
      )}
    </div>
  );
}

function Page({
  place,
  list,
  query,
  jobs,
  selection,
  page,
}: PartProps & { readonly page: JobPage }): JSX.Element {
  const { rows } = jobs;
  const isFiltered = JOB_FILTERS.some((name) => (query[name] ?? '') !== '');
  return (
    <>
      {rows.length === 0 ? (
        <NoJobs {...{ place, list, page, isFiltered }} />
      ) : (
        <>
          <JobTable
            {...{ place, list }}
            caption={`Jobs: ${NAMES[list]}`}
            jobs={rows}
            selection={isReadOnly() ? undefined : selection}
          />
          <p class="muted small-text table-note">{ORDERS[list]}</p>
        </>
      )}
      <Paging {...{ place, list, query, page }} />
    </>
  );
}

const BY_KEY = 'In the order of their keys.';
const BY_DAY = 'The latest day first, and of each day in the reverse order of their keys.';
const ORDERS: Readonly<Record<ListName, string>> = {
  ...{ pending: BY_KEY, running: BY_KEY },
  ...{ success: BY_DAY, failure: BY_DAY },
};

const NONE: Readonly<Record<ListName, string>> = {
  pending: 'No job is pending',
  running: 'No job is running',
  success: 'No success yet',
  failure: 'No failure yet',
};

interface NoJobsProps extends Pick<PartProps, 'place' | 'list'> {
  readonly page: JobPage;
  readonly isFiltered: boolean;
}

function NoJobs({ place, list, page, isFiltered }: NoJobsProps): JSX.Element {
  if (!isFiltered) return <Empty icon="jobs" title={NONE[list]} />;
  const isMore = page.next !== undefined;
  return (
    <Empty icon="search" title={isMore ? 'None that fits so far' : 'None that fits'}>
      {counted(page.looked, 'job')} {page.looked === 1 ? 'was' : 'were'} looked at.{' '}
      {isMore ? 'Look further below, or ' : null}
      <a href={linkTo(place, { name: 'jobs', list })}>
        {isMore ? 'look without filters' : 'Look without filters'}
      </a>
      .
    </Empty>
  );
}

interface PagingProps extends Pick<PartProps, 'place' | 'list' | 'query'> {
  readonly page: JobPage;
}

function Paging({ place, list, query, page: { next, jobs } }: PagingProps): JSX.Element | null {
  const { after, ...others } = query;
  const view = { name: 'jobs', list } as const;
  if (after === undefined && next === undefined) return null;
  return (
    <nav class="paging" aria-label="Pages">
      {after === undefined ? null : (
        <a class="button" href={linkTo(place, view, others)}>
          <Icon name="back" /> First page
        </a>
      )}
      <span class="muted">{counted(jobs.length, 'job')} on this page</span>
      {next === undefined ? null : (
        <a
          class="button"
          href={linkTo(place, view, { ...others, after: next })}
          onClick={() => scrollTo({ top: 0 })}
        >
          {jobs.length === 0 ? 'Look further' : 'Next page'} <Icon name="next" />
        </a>
      )}
    </nav>
  );
}
