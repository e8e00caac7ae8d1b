import { isJsonObject } from './json.js';
import type { Json, JsonObject } from './json.js';

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
  reports: 'application/vnd.oada.service.reports.1+json',
  report: 'application/vnd.oada.service.report.1+json',
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

/** The finished jobs of each day; classic links are unversioned: a filed job bumps no parents. */
const dayIndex: Tree = {
  _type: TYPES.jobs,
  'day-index': { '*': { _type: TYPES.jobs, '*': { _type: TYPES.job } } },
};

/** Those of the nested layout are versioned: report readers watch through them. */
const versionedDayIndex: Tree = {
  _type: TYPES.jobs,
  _rev: 0,
  'day-index': { '*': { _type: TYPES.jobs, _rev: 0, '*': { _type: TYPES.job, _rev: 0 } } },
};

/** The resources below the base. */
export const TREE: Tree = {
  bookmarks: {
    _type: TYPES.bookmarks,
    services: {
      _type: TYPES.services,
      '*': {
        _type: TYPES.service,
        jobs: {
          _type: TYPES.jobs,
          '*': { _type: TYPES.job },
          pending: { _type: TYPES.jobs, '*': { _type: TYPES.job } },
          success: versionedDayIndex,
          failure: versionedDayIndex,
          'typed-failure': { '*': versionedDayIndex },
        },
        'jobs-success': dayIndex,
        'jobs-failure': dayIndex,
        'jobs-typed-failure': { '*': dayIndex },
        queues: { _type: TYPES.queues, '*': { _type: TYPES.queue } },
        instances: { _type: TYPES.plain, '*': { _type: TYPES.plain } },
        controls: { _type: TYPES.plain },
        users: {
          _type: TYPES.plain,
          '*': { _type: TYPES.plain, jobs: { _type: TYPES.jobs, '*': { _type: TYPES.job } } },
        },
        // Versioned, so that the list tells which of the rows have changed.
        schedules: { _type: TYPES.plain, '*': { _type: TYPES.plain, _rev: 0 } },
        reports: {
          _type: TYPES.reports,
          '*': {
            _type: TYPES.report,
            'day-index': { '*': { _type: TYPES.jobs } },
            handled: { '*': { _type: TYPES.plain } },
          },
        },
      },
    },
  },
};

export type LayoutName = 'classic' | 'nested';

/** Where a service's pending list stands, and where the jobs that come by it are filed. */
export interface Layout {
  readonly name: LayoutName;
  /** The pending list. */
  readonly pending: string;
  pendingLink(key: string): string;
  /** What holds the days. */
  dayIndexes(status: FinalStatus): string;
  /** @param date UTC, as `2026-01-31` */
  dayIndex(status: FinalStatus, date: string): string;
  /** Where failures of a type of their own are filed as well. */
  typedFailure(failureType: string, date: string): string;
  /** What holds a list of days for each of those types. */
  readonly typedFailures: string;
  /** @param key of a type as it stands there */
  typedDayIndexes(key: string): string;
  /** What stands in a day-index. */
  filedLink(jobId: string): JsonObject;
}

/** Where a service's records stand in the store. Nothing else spells these paths. */
export interface Paths {
  readonly tree: Tree;
  readonly classic: Layout;
  readonly nested: Layout;
  /** The list of further queues to watch. */
  readonly queues: string;
  /** The heartbeats of the instances. */
  readonly instances: string;
  /** What operators ask for. */
  readonly controls: string;
  /** The jobs of a user, pending and finished. @param owner like `users/abc` */
  userJobs(owner: string): string;
  /** A row for each schedule. */
  readonly schedules: string;
  instance(id: string): string;
  cancelRequest(key: string): string;
  /** All that belongs to the service. */
  readonly service: string;
  /** The reports, and where readers of @oada/jobs 3 to 5 look for them. */
  readonly reports: string;
  readonly nestedReports: string;
  /** @param name of a report, that a path can name */
  report(name: string): string;
  /** The rows of the jobs that were filed on a day. */
  reportDay(name: string, date: string): string;
  /** The jobs of a day that the report is done with. */
  reportHandled(name: string, date: string): string;
}

/** The services of a user. */
export const SERVICES = '/bookmarks/services';

/** @param service its name */
export function pathsOf(service: string): Paths {
  const base = `${SERVICES}/${service}`;
  return Object.freeze<Paths>({
    tree: TREE,
    classic: classicLayout(base),
    nested: nestedLayout(base),
    queues: `${base}/queues`,
    instances: `${base}/instances`,
    controls: `${base}/controls`,
    userJobs: (owner) => `${base}/users/${typeSegment(owner.slice('users/'.length))}/jobs`,
    schedules: `${base}/schedules`,
    instance: (id) => `${base}/instances/${id}`,
    cancelRequest: (key) => `${base}/controls/cancel/${toSegment(key)}`,
    service: base,
    reports: `${base}/${REPORTS}`,
    nestedReports: `${base}/jobs/${REPORTS}`,
    report: (name) => `${base}/reports/${name}`,
    reportDay: (name, date) => `${base}/reports/${name}/day-index/${date}`,
    reportHandled: (name, date) => `${base}/reports/${name}/handled/${date}`,
  });
}

/** That of the 2.x README: `jobs`, `jobs-success`, `jobs-failure`. */
function classicLayout(base: string): Layout {
  return Object.freeze<Layout>({
    name: 'classic',
    pending: `${base}/jobs`,
    pendingLink: (key) => entryPath(`${base}/jobs`, key),
    dayIndexes: (status) => `${base}/jobs-${status}/day-index`,
    dayIndex: (status, date) => `${base}/jobs-${status}/day-index/${date}`,
    typedFailure: (type, date) => `${base}/jobs-typed-failure/${typeSegment(type)}/day-index/${date}`,
    typedFailures: `${base}/jobs-typed-failure`,
    typedDayIndexes: (key) => `${entryPath(`${base}/jobs-typed-failure`, key)}/day-index`,
    filedLink: link,
  });
}

/** That of @oada/jobs 3 to 5 and of `@oada/client/jobs`: `jobs/pending`, `jobs/success`, `jobs/failure`. */
function nestedLayout(base: string): Layout {
  return Object.freeze<Layout>({
    name: 'nested',
    pending: `${base}/jobs/pending`,
    pendingLink: (key) => entryPath(`${base}/jobs/pending`, key),
    dayIndexes: (status) => `${base}/jobs/${status}/day-index`,
    dayIndex: (status, date) => `${base}/jobs/${status}/day-index/${date}`,
    typedFailure: (type, date) => `${base}/jobs/typed-failure/${typeSegment(type)}/day-index/${date}`,
    typedFailures: `${base}/jobs/typed-failure`,
    typedDayIndexes: (key) => `${entryPath(`${base}/jobs/typed-failure`, key)}/day-index`,
    filedLink: (jobId) => ({ _id: jobId, _rev: 0 }),
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

const RESOURCES = 'resources/';
const RESOURCE_KEYS: ReadonlySet<string> = new Set(['_id', '_rev', '_type', '_meta']);

/** Is it an entry of a list, not one of the keys that every resource has? */
export function isEntryKey(key: string): boolean {
  return !RESOURCE_KEYS.has(key);
}

/** The entries of a list, or of a part of one. It may be very long: nothing is made of it that is not kept. */
export function entriesOf(list: Json | undefined): Map<string, Json> {
  const entries = new Map<string, Json>();
  if (!isJsonObject(list)) return entries;
  for (const key of Object.keys(list)) {
    const entry = list[key];
    if (isEntryKey(key) && entry !== undefined) entries.set(key, entry);
  }
  return entries;
}

/** The key in the classic pending list below which the nested layout has its own. */
export const NESTED_PENDING = 'pending';

/** The key of the reports: among what belongs to the service, and with the nested layout among the jobs. */
export const REPORTS = 'reports';

const LIST_KEYS: ReadonlySet<string> = new Set([
  NESTED_PENDING,
  'success',
  'failure',
  'typed-failure',
  REPORTS,
  'day-index',
]);

/** Is it the key of a job? The lists of the nested layout stand among the classic jobs, and are none. */
export function isJobKey(key: string): boolean {
  return !LIST_KEYS.has(key);
}

/** Is it the id of a user? */
export function isOwner(value: unknown): value is string {
  return typeof value === 'string' && /^users\/[^/]{1,200}$/.test(value);
}

/** The id that a link points to; undefined where the value is no link to a resource. */
export function linkedId(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('_id' in value)) return undefined;
  const { _id } = value;
  if (typeof _id !== 'string') return undefined;
  if (!_id.startsWith(RESOURCES)) return undefined;
  const name = _id.slice(RESOURCES.length);
  return !name.includes('/') && isAddressable(name) ? _id : undefined;
}

export function link(id: string): JsonObject {
  return { _id: id };
}

/** The path of an entry of a list. */
export function entryPath(list: string, key: string): string {
  return `${list}/${toSegment(key)}`;
}

/** What `_meta` of a resource is to hold of a job that named it; other OADA services look for it there, too. */
export function metaLink(service: string, key: string, jobId: string): JsonObject {
  return { services: { [service]: { jobs: { [key]: link(jobId) } } } };
}

function toSegment(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** A failure type as a key: what cannot stand in a path is percent-encoded, and so is what a store takes for an index. */
function typeSegment(type: string): string {
  const encoded = encodeURIComponent(type.replaceAll(/\p{Cs}/gu, '\uFFFD')); // it knows no half of a character
  if (!/^\d+$|^\.{1,2}$|^_/.test(encoded) && !(encoded in {})) return encoded;
  return `%${encoded.charCodeAt(0).toString(16).toUpperCase()}${encoded.slice(1)}`;
}

/** Can a service be called so? Its name is a key on the way to its records. */
export function isServiceName(name: unknown): name is string {
  return typeof name === 'string' && isAddressable(name) && !name.includes('/') && !/^\d+$/.test(name);
}

/** Is it the id of a resource, like `resources/abc`, that a path can name? */
export function isResourceId(id: unknown): id is string {
  return linkedId({ _id: id }) !== undefined;
}
