import type { JsonObject } from './json.js';

/** How a list came to its end. */
export type FinalStatus = 'success' | 'failure';

const TYPES = {
  bookmarks: 'application/vnd.oada.bookmarks.1+json',
  services: 'application/vnd.oada.services.1+json',
  service: 'application/vnd.oada.service.1+json',
  jobs: 'application/vnd.oada.service.jobs.1+json',
  job: 'application/vnd.oada.service.job.1+json',
  queues: 'application/vnd.oada.service.queues.1+json',
  queue: 'application/vnd.oada.service.queue.1+json',
  /** Ours alone; no other program reads them. */
  plain: 'application/json',
} as const;

export const JOB_TYPE: string = TYPES.job;

/** Part of a tree as `@oada/client` takes it: what has a `_type` is a resource of its own. */
export interface Tree {
  readonly _type?: string;
  readonly _rev?: number;
  readonly [key: string]: Tree | string | number | undefined;
}

const dayIndex: Tree = {
  _type: TYPES.jobs,
  'day-index': { '*': { _type: TYPES.jobs, '*': { _type: TYPES.job } } },
};

/** The resources below the base. Links are unversioned: a filed job bumps no parents. */
export const TREE: Tree = {
  bookmarks: {
    _type: TYPES.bookmarks,
    services: {
      _type: TYPES.services,
      '*': {
        _type: TYPES.service,
        jobs: { _type: TYPES.jobs, '*': { _type: TYPES.job } },
        'jobs-success': dayIndex,
        'jobs-failure': dayIndex,
        queues: { _type: TYPES.queues, '*': { _type: TYPES.queue } },
        instances: { _type: TYPES.plain, '*': { _type: TYPES.plain } },
        controls: { _type: TYPES.plain },
      },
    },
  },
};

/** Where a service's records stand in the store. Nothing else spells these paths. */
export interface Paths {
  readonly tree: Tree;
  /** The pending list. */
  readonly jobs: string;
  /** The list of further queues to watch. */
  readonly queues: string;
  /** The heartbeats of the instances. */
  readonly instances: string;
  /** What operators ask for. */
  readonly controls: string;
  pending(key: string): string;
  instance(id: string): string;
  cancelRequest(key: string): string;
  /** @param date UTC, as `2026-01-31` */
  dayIndex(status: FinalStatus, date: string): string;
}

/** The layout of the 2.x README: `jobs`, `jobs-success`, `jobs-failure`. */
export function classicPaths(service: string): Paths {
  const base = `/bookmarks/services/${service}`;
  return Object.freeze<Paths>({
    tree: TREE,
    jobs: `${base}/jobs`,
    queues: `${base}/queues`,
    instances: `${base}/instances`,
    controls: `${base}/controls`,
    pending: (key) => `${base}/jobs/${toSegment(key)}`,
    instance: (id) => `${base}/instances/${id}`,
    cancelRequest: (key) => `${base}/controls/cancel/${toSegment(key)}`,
    dayIndex: (status, date) => `${base}/jobs-${status}/day-index/${date}`,
  });
}

/** The day of the index that a time belongs to, in UTC whatever the zone of the machine. */
export function dayOf(time: Date): string {
  return time.toISOString().slice(0, 'YYYY-MM-DD'.length);
}

/**
 * Can a path name this key? A store decodes nothing, so a key with a blank, say, cannot be addressed; and `..` would
 * lead somewhere else on the way there.
 */
export function isAddressable(key: string): boolean {
  return key !== '.' && key !== '..' && /^(?:[A-Za-z0-9\-._~:@!$&'()*+,;=/]|%[0-9A-Fa-f]{2})+$/.test(key);
}

/** Is it an entry of a list, not one of the keys that every resource has? */
export function isEntryKey(key: string): boolean {
  return !['_id', '_rev', '_type', '_meta'].includes(key);
}

/** Is it the key of a job? The lists of the other layout stand among the jobs, and are none. */
export function isJobKey(key: string): boolean {
  return !['pending', 'success', 'failure', 'typed-failure', 'day-index'].includes(key);
}

/** The id that a link points to; undefined where the value is no link to a resource. */
export function linkedId(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('_id' in value)) return undefined;
  const { _id } = value;
  if (typeof _id !== 'string') return undefined;
  const name = /^resources\/([^/]+)$/.exec(_id)?.[1];
  return name !== undefined && isAddressable(name) ? _id : undefined;
}

export function link(id: string): JsonObject {
  return { _id: id };
}

function toSegment(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
