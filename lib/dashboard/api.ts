// What the dashboard's server and its page say to each other: JSON over HTTP below `api/`, and server-sent events. All
// times are ISO 8601 in UTC. A service is named by the store that it stands in and its own name:
//
//   GET    api/session                                          Session
//   POST   api/session            {password}                    204; 401 where it is wrong
//   DELETE api/session                                          204: the session is over
//   GET    api/stores                                           StoreSummary[]
//   GET    api/<store>/<service>                                JobCounts
//   GET    api/<store>/<service>/jobs?list=failure&type=…       JobPage; see ListRequest for the parameters
//   GET    api/<store>/<service>/job/<id or key>                JobView
//   POST   api/<store>/<service>/jobs                           JobsAction -> ActionResult
//   POST   api/<store>/<service>/paused       {paused}          204
//   GET    api/<store>/<service>/queues                         QueueView[]
//   POST   api/<store>/<service>/queues       NewQueue          204
//   DELETE api/<store>/<service>/queues/<queue>                 204
//   GET    api/<store>/<service>/instances                      InstanceSummary[]
//   GET    api/<store>/<service>/schedules                      SchedulesView
//   POST   api/<store>/<service>/schedules    SchedulesAction   204
//   GET    api/<store>/<service>/schedules/<key>                ScheduleView
//   POST   api/<store>/<service>/schedules/<key>  ScheduleAction  204
//   GET    api/<store>/<service>/live?jobs=<id>,<id>            text/event-stream of LiveEvents
//
// Whatever changes something carries the header `x-csrf-token` with the session's, and is refused with 403 without it,
// from another origin, or in read-only mode. What is refused or fails answers with a Problem.
import type { DayCounts, JobCounts } from '../operator/counts.js';
import type { InstanceSummary } from '../operator/instances.js';
import type { JobDetail, JobSummary } from '../operator/job-summary.js';
import type { JobPage, ListRequest } from '../operator/list-jobs.js';
import type { QueueHealth, QueueSummary } from '../operator/queues.js';

export type {
  DayCounts,
  InstanceSummary,
  JobCounts,
  JobDetail,
  JobPage,
  JobSummary,
  ListRequest,
  QueueHealth,
  QueueSummary,
};

export interface Session {
  /** False: nothing else is answered before there is one. */
  readonly signedIn: boolean;
  /**
   * How people sign in: with a password, or with the address that was printed when the dashboard was started; `app`: the
   * app that the dashboard is mounted in sees to that, and to signing out.
   */
  readonly by: 'password' | 'link' | 'app';
  readonly readOnly: boolean;
  /** To be sent with what changes something. Empty while nobody is signed in. */
  readonly csrfToken: string;
}

/** Why something was not done. */
export interface Problem {
  /** Stable, like `OADA_JOBS_CONFIG`. */
  readonly code: string;
  readonly message: string;
}

export interface StoreSummary {
  /** As the dashboard was told to call it. */
  readonly store: string;
  readonly domain: string;
  readonly services: readonly string[];
  /** Why it cannot be asked. */
  readonly problem?: Problem;
}

/** A job on a page of its own. */
export interface JobView extends JobDetail {
  /** A thousand at most. */
  readonly childSummaries: readonly (JobSummary & { readonly name: string })[];
  /** Of a failure: the job that it was retried by, if any. */
  readonly retriedBy?: string;
}

/** `filter`: all failures that it fits, for `retry` alone. */
export type JobsAction =
  | { readonly action: 'retry' | 'cancel' | 'rerun' | 'delete'; readonly ids: readonly string[] }
  | { readonly action: 'retry'; readonly filter: Omit<ListRequest, 'list' | 'limit' | 'after'> };

export interface ActionResult {
  /** How many jobs it was done to. */
  readonly done: number;
  /** How many failures were retried before: nothing was done for those. */
  readonly before: number;
  /** The jobs that came of it, of a retry or a rerun; a thousand at most. */
  readonly jobs: readonly string[];
  /** Those it was not done to; a hundred at most. */
  readonly problems: readonly (Problem & { readonly id: string })[];
}

export interface QueueView extends QueueSummary {
  readonly health: QueueHealth;
}

export interface NewQueue {
  readonly queue: string;
  readonly domain: string;
  /** Goes into the store, and is never told again. */
  readonly token: string;
}

export interface ScheduleSummary {
  readonly key: string;
  readonly type: string;
  /** When it is due, for people: `cron 0 7 * * * (Europe/Paris)`, `every 30 minutes`. */
  readonly timing: string;
  /** What an operator has set in place of it, for people. */
  readonly override?: string;
  readonly enabled: boolean;
  /** The schedules of its type of jobs begin none. */
  readonly isPaused: boolean;
  /** Why it is not run: its own functions throw again and again. */
  readonly heldBecause?: string;
  readonly isRetired: boolean;
  readonly nextRunAt?: string;
  /** The occurrence whose job is not over. */
  readonly current?: { readonly occurrence: string; readonly job?: string };
  readonly last?: { readonly occurrence: string; readonly outcome: string; readonly ended: string };
  /** How often in a row it has failed. */
  readonly failures: number;
  /** The list of items that it was made for. */
  readonly group?: string;
}

export interface SchedulesView {
  readonly schedules: readonly ScheduleSummary[];
  /** Since when all are held. */
  readonly heldSince?: string;
}

export interface ScheduleView extends ScheduleSummary {
  /** The next times that it is due. */
  readonly preview: readonly string[];
  /** The latest first: a hundred at most. */
  readonly history: readonly HistoryEntry[];
}

export interface HistoryEntry {
  /** Its due time, or the id of the request. */
  readonly occurrence: string;
  readonly outcome: string;
  readonly started?: string;
  readonly ended?: string;
  /** Of the work, in milliseconds. */
  readonly duration?: number;
  /** Why it is as it is: the message of its error, say. */
  readonly message?: string;
  readonly failureType?: string;
  /** How many occurrences were passed over together. */
  readonly count?: number;
  /** The job that it was, like `resources/abc`. */
  readonly job?: string;
  /** What that returned, where it is still kept: cut after 2000 characters of JSON. */
  readonly output?: string;
}

export type SchedulesAction =
  | { readonly action: 'hold' }
  | { readonly action: 'release'; readonly due: 'run' | 'reschedule' }
  | { readonly action: 'pause-type' | 'resume-type'; readonly type: string };

export type ScheduleAction =
  | { readonly action: 'run' | 'disable' | 'reset' }
  | { readonly action: 'enable'; readonly due: 'run' | 'reschedule' }
  /** `timing` as {@link TimingOverride}; null: that of the code again. */
  | { readonly action: 'override'; readonly timing: TimingRequest | null };

/** One of `cron`, `every`, `at` and `manual`, with the `timeZone` or `phase` that belongs to it. */
export interface TimingRequest {
  readonly cron?: string;
  readonly every?: string;
  readonly at?: string | readonly string[];
  readonly manual?: true;
  readonly timeZone?: string;
  readonly phase?: string;
}

/** What is pushed while a page is open: the name of the event, and its data. */
export interface LiveEvents {
  /** At once, and whenever they change: twice a second at most. */
  readonly counts: JobCounts;
  /** At once: what is known of the last hour. Then each point that is over. */
  readonly throughput: readonly ThroughputPoint[];
  /** Jobs that were just filed: some of them, where there are more than twenty in a second. */
  readonly finished: readonly (JobSummary & { readonly list: 'success' | 'failure' })[];
  /** A job that was asked for with `jobs` has changed. Where one alone is asked for, with all that is known of it. */
  readonly job: JobSummary | JobDetail;
  /** New in the pending list: some of them, as above. */
  readonly added: readonly { readonly id: string; readonly key: string }[];
  /** Something of the schedules, the queues or the instances has changed: they are to be asked for again. */
  readonly changed: { readonly what: 'schedules' | 'queues' | 'instances' };
  /** The store is not heard of; or is again. */
  readonly connection: { readonly ok: boolean; readonly problem?: string };
}

/** Of ten seconds. */
export interface ThroughputPoint {
  /** When it began. */
  readonly time: string;
  readonly success: number;
  readonly failure: number;
  /** Of a sample of those jobs, in milliseconds. */
  readonly duration?: { readonly median: number; readonly p95: number };
}
