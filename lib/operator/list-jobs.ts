import { documentAt } from '../document-at.js';
import { isJsonObject, stringify } from '../json.js';
import type { JsonObject } from '../json.js';
import { expected, wholeNumber } from '../options.js';
import { isOwner } from '../paths.js';
import type { FinalStatus } from '../paths.js';
import { isDay } from '../report/filed-jobs.js';
import { listInstances } from './instances.js';
import { isJobOf } from './job-of.js';
import { summaryOf } from './job-summary.js';
import type { JobSummary } from './job-summary.js';
import { filedDays, readFiledEntries, readPendingEntries } from './lists.js';
import type { ListEntry, ListReader } from './lists.js';
import type { OperatorDeps } from './operator-deps.js';

/** `pending` has those that run as well: they stay in the pending list until they are filed. */
export type JobListName = 'pending' | 'running' | FinalStatus;
export const JOB_LISTS: readonly JobListName[] = ['pending', 'running', 'success', 'failure'];

/** Which jobs, and how many of them. */
export interface ListRequest {
  readonly list: JobListName;
  readonly type?: string | undefined;
  /** Like `users/abc`. */
  readonly owner?: string | undefined;
  /** On which they were filed: UTC, like `2026-01-31`. By default the latest, and those before. */
  readonly day?: string | undefined;
  readonly failureType?: string | undefined;
  /** Stands in its key, type, owner, config or error; upper and lower case are the same. */
  readonly text?: string | undefined;
  /** From 1 to 1000. @defaultValue 50 */
  readonly limit?: number | undefined;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
}

export interface JobPage {
  /** The pending ones in the order of their keys, the others in the reverse of it. */
  readonly jobs: readonly JobSummary[];
  /** Where to go on; undefined where that was all. */
  readonly next: string | undefined;
  /** How many documents were read to find them. There may be none on a page, and more to come. */
  readonly looked: number;
}

const DEFAULT_LIMIT = 50;
const MOST = 1000;
/** How many documents are read at once. */
const AT_ONCE = 50;
/** How many documents are read for one page, should few of them be what is asked for. */
const MOST_LOOKED = 2000;
/** How many of the oldest pending jobs are looked at for such as run: those of others have no heartbeat that tells of them. */
const OLDEST = 100;

/** @throws {ConfigError} the request is none */
export async function listJobs(
  deps: OperatorDeps,
  request: ListRequest,
  lists: ListReader,
): Promise<JobPage> {
  checkListRequest(request);
  const { list, after = '' } = request;
  if (list === 'success' || list === 'failure')
    return await page(deps, request, filedEntries(deps, { ...request, list }, lists));
  const entries = await (list === 'pending' ? readPendingEntries(deps, lists) : runningEntries(deps, lists));
  return await page(deps, request, some(entries.filter(({ key }) => key > after)));
}

/** An entry, and what a page that ends behind it says of that. */
interface Candidate extends ListEntry {
  readonly cursor: string;
}

async function* some(entries: readonly ListEntry[]): AsyncGenerator<Candidate> {
  for (const entry of entries) yield { ...entry, cursor: entry.key };
}

async function* filedEntries(
  deps: OperatorDeps,
  { list, day, failureType, after }: ListRequest & { list: FinalStatus },
  lists: ListReader,
): AsyncGenerator<Candidate> {
  const [fromDay = '', fromKey = ''] = after === undefined ? [] : splitCursor(after);
  for (const date of day === undefined ? await filedDays(deps, list) : [day]) {
    if (fromDay !== '' && date > fromDay) continue;
    for (const entry of await readFiledEntries(deps, lists, { status: list, day: date, failureType })) {
      if (date === fromDay && entry.key >= fromKey) continue;
      yield { ...entry, cursor: `${date} ${entry.key}` };
    }
  }
}

/** What the heartbeats tell of, and the oldest of the list. */
async function runningEntries(deps: OperatorDeps, lists: ListReader): Promise<ListEntry[]> {
  const [instances, pending] = await Promise.all([listInstances(deps), readPendingEntries(deps, lists)]);
  const told = new Set(instances.flatMap(({ jobs }) => jobs));
  return pending.filter(({ id }, index) => index < OLDEST || told.has(id));
}

async function page(
  deps: OperatorDeps,
  request: ListRequest,
  candidates: AsyncGenerator<Candidate>,
): Promise<JobPage> {
  const { limit = DEFAULT_LIMIT } = request;
  const jobs: JobSummary[] = [];
  let looked = 0;
  let isAll = false;
  let next: string | undefined;
  while (!isAll && jobs.length < limit && looked < MOST_LOOKED) {
    const chunk = await take(candidates, Math.min(AT_ONCE, MOST_LOOKED - looked));
    isAll = chunk.length === 0;
    const read = await Promise.all(chunk.map((entry) => readSummary(deps, entry, request)));
    for (const [index, job] of read.entries()) {
      if (jobs.length === limit) break;
      looked++;
      next = chunk[index]?.cursor;
      if (job !== undefined) jobs.push(job);
    }
  }
  return { jobs, next: isAll ? undefined : next, looked };
}

async function take(candidates: AsyncGenerator<Candidate>, count: number): Promise<Candidate[]> {
  const taken: Candidate[] = [];
  while (taken.length < count) {
    const result = await candidates.next();
    if (result.done === true) break;
    taken.push(result.value);
  }
  return taken;
}

/** Undefined: it is not asked for, was deleted meanwhile, or is no job of the service, whoever has linked it. */
async function readSummary(
  { store, service }: OperatorDeps,
  { id, key }: ListEntry,
  request: ListRequest,
): Promise<JobSummary | undefined> {
  const document = await documentAt(store, `/${id}`);
  if (!isJsonObject(document) || !isJobOf(service, document)) return undefined;
  const summary = summaryOf(id, key, document);
  return isAskedFor(summary, document, request) ? summary : undefined;
}

function isAskedFor(summary: JobSummary, document: JsonObject, request: ListRequest): boolean {
  const { list, type, owner, text } = request;
  return (
    (type === undefined || summary.type === type) &&
    (owner === undefined || summary.owner === owner) &&
    (list !== 'running' || summary.state === 'running') &&
    (text === undefined || textOf(summary, document).includes(text.toLowerCase()))
  );
}

function textOf({ id, key, type, owner = '', error }: JobSummary, { config }: JsonObject): string {
  return [id, key, type, owner, error?.message ?? '', error?.type ?? '', stringify(config) ?? '']
    .join('\n')
    .toLowerCase();
}

function splitCursor(cursor: string): [string, string] {
  const [day = '', key = ''] = cursor.split(' ');
  if (!isDay(day)) throw expected('after', 'the `next` of the page before', cursor);
  return [day, key];
}

/** @throws {ConfigError} the request is none, or asks for what a list has not */
export function checkListRequest({ list, owner, day, failureType, limit }: ListRequest): void {
  if (!JOB_LISTS.includes(list)) throw expected('list', "'pending', 'running', 'success' or 'failure'", list);
  if (failureType !== undefined && list !== 'failure')
    throw expected('failureType', "left out, except with the list 'failure'", failureType);
  if (day !== undefined && list !== 'success' && list !== 'failure')
    throw expected('day', "left out, except with the lists 'success' and 'failure'", day);
  if (owner !== undefined && !isOwner(owner)) throw expected('owner', 'a user like users/abc', owner);
  if (day !== undefined && !isDay(day)) throw expected('day', 'a day like 2026-01-31', day);
  if (limit !== undefined && wholeNumber('limit', limit) > MOST)
    throw expected('limit', 'at most 1000', limit);
}
