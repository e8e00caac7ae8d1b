import type { ServiceEvents } from '../events.js';
import { isJsonObject, stringify } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import type { FinalStatus } from '../paths.js';
import type { ReportedPart } from './finish-reporter.js';

export type FiledJob = ServiceEvents['job:filed'];

/** What a message tells. All of its texts are without secrets, and short. */
export type Message = Notice | Gathered;

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

/** Part of the job's document, in lines. */
export interface NoticePart {
  readonly title: string;
  readonly text: string;
}

/** How many jobs have finished that are not told one by one. */
export interface Gathered {
  readonly kind: 'gathered';
  readonly service: string;
  readonly failure: number;
  readonly success: number;
}

const MAX_WORD = 200;
const MAX_URL = 1000;
const MAX_PART = 20_000;

export interface HeadlineContext {
  readonly service: string;
  /** Where the store is; undefined where that is not known. */
  readonly storeUrl: string | undefined;
  readonly time: Date;
  /** Hides what must not be told. */
  readonly redact: (text: string) => string;
}

export function headlineOf(job: FiledJob, { service, storeUrl, time, redact }: HeadlineContext): Headline {
  // Redacted first: of a secret that is cut in two, a half would stay.
  const word = (text: string): string => oneLine(redact(text), MAX_WORD);
  const place = storeUrl === undefined ? job.path : storeUrl.replace(/\/+$/, '') + job.path;
  return {
    service: word(service),
    type: word(job.type),
    jobId: word(job.jobId),
    status: job.status,
    failureType: job.failureType === undefined ? undefined : word(job.failureType),
    when: time.toISOString(),
    filedAt: encode(oneLine(redact(place), MAX_URL)),
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

/** Control characters could make lines of their own, others turn the text around. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

function oneLine(text: string, limit: number): string {
  const short = cut(text, limit).replace(UNSEEN, ' ').trim();
  return Buffer.from(short).toString(); // a copy: part of a text holds on to the whole
}

function lines(text: string): string {
  const seen = cut(text, MAX_PART).split('\n');
  return seen.map((line) => line.replace(UNSEEN, ' ').trimEnd()).join('\n');
}

/** At most so many characters, the mark of the cut included. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  // Half of a pair is no character.
  return `${text.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** Leaves only what can stand in a URL: an address that ends early leads elsewhere. */
function encode(url: string): string {
  return url.replace(/[^A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]/gu, (character) => encodeURIComponent(character));
}
