import type { Clock } from './clock.js';
import { documentAt } from './document-at.js';
import { ConfigError, unlessMissing } from './errors.js';
import { finalTime, isFinalDocument, Job } from './job.js';
import { objectOf } from './json.js';
import type { Json, JsonObject } from './json.js';
import type { Store } from './oada/store.js';
import { expected } from './options.js';
import { dayOf, entryPath, isAddressable, isEntryKey, isOwner, isResourceId, linkedId } from './paths.js';
import type { Layout, LayoutName, Paths } from './paths.js';
import { submitTo } from './producer.js';
import type { SubmittedJob } from './producer.js';
import { statusOf } from './status.js';
import type { JobStatus, StatusViews } from './status.js';

export interface JobsDeps {
  readonly service: string;
  readonly store: Store;
  readonly paths: Paths;
  readonly clock: Clock;
  readonly views: StatusViews;
  /** In which list jobs are put that are run again; undefined: in that which is in use. */
  readonly layout: LayoutName | undefined;
}

/** A job of a user. */
export interface OwnedJob extends JobStatus {
  /** Of its link in the pending list, by which it is cancelled. */
  readonly key: string;
}

/** How many documents are read at once. */
const AT_ONCE = 50;
const ORDER: Readonly<Record<JobStatus['state'], number>> = {
  running: 0,
  waiting: 1,
  failure: 2,
  success: 2,
};

/** What people see of their jobs, and may ask of them. */
export class Jobs {
  readonly #deps: JobsDeps;

  /** @internal */
  constructor(deps: JobsDeps) {
    this.#deps = deps;
  }

  /** How a job is doing, as the view of its type shows it. */
  async status(jobId: string): Promise<JobStatus> {
    checkId(jobId);
    return await statusOf(this.#deps.store, jobId, this.#deps.views);
  }

  /**
   * The jobs of a user: first those that run and wait, then those that are over, the latest first. Jobs that were deleted
   * meanwhile are taken out of the user's list.
   *
   * @param owner like `users/abc`
   */
  async of(owner: string): Promise<OwnedJob[]> {
    if (!isOwner(owner)) throw expected('owner', 'a user like users/abc', owner);
    const { store, paths } = this.#deps;
    const list = paths.userJobs(owner);
    const entries = Object.entries(objectOf(await documentAt(store, list)));
    const jobs: OwnedJob[] = [];
    for (let index = 0; index < entries.length; index += AT_ONCE) {
      const some = entries.slice(index, index + AT_ONCE);
      jobs.push(...(await Promise.all(some.map(([key, entry]) => this.#owned(list, key, entry)))).flat());
    }
    return jobs.toSorted((one, other) => ORDER[one.state] - ORDER[other.state] || endOf(other) - endOf(one));
  }

  /**
   * Has the same done again, by a job of its own.
   *
   * @param user who asks for it, like `users/abc`
   * @throws {ConfigError} it is no job
   */
  async rerun(jobId: string, user?: string): Promise<SubmittedJob> {
    checkId(jobId);
    const { service, store, clock, layout } = this.#deps;
    const job = sameAgain(Job.parse(jobId, await documentAt(store, `/${jobId}`)), user);
    return await submitTo(store, { service, job, idempotencyKey: undefined, layout }, clock);
  }

  /**
   * Deletes a job that is over, with all its links.
   *
   * @param key of its link in the lists, where it is known: they may be long, and are read only where it is not there
   * @throws {ConfigError} it is not over
   */
  async delete(jobId: string, key?: string): Promise<void> {
    checkId(jobId);
    const { store, paths } = this.#deps;
    const document = await documentAt(store, `/${jobId}`);
    if (document === undefined) return;
    if (!isFinalDocument(document)) throw new ConfigError(`${jobId} is not over: cancel it first`);
    const { owner, failureType } = Job.parse(jobId, document);
    const status = objectOf(document)['status'] === 'success' ? 'success' : 'failure';
    const time = finalTime(document);
    const keys = [...new Set([key, jobId.slice('resources/'.length)])].filter((one) => one !== undefined);
    const ofDay = (pathOf: (layout: Layout, day: string) => string): string[] =>
      time === undefined ? [] : [paths.classic, paths.nested].map((layout) => pathOf(layout, dayOf(time)));
    const kinds = [
      ofDay((layout, day) => layout.dayIndex(status, day)),
      failureType === undefined ? [] : ofDay((layout, day) => layout.typedFailure(failureType, day)),
      owner === undefined ? [] : [paths.userJobs(owner)],
    ];
    await Promise.all(kinds.map((lists) => this.#unlink(lists, jobId, keys)));
    await store.delete(`/${jobId}`);
  }

  /**
   * @param lists in one of which it is
   * @param keys that it most likely has
   */
  async #unlink(lists: readonly string[], jobId: string, keys: readonly string[]): Promise<void> {
    const { store } = this.#deps;
    for (const list of lists) {
      for (const key of keys.filter(isAddressable)) {
        const path = entryPath(list, key);
        const { location } = (await unlessMissing(store.head(path))) ?? {};
        if (location?.replaceAll(/^\/|\/$/g, '') !== jobId) continue;
        await store.delete(path);
        return;
      }
    }
    for (const list of lists) {
      for (const [key, entry] of Object.entries(objectOf(await documentAt(store, list)))) {
        if (linkedId(entry) === jobId && isAddressable(key)) await store.delete(entryPath(list, key));
      }
    }
  }

  /** None where it was deleted. */
  async #owned(list: string, key: string, entry: Json | undefined): Promise<OwnedJob[]> {
    const { store, views } = this.#deps;
    const id = linkedId(entry);
    if (!isEntryKey(key) || id === undefined) return [];
    const status = await unlessMissing(statusOf(store, id, views));
    if (status !== undefined) return [{ ...status, key }];
    if (isAddressable(key)) await store.delete(entryPath(list, key));
    return [];
  }
}

/** A job that has the same done: nothing that its runs have left is in it. */
export function sameAgain(job: Job, user: string | undefined): JsonObject {
  const { _id, service, type, config, owner, resources, priority } = job;
  return {
    ...{ service, type, config },
    startedBy: { ...(user !== undefined && { user }), job: _id },
    ...(owner !== undefined && { owner }),
    ...(resources.length > 0 && { resources: [...resources] }),
    ...(priority !== 0 && { priority }),
  };
}

function endOf({ finished, started }: JobStatus): number {
  return (finished ?? started)?.getTime() ?? 0;
}

function checkId(jobId: unknown): void {
  if (!isResourceId(jobId)) throw expected('jobId', 'a resource like resources/abc', jobId);
}
