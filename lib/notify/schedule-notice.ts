import { assertNever } from '../errors.js';
import type { ServiceEvents } from '../events.js';
import type { FinalStatus } from '../paths.js';
import type { Notify } from '../schedule/options.js';
import type { ResolvedFinishReporter } from './finish-reporter.js';
import { placeOf, wordOf } from './text.js';
import type { NoticePart } from './text.js';

/** What has become of a schedule, as far as people may be told of it. */
export interface ScheduleNews {
  readonly news: 'failed' | 'recovered' | 'succeeded' | 'held';
  readonly schedule: string;
  /** Of its jobs. */
  readonly type: string;
  readonly notify: Notify;
  readonly occurrence: string | undefined;
  /** There may have been none. */
  readonly jobId: string | undefined;
  /** How often in a row it has failed, or had. */
  readonly failures: number;
  /** What went wrong. */
  readonly message: string | undefined;
}

/** What is known of it without its job's document; each text is one line. */
export interface ScheduleHeadline extends Omit<ScheduleNews, 'notify' | 'message'> {
  readonly service: string;
  /** ISO 8601, in UTC. */
  readonly when: string;
  /** Where its job is: a URL, or a path where the store's address is not known. */
  readonly jobAt: string | undefined;
}

/** What a message tells of a schedule. */
export interface ScheduleNotice extends ScheduleHeadline {
  readonly kind: 'schedule';
  readonly parts: readonly NoticePart[];
}

/**
 * What is to be told of the end of an occurrence. A schedule that fails each time is told of ever more rarely, so that
 * nobody stops to read; that it works again is told in any case.
 *
 * @returns undefined for nothing
 */
export function newsOfEnd(event: ServiceEvents['schedule:ended']): ScheduleNews | undefined {
  const { schedule, type, notify, occurrence, outcome, failures, before, jobId, message } = event;
  const about = { schedule, type, notify, occurrence, jobId };
  if (notify === 'never') return undefined;
  if (outcome === 'failure')
    return isTold(failures) ? { ...about, news: 'failed', failures, message } : undefined;
  if (outcome !== 'success') return undefined;
  if (before > 0) return { ...about, news: 'recovered', failures: before, message: undefined };
  if (notify !== 'always') return undefined;
  return { ...about, news: 'succeeded', failures: 0, message: undefined };
}

/** A schedule that is run no more is told of at once. */
export function newsOfHold(event: ServiceEvents['schedule:held']): ScheduleNews | undefined {
  const { schedule, type, notify, reason: message } = event;
  if (notify === 'never') return undefined;
  const about = { schedule, type, notify, occurrence: undefined, jobId: undefined, failures: 0 };
  return { ...about, news: 'held', message };
}

/** Of failures in a row those number 1, 3, 10, 30, 100, 300 and so on. */
function isTold(failures: number): boolean {
  let digits = failures;
  while (digits >= 10 && digits % 10 === 0) digits /= 10;
  return digits === 1 || digits === 3;
}

export function isNewsFor(news: ScheduleNews, { statuses, jobTypes }: ResolvedFinishReporter): boolean {
  if (jobTypes !== undefined && !jobTypes.has(news.type)) return false;
  if (news.news !== 'recovered') return statuses.has(statusOf(news));
  // Whoever was told of the failures is told of their end; to others it is a success like any other.
  return statuses.has('failure') || news.notify === 'always';
}

export function statusOf({ news }: Pick<ScheduleNews, 'news'>): FinalStatus {
  return news === 'failed' || news === 'held' ? 'failure' : 'success';
}

export interface ScheduleContext {
  readonly service: string;
  /** Where the store is; undefined where that is not known. */
  readonly storeUrl: string | undefined;
  readonly time: Date;
  /** Hides what must not be told. */
  readonly redact: (text: string) => string;
}

export function scheduleHeadlineOf(
  { news, schedule, type, occurrence, jobId, failures }: ScheduleNews,
  { service, storeUrl, time, redact }: ScheduleContext,
): ScheduleHeadline {
  const word = (text: string): string => wordOf(text, redact);
  return {
    ...{ news, failures, when: time.toISOString() },
    ...{ service: word(service), schedule: word(schedule), type: word(type) },
    occurrence: occurrence === undefined ? undefined : word(occurrence),
    jobId: jobId === undefined ? undefined : word(jobId),
    jobAt: jobId === undefined ? undefined : placeOf(storeUrl, `/${jobId}`, redact),
  };
}

/** In one line: `tractor: the schedule nightly has failed 3 times in a row`. */
export function scheduleSummary({ service, schedule, news, failures }: ScheduleHeadline): string {
  const which = `${service}: the schedule ${schedule}`;
  switch (news) {
    case 'failed':
      return failures === 1 ? `${which} failed` : `${which} has failed ${String(failures)} times in a row`;
    case 'recovered':
      return `${which} works again after ${String(failures)} ${failures === 1 ? 'failure' : 'failures'}`;
    case 'succeeded':
      return `${which} succeeded`;
    case 'held':
      return `${which} is held: its own functions throw again and again`;
    default:
      return assertNever(news);
  }
}

/** Names and values, in order; all but where its job is. */
export function scheduleFields(headline: ScheduleHeadline): (readonly [name: string, value: string])[] {
  const { service, schedule, type, occurrence, jobId, news, when } = headline;
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['Service', service],
    ['Schedule', schedule],
    ['Job type', type],
    ['Occurrence', occurrence],
    ['Job', jobId],
    ['Status', news === 'held' ? 'held' : statusOf(headline)],
    ['When', when],
  ];
  return fields.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}
