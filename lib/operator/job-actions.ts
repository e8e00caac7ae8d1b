import { askToCancel, askToPause } from '../controls.js';
import { documentAt } from '../document-at.js';
import { ConfigError, toError, unlessMissing } from '../errors.js';
import { isFinalDocument, Job } from '../job.js';
import { isJsonObject, objectOf } from '../json.js';
import type { JsonObject } from '../json.js';
import { sameAgain } from '../jobs.js';
import { isAddressable, isEntryKey, isResourceId } from '../paths.js';
import { idempotentKey, submitTelling } from '../producer.js';
import type { SubmittedJob } from '../producer.js';
import { layoutsOf } from '../retention/day-lists.js';
import { isJobOf } from './job-of.js';
import { listJobs } from './list-jobs.js';
import type { ListRequest } from './list-jobs.js';
import { filedDays, readFiledEntries } from './lists.js';
import type { ListReader } from './lists.js';
import type { OperatorDeps } from './operator-deps.js';

export interface LocatedJob {
  /** Its resource, like `resources/abc`. */
  readonly id: string;
  /** Of its link in the pending list, or of the one that it was found by. */
  readonly key: string;
  readonly document: JsonObject;
}

/** A failure that was to be run again. */
export interface RetriedJob {
  readonly id: string;
  /** The job that does the same, or why there is none. */
  readonly outcome: { readonly job: Retry } | { readonly error: Error };
}

/** The job that does again what has failed. */
export interface Retry extends SubmittedJob {
  /** False: the failure was retried before, by this same job. */
  readonly isNew: boolean;
}

/** How many retries are submitted at once. */
const AT_ONCE = 10;
/** How far back a job is looked for that is known by its key alone. */
const MOST_DAYS = 31;

/**
 * Finds a job.
 *
 * @param name its resource, like `resources/abc`, or the key of its link
 * @throws {ConfigError} the service has none of that name
 */
export async function findJob(deps: OperatorDeps, name: string, lists: ListReader): Promise<LocatedJob> {
  const found = isResourceId(name) ? { id: name, key: await keyOf(deps, name, lists) } : undefined;
  const located = found ?? (await locate(deps, name, lists));
  const stored = located === undefined ? undefined : await unlessMissing(deps.store.get(`/${located.id}`));
  const document = objectOf(stored?.data);
  if (located === undefined || !isJobOf(deps.service, document))
    throw new ConfigError(`there is no job ${JSON.stringify(name)} of ${deps.service}`);
  return { ...located, document };
}

/** The key in the pending list; where it is in none, that which our producers would have given it. */
async function keyOf(deps: OperatorDeps, id: string, lists: ListReader): Promise<string> {
  const usual = id.slice('resources/'.length);
  if ((await pendingId(deps, usual)) === id) return usual;
  for (const layout of layoutsOf(deps.paths)) {
    const linked = (await lists.entries(layout.pending)).find((entry) => entry.id === id);
    if (linked !== undefined) return linked.key;
  }
  return usual;
}

async function locate(
  deps: OperatorDeps,
  key: string,
  lists: ListReader,
): Promise<Omit<LocatedJob, 'document'> | undefined> {
  if (!isEntryKey(key) || !isAddressable(key)) return undefined;
  const pending = await pendingId(deps, key);
  if (pending !== undefined) return { id: pending, key };
  const usual = `resources/${key}`;
  if (isResourceId(usual) && (await unlessMissing(deps.store.head(`/${usual}`))) !== undefined)
    return { id: usual, key };
  for (const status of ['success', 'failure'] as const) {
    for (const day of (await filedDays(deps, status)).slice(0, MOST_DAYS)) {
      const filed = (await readFiledEntries(deps, lists, { status, day })).find((entry) => entry.key === key);
      if (filed !== undefined) return filed;
    }
  }
  return undefined;
}

/** The job that a key of the pending list leads to. */
async function pendingId({ store, paths }: OperatorDeps, key: string): Promise<string | undefined> {
  for (const layout of layoutsOf(paths)) {
    const location = (await unlessMissing(store.head(layout.pendingLink(key))))?.location;
    const id = location?.replace(/^\//, '').replace(/\/$/, '');
    if (isResourceId(id)) return id;
  }
  return undefined;
}

/**
 * Asks whichever instance has the job to cancel it; where none runs, the next one does.
 *
 * @throws {ConfigError} it is over
 */
export async function cancelJob(deps: OperatorDeps, { id, key, document }: LocatedJob): Promise<void> {
  if (isFinalDocument(document)) throw new ConfigError(`${id} is over: there is nothing to cancel`);
  await deps.store.ensure(deps.paths.controls, deps.paths.tree);
  await askToCancel(deps, key);
}

/**
 * Has a failed job done again, by a job of its own. Asked for twice, also at the same time, it is still done once.
 *
 * @param user who asks for it, like `users/abc`
 * @throws {ConfigError} it is no job of the service, or has not failed
 */
export async function retryJob(
  { service, store, clock }: OperatorDeps,
  { id, document }: Pick<LocatedJob, 'id' | 'document'>,
  user?: string,
): Promise<Retry> {
  if (!isJobOf(service, document)) throw new ConfigError(`${id} is no job of ${service}`);
  if (document['status'] !== 'failure')
    throw new ConfigError(`${id} has not failed: only failures are retried`);
  const job = sameAgain(Job.parse(id, document), user);
  const request = { service, job, idempotencyKey: retryKey(id), layout: undefined };
  return await submitTelling(store, request, clock);
}

/** The job that a failure was retried by, like `resources/abc`; undefined where it was not. */
export async function retryOf({ store, paths }: OperatorDeps, id: string): Promise<string | undefined> {
  const { location } = (await unlessMissing(store.head(paths.classic.pending))) ?? {};
  if (location === undefined) return undefined;
  const retry = `resources/${idempotentKey(location, retryKey(id))}`;
  return (await unlessMissing(store.head(`/${retry}`))) === undefined ? undefined : retry;
}

function retryKey(id: string): string {
  return `retry of ${id}`;
}

/**
 * All failures of a day, a type, an owner, … Those that are to be retried are found before the first is: a retry that fails
 * at once stands among them otherwise, and is retried as well.
 *
 * @param signal looks for no more of them
 */
export async function findFailures(
  deps: OperatorDeps,
  request: Omit<ListRequest, 'list' | 'limit' | 'after'>,
  lists: ListReader,
  signal?: AbortSignal,
): Promise<string[]> {
  const ids = new Set<string>();
  let after: string | undefined;
  do {
    const page = await listJobs(deps, { ...request, list: 'failure', limit: 1000, after }, lists);
    for (const { id } of page.jobs) ids.add(id);
    after = page.next;
  } while (after !== undefined && signal?.aborted !== true);
  return [...ids];
}

/**
 * Retries failures as {@link retryJob} does, some at once, and tells of each.
 *
 * @param ids like `resources/abc`
 * @param signal begins no more of them
 */
export async function* retryEach(
  deps: OperatorDeps,
  ids: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<RetriedJob> {
  for (let index = 0; index < ids.length && signal?.aborted !== true; index += AT_ONCE) {
    yield* await Promise.all(ids.slice(index, index + AT_ONCE).map((id) => retried(deps, id)));
  }
}

async function retried(deps: OperatorDeps, id: string): Promise<RetriedJob> {
  try {
    const { data } = await deps.store.get(`/${id}`);
    return { id, outcome: { job: await retryJob(deps, { id, document: objectOf(data) }) } };
  } catch (error) {
    return { id, outcome: { error: toError(error) } };
  }
}

/** Has no more jobs begun, or again; those that run go on. */
export async function setPaused(deps: OperatorDeps, paused: boolean): Promise<void> {
  await deps.store.ensure(deps.paths.controls, deps.paths.tree);
  await askToPause(deps, paused);
}

export async function isPaused({ store, paths }: OperatorDeps): Promise<boolean> {
  const data = await documentAt(store, paths.controls);
  return isJsonObject(data) && data['paused'] === true;
}
