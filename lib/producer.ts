import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

import type { OADAClient } from '@oada/client';

import { backoff, sleep, systemClock } from './clock.js';
import type { Clock } from './clock.js';
import { IdempotencyError, StoreError, unlessMissing } from './errors.js';
import { isEmptyDocument, isFinalDocument } from './job.js';
import { jsonOf, resolveRequest } from './job-request.js';
import type { JobRequest, ResolvedRequest } from './job-request.js';
import { isJsonObject, objectOf } from './json.js';
import type { Json, JsonObject } from './json.js';
import { withStore } from './oada/shared-store.js';
import type { Store, StoredDocument } from './oada/store.js';
import { expected } from './options.js';
import { isOwner, isResourceId, JOB_TYPE, link, linkedId, pathsOf, TREE } from './paths.js';
import type { LayoutName, Paths } from './paths.js';
import { traced } from './tracing.js';

/** What a producer writes; the rest of a job's document is the service's. */
export interface NewJob {
  readonly service: string;
  readonly type: string;
  readonly config?: object | Json;
  /** Higher goes first; 0 by default. */
  readonly priority?: number;
  /** The job is not run before then. ISO 8601, in UTC. */
  readonly startAfter?: string;
}

/** A job that is in its pending list. */
export interface SubmittedJob {
  /** Its resource, like `resources/abc`. */
  readonly _id: string;
  /** Of its link in the pending list. */
  readonly key: string;
  /** Where that link is, or was while the job was pending. */
  readonly path: string;
}

const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 2000;
/** How often a job that others write as well is tried to be written. */
const TRIES = 10;

/**
 * Posts a job as it is, whatever it is: makes it a resource, and links it in the pending list, which is made where it
 * is missing. {@link submit} does the same, and checks it.
 *
 * @param path the pending list: `/bookmarks/services/<service>/jobs`, or `…/jobs/pending`
 * @returns the job's resource, like `resources/abc`, and its key in the list
 * @throws {ConfigError} the job is nothing that JSON can hold
 * @throws {StoreError}
 */
export async function postJob(
  oada: OADAClient,
  path: string,
  job: NewJob | Json,
): Promise<{ _id: string; key: string }> {
  if (typeof path !== 'string' || !path.startsWith('/'))
    throw expected('path', 'that of a pending list', path);
  const data = jsonOf('job', job);
  if (data === undefined) throw expected('job', 'a job', job);
  const list = path.replace(/\/+$/, '');
  const { service, type } = objectOf(data);
  const { _id, key } = await traced({ service, type }, (part) => {
    const document = isJsonObject(data) ? { ...part, ...data } : data;
    return withStore(oada, (store) => post(store, list, document, systemClock));
  });
  return { _id, key };
}

/**
 * Adds an update to a job.
 *
 * @param jobId its resource, like `resources/abc`
 * @param meta anything that JSON can hold
 * @throws {ConfigError}
 * @throws {StoreError}
 */
export async function postUpdate(
  oada: OADAClient,
  jobId: string,
  meta: Json | undefined,
  status: string,
): Promise<void> {
  if (!isResourceId(jobId)) throw expected('jobId', 'a resource like resources/abc', jobId);
  if (typeof status !== 'string' || status === '')
    throw expected('status', 'a text that is not empty', status);
  const said = jsonOf('meta', meta);
  const update = { status, time: systemClock.now().toISOString(), ...(said !== undefined && { meta: said }) };
  // What a POST would do, but with a key that is known: it can be repeated when no answer came.
  const path = `/${jobId}/updates/${systemClock.key()}`;
  await withStore(oada, (store) => store.put(path, update));
}

/**
 * Has a service do a job: puts it into the service's pending list, which is made where it is missing. What a lost
 * connection leaves open is tried again, without making two jobs of one.
 *
 * With an idempotency key a job is submitted once, however often this is called with the key, at the same time, after a
 * crash or after the job is over. Of two calls whose jobs differ in type or config one is refused, and nothing is ever
 * made of both; other differences go unnoticed, the first call counts. It holds for one service of one user, and for as
 * long as nobody deletes the job's resource.
 *
 * @throws {ConfigError} something is wrong with the request
 * @throws {IdempotencyError} the key stands for another job
 * @throws {StoreError}
 */
export async function submit(oada: OADAClient, request: JobRequest): Promise<SubmittedJob> {
  const resolved = resolveRequest(request);
  const { service, type } = request;
  return await traced({ service, type }, (part) => {
    const job = { ...resolved.job, ...part };
    return withStore(oada, (store) => submitTo(store, { ...resolved, job }, systemClock));
  });
}

/** @internal */
export async function submitTo(store: Store, request: ResolvedRequest, clock: Clock): Promise<SubmittedJob> {
  const { _id, key, path } = await submitTelling(store, request, clock);
  return { _id, key, path };
}

/**
 * @internal
 * @returns and whether the job is new: that of an idempotency key may have been there already
 */
export async function submitTelling(
  store: Store,
  { service, job, idempotencyKey, layout }: ResolvedRequest,
  clock: Clock,
): Promise<SubmittedJob & { readonly isNew: boolean }> {
  const paths = pathsOf(service);
  const { pending } = paths[layout ?? (await layoutInUse(store, paths))];
  if (idempotencyKey === undefined) {
    const key = clock.key();
    await linkToOwner(store, paths, job, key);
    return { ...(await post(store, pending, job, clock, key)), isNew: true };
  }
  const key = await keyFor(store, paths, pending, idempotencyKey);
  await linkToOwner(store, paths, job, key);
  const submitted = { _id: `resources/${key}`, key, path: `${pending}/${key}` };
  return { ...submitted, isNew: await postOnce(store, submitted, job, clock) };
}

/** That of the lists that are there; where there is none, the one of the newer producers. */
export async function layoutInUse(store: Store, { classic, nested }: Paths): Promise<LayoutName> {
  if (await isThere(store, nested.pending)) return 'nested';
  return (await isThere(store, classic.pending)) ? 'classic' : 'nested';
}

async function isThere(store: Store, path: string): Promise<boolean> {
  return (await unlessMissing(store.head(path))) !== undefined;
}

/** Its owner finds it from the start. */
async function linkToOwner(store: Store, paths: Paths, { owner }: JsonObject, key: string): Promise<void> {
  if (!isOwner(owner)) return;
  const list = paths.userJobs(owner);
  await store.ensure(list, paths.tree);
  await store.put(list, { [key]: link(`resources/${key}`) });
}

/** A list that a producer has put inline is served where it is. */
async function ensurePending(store: Store, pending: string): Promise<void> {
  try {
    await store.ensure(pending, TREE);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'OADA_JOBS_STORE_REFUSED') throw error;
    const { data } = await store.get(pending);
    const entries = isJsonObject(data) ? Object.values(data) : [];
    if (entries.length === 0 || !entries.every((entry) => linkedId(entry) !== undefined)) throw error;
  }
}

/** The link comes last: who finds it finds the job. Its id is chosen here, so each request can be repeated. */
async function post(
  store: Store,
  pending: string,
  job: Json,
  clock: Clock,
  key: string = clock.key(),
): Promise<SubmittedJob> {
  const _id = `resources/${key}`;
  const path = `${pending}/${key}`;
  await Promise.all([ensurePending(store, pending), store.put(`/${_id}`, job, { type: JOB_TYPE })]);
  await store.put(path, link(_id));
  return { _id, key, path };
}

/**
 * The key that a job has by its idempotency key. It is the same in either layout, so that it stays when a service
 * changes from one to the other, and another one for each user: their paths are alike, and their resources are not.
 */
async function keyFor(store: Store, paths: Paths, pending: string, idempotencyKey: string): Promise<string> {
  await ensurePending(store, pending);
  const { location } = await store.head(paths.classic.pending);
  if (location === undefined) {
    const message = `The store does not say where ${paths.classic.pending} is, which idempotency keys depend on.`;
    throw new StoreError('OADA_JOBS_STORE_REFUSED', message, { path: paths.classic.pending });
  }
  return idempotentKey(location, idempotencyKey);
}

/**
 * @internal
 * @param location of the classic pending list
 */
export function idempotentKey(location: string, idempotencyKey: string): string {
  return createHash('sha256')
    .update(JSON.stringify([location, idempotencyKey]))
    .digest('hex');
}

/** @returns whether it was not there */
async function postOnce(store: Store, job: SubmittedJob, data: JsonObject, clock: Clock): Promise<boolean> {
  const linked = await unlessMissing(store.get(job.path));
  if (linked !== undefined && !isEmptyDocument(linked.data)) {
    checkSame(job._id, linked.data, data);
    return false;
  }
  const found = await writeOnce(store, `/${job._id}`, data, clock);
  if (found !== undefined) checkSame(job._id, found, data);
  // One that is over was in the list, and is filed. One that is not may have lost its producer before it was linked.
  if (!isFinalDocument(found)) await store.put(job.path, link(job._id));
  return found === undefined;
}

/**
 * Writes a document where there is none. A store cannot be asked to write on that condition, so an empty one is put
 * there first, by anybody and as often as they like, and then filled on the condition that it is still that: of those
 * who try, one wins.
 *
 * @returns what somebody else has written there; undefined where this was the one
 */
async function writeOnce(store: Store, path: string, data: Json, clock: Clock): Promise<Json | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      const empty = await emptyDocument(store, path);
      if (!isEmptyDocument(empty.data)) return empty.data;
      await store.put(path, data, { type: JOB_TYPE, ifMatch: empty.etag });
      return undefined;
    } catch (error) {
      // Without an answer it may be written all the same: what is there tells.
      const isOpen =
        error instanceof StoreError && (error.retryable || error.code === 'OADA_JOBS_STORE_CONFLICT');
      if (!isOpen || attempt === TRIES) throw error;
      await sleep(clock, backoff(clock, attempt, FIRST_WAIT_MS, LONGEST_WAIT_MS));
    }
  }
}

/** What is at the path; an empty document is made where there is nothing. */
async function emptyDocument(store: Store, path: string): Promise<StoredDocument> {
  const found = await unlessMissing(store.get(path));
  if (found !== undefined) return found;
  const made = await store.put(path, {}, { type: JOB_TYPE });
  // Its first revision is what we wrote; later ones may be anybody's.
  return made.rev === 1 ? { ...made, data: {} } : await store.get(path);
}

/** @throws {IdempotencyError} */
function checkSame(jobId: string, found: Json | undefined, wanted: JsonObject): void {
  const there = isJsonObject(found) ? found : {};
  const differing = ['type', 'config'].filter(
    (name) => !isDeepStrictEqual(comparable(there[name]), comparable(wanted[name])),
  );
  if (differing.length > 0) throw new IdempotencyError(jobId, differing);
}

/** Without the revisions of links: those are the store's. */
function comparable(value: Json | undefined): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).filter(([name]) => name !== '_rev' || !('_id' in value));
  return new Map(entries.map(([name, inner]) => [name, comparable(inner)]));
}
