import type { ServiceEvents } from '../events.js';
import { isJsonObject, stringify } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import type { FinalStatus } from '../paths.js';
import type { ReportedPart } from './finish-reporter.js';
import type { ScheduleNotice } from './schedule-notice.js';
import { lines, MAX_PART, placeOf, wordOf } from './text.js';
import type { NoticePart } from './text.js';

export type FiledJob = ServiceEvents['job:filed'];

/** What a message tells. All of its texts are without secrets, and short. */
export type Message = Notice | ScheduleNotice | Gathered;

/** A finished job. */
export interface Notice extends Headline {
  readonly kind: 'job';
  readonly parts: readonly NoticePart[];
}

/** What is known of a finished job without its document; each text is one line. */
export interface Headline {
  readonly service: string;
  /** Empty where it is not known. */
  readonly type: string;
  readonly jobId: string;
  readonly status: FinalStatus;
  readonly failureType: string | undefined;
  /** ISO 8601, in UTC. */
  readonly when: string;
  /** A URL that holds nothing but what a URL may, or a path where the store's address is not known. */
  readonly filedAt: string;
}

/** How many jobs have finished that are not told one by one. */
export interface Gathered {
  readonly kind: 'gathered';
  readonly service: string;
  readonly failure: number;
  readonly success: number;
}

export interface HeadlineContext {
  readonly service: string;
  /** Where the store is; undefined where that is not known. */
  readonly storeUrl: string | undefined;
  readonly time: Date;
  /** Hides what must not be told. */
  readonly redact: (text: string) => string;
}

export function headlineOf(job: FiledJob, { service, storeUrl, time, redact }: HeadlineContext): Headline {
  const word = (text: string): string => wordOf(text, redact);
  return {
    service: word(service),
    type: word(job.type),
    jobId: word(job.jobId),
    status: job.status,
    failureType: job.failureType === undefined ? undefined : word(job.failureType),
    when: time.toISOString(),
    filedAt: placeOf(storeUrl, job.path, redact),
  };
}

/** In one line: `tractor: a job of type plough failed (timeout)`. */
export function summary({ service, type, status, failureType }: Headline): string {
  const which = type === '' ? 'a job' : `a job of type ${type}`;
  if (status === 'success') return `${service}: ${which} succeeded`;
  return `${service}: ${which} failed${failureType === undefined ? '' : ` (${failureType})`}`;
}

/** In one line: `tractor: and 37 more failed jobs`. */
export function gatheredSummary({ service, failure, success }: Gathered): string {
  const all = failure + success;
  const jobs = all === 1 ? 'job' : 'jobs';
  if (success === 0) return `${service}: and ${String(all)} more failed ${jobs}`;
  if (failure === 0) return `${service}: and ${String(all)} more ${jobs} that succeeded`;
  return `${service}: and ${String(all)} more ${jobs}, ${String(failure)} of which failed`;
}

/**
 * What is to be told of a job's document.
 *
 * @param document undefined where it could not be read
 */
export function partsOf(
  document: Json | undefined,
  status: FinalStatus,
  include: ReadonlySet<ReportedPart>,
  redact: (text: string) => string,
): NoticePart[] {
  if (!isJsonObject(document)) return [{ title: 'Document', text: 'It could not be read.' }];
  const { config, result, updates } = document;
  const wanted: readonly [ReportedPart, string, Json | undefined][] = [
    ['config', 'Config', config],
    ['error', 'Error', status === 'failure' ? result : undefined],
    ['result', 'Result', status === 'failure' ? undefined : result],
  ];
  const parts = wanted.flatMap(([part, title, value]): NoticePart[] =>
    include.has(part) && value !== undefined ? [{ title, text: lines(shown(value, redact, 2)) }] : [],
  );
  if (!include.has('updates') || !isJsonObject(updates)) return parts;
  return [...parts, { title: 'Updates, the last one first', text: lines(updateLines(updates, redact)) }];
}

function updateLines(updates: JsonObject, redact: (text: string) => string): string {
  const newest = Object.entries(updates).toSorted(([one], [other]) => (one < other ? 1 : -1));
  const texts: string[] = [];
  let length = 0;
  for (const [, update] of newest) {
    if (length > MAX_PART) break;
    const { time, status, meta } = isJsonObject(update) ? update : {};
    const fields = [time, status].map((field) => (typeof field === 'string' ? redact(field) : ''));
    const text = [...fields, meta === undefined ? '' : shown(meta, redact)].join(' ').trim();
    texts.push(text);
    length += text.length;
  }
  return texts.join('\n');
}

/** As JSON. Each text in it is redacted by itself: JSON may spell a secret in another way. */
function shown(value: Json, redact: (text: string) => string, indent?: number): string {
  const replace = (_key: string, item: unknown): unknown => {
    if (typeof item === 'string') return redact(item);
    if (!isJsonObject(item)) return item;
    return Object.fromEntries(Object.entries(item).map(([key, field]) => [redact(key), field]));
  };
  try {
    return JSON.stringify(value, replace, indent);
  } catch {
    return stringify('It cannot be shown.') ?? ''; // too deep, or too long for one text
  }
}
