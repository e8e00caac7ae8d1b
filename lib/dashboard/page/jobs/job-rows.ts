import { useEffect, useState } from 'preact/hooks';

import type { JobPage, JobSummary, ListRequest, LiveEvents } from '../../api.js';
import { getJobs } from '../client.js';
import { ownerOf } from '../format.js';
import { useLiveEvent, useWatchedJobs } from '../live.js';
import { useLiveLoad } from '../load.js';
import type { Loaded } from '../load.js';
import { JOB_FILTERS } from '../route.js';
import type { ListName, Place, Query } from '../route.js';
import { isOpen } from './is-open.js';

const PAGE = 50;
/** From so many on, some may not have been told of. */
const MOST_TOLD = 10;

export interface JobRows {
  readonly loaded: Loaded<JobPage>;
  /** As they are now; they keep their places until the page is read again. */
  readonly rows: readonly JobSummary[];
  /** How many there are that are not on the page. */
  readonly added: number;
  /** There may be more: of many at a time, only some are told of. */
  readonly isAtLeast: boolean;
  /** How many of the rows have left the list. */
  readonly over: number;
}

export function requestOf(list: ListName, query: Query): ListRequest {
  const given = Object.fromEntries(
    [...JOB_FILTERS, 'after'].flatMap((name) => {
      const given = query[name]?.trim() ?? '';
      const value = name === 'owner' ? ownerOf(given) : given;
      return value === '' ? [] : [[name, value]];
    }),
  );
  return { list, limit: PAGE, ...given };
}

/** A page of a list, whose rows change where they stand. */
export function useJobRows(place: Place, list: ListName, query: Query): JobRows {
  const request = requestOf(list, query);
  const key = JSON.stringify(request);
  const loaded = useLiveLoad(key, (signal) => getJobs(place, request, signal));
  const { data, reload } = loaded;
  const [changed, setChanged] = useState<ReadonlyMap<string, JobSummary>>(new Map());
  const [added, setAdded] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    setChanged(new Map());
    setAdded(new Set());
  }, [data, key]);

  const rows = data?.jobs.map((job) => changed.get(job.id) ?? job) ?? [];
  useWatchedJobs(list === 'success' || list === 'failure' ? [] : rows.filter(isOpen).map(({ id }) => id));
  useLiveEvent('job', (job) => setChanged((known) => new Map(known).set(job.id, job)));

  const isFirst = request.after === undefined;
  const announce = (ids: readonly string[]): void => {
    const known = new Set(data?.jobs.map(({ id }) => id));
    const unknown = ids.filter((id) => !known.has(id));
    if (unknown.length > 0) setAdded((others) => new Set([...others, ...unknown]));
  };
  useLiveEvent('added', (jobs) => {
    if (list === 'pending')
      announce(jobs.filter(({ key }) => isOnPage(key, request.after, data?.next)).map(({ id }) => id));
  });
  useLiveEvent('finished', (jobs) => {
    if (isFirst) announce(jobs.filter((job) => job.list === list && fits(job, request)).map(({ id }) => id));
  });
  const beyond = useRunningBeyond(list, rows);

  const isQuiet = rows.length === 0 && data !== undefined && isFirst;
  const news = added.size + beyond;
  useEffect(() => {
    // Nothing is there that could jump.
    if (isQuiet && news > 0) reload();
  }, [isQuiet, news, reload]);
  const over = list === 'pending' || list === 'running' ? rows.filter((job) => !isOpen(job)).length : 0;
  return { loaded, rows, added: news, isAtLeast: added.size >= MOST_TOLD, over };
}

/** How many more run than the rows that do: nobody says which. */
function useRunningBeyond(list: ListName, rows: readonly JobSummary[]): number {
  const [running, setRunning] = useState<number>();
  useLiveEvent('counts', (counts) => setRunning(counts.running));
  if (list !== 'running' || running === undefined) return 0;
  return Math.max(0, running - rows.filter(isOpen).length);
}

/** The pending ones stand in the order of their keys, and a page is told of by those that it lies between. */
function isOnPage(key: string, after = '', next?: string): boolean {
  return key > after && (next === undefined || key <= next);
}

type Finished = LiveEvents['finished'][number];

/** What is searched for may stand in its config, which is not told: it is announced all the same. */
function fits(job: Finished, { type, owner, day, failureType }: ListRequest): boolean {
  return (
    (type === undefined || job.type === type) &&
    (owner === undefined || job.owner === owner) &&
    (day === undefined || job.finished?.startsWith(day) === true) &&
    (failureType === undefined || job.error?.type === failureType)
  );
}
