import { StoreError } from '../errors.js';
import { finalTime } from '../job.js';
import { isJsonObject } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import type { Store } from '../oada/store.js';
import { dayOf, entriesOf, entryPath, isOwner, JOB_TYPE, linkedId } from '../paths.js';
import type { FinalStatus, Paths } from '../paths.js';
import { find, isRemovable, layoutsOf } from './day-lists.js';
import type { DayList } from './day-lists.js';

/** What has become of a resource that the list of a day leads to. */
export type Verdict =
  /** It was a finished job, and is deleted. */
  | 'deleted'
  /** It is not there, or is not to be deleted, and nobody needs the link to find it. */
  | 'let go'
  /** A job that is not finished, and that only this link leads to. */
  | 'kept';

export interface VerdictDeps {
  readonly store: Store;
  readonly paths: Paths;
  /** Says what would be done, and does not do it. */
  readonly dryRun: boolean;
  /** The jobs that the pending lists lead to now. */
  readonly pending: () => Promise<ReadonlySet<string>>;
  /** The jobs that a list of finished jobs leads to. */
  readonly filed: (path: string) => Promise<ReadonlySet<string>>;
  /** The keys of a list, by the jobs that they lead to. */
  readonly keys: (path: string) => Promise<ReadonlyMap<string, string>>;
}

/** How often a document that changes all the time is looked at. */
const TRIES = 3;

/** Deletes the document of a finished job, unless something else needs it. */
export async function settle(id: string, list: DayList, deps: VerdictDeps): Promise<Verdict> {
  const { store, dryRun } = deps;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const found = await find(store, `/${id}`);
    if (found.kind !== 'document' || !isJob(found.data)) return 'let go';
    if ((await deps.pending()).has(id)) return 'let go';
    const status = statusOf(found.data);
    if (status === undefined) return 'kept';
    if (await isFiledElsewhere(id, list, { status, document: found.data }, deps)) return 'let go';
    if (dryRun) return 'deleted';
    // First: once the document is gone, nothing says whose it was. One that is run again is linked anew when it is filed.
    await unlinkOwned(id, found.data, deps);
    if (await deleteIfUnchanged(store, `/${id}`, found.etag)) return 'deleted';
  }
  return 'kept';
}

/** A key may lead to another job by now: the list tells. */
async function unlinkOwned(id: string, { owner }: JsonObject, deps: VerdictDeps): Promise<void> {
  if (!isOwner(owner)) return;
  const list = deps.paths.userJobs(owner);
  const key = (await deps.keys(list)).get(id);
  if (key !== undefined && isRemovable(key)) await deps.store.delete(entryPath(list, key));
}

/** @returns false where somebody has written to it, or deleted it */
export async function deleteIfUnchanged(store: Store, path: string, ifMatch: string): Promise<boolean> {
  try {
    await store.delete(path, { ifMatch });
    return true;
  } catch (error) {
    if (error instanceof StoreError && error.code === 'OADA_JOBS_STORE_CONFLICT') return false;
    throw error;
  }
}

export async function readKeys(store: Store, path: string): Promise<ReadonlyMap<string, string>> {
  const found = await find(store, path);
  const entries = found.kind === 'document' ? [...entriesOf(found.data)] : [];
  return new Map(entries.map(([key, entry]) => [linkedId(entry) ?? '', key]));
}

export async function readFiled(store: Store, path: string): Promise<ReadonlySet<string>> {
  return new Set((await readKeys(store, path)).keys());
}

/**
 * Whatever was listed as pending by mistake is filed as a failure, and so has a status: another kind of document is not
 * ours to delete all the same.
 */
function isJob(document: Json | undefined): document is JsonObject {
  if (!isJsonObject(document)) return false;
  const { _type, service, type } = document;
  return _type === JOB_TYPE || (typeof service === 'string' && typeof type === 'string');
}

function statusOf({ status }: JsonObject): FinalStatus | undefined {
  return status === 'success' || status === 'failure' ? status : undefined;
}

/** A job that was run once more stands under another day or status as well, and is deleted when that is. */
async function isFiledElsewhere(
  id: string,
  list: DayList,
  { status, document }: { readonly status: FinalStatus; readonly document: JsonObject },
  { paths, filed }: VerdictDeps,
): Promise<boolean> {
  const time = finalTime(document);
  const date = time === undefined ? list.date : dayOf(time);
  if (status === list.status && date === list.date) return false;
  for (const layout of layoutsOf(paths)) {
    if ((await filed(layout.dayIndex(status, date))).has(id)) return true;
  }
  return false;
}
