import { assertNever } from '../errors.js';
import { cancelJob, findFailures, retryEach, retryJob } from '../operator/job-actions.js';
import type { ListReader } from '../operator/lists.js';
import type { OperatorDeps } from '../operator/operator-deps.js';
import { Jobs } from '../jobs.js';
import type { ActionResult, JobsAction } from './api.js';
import { locateJob } from './job-view.js';
import { problemOf } from './problem.js';

const MOST_JOBS = 1000;
const MOST_PROBLEMS = 100;
/** How many jobs it is done to at once. */
const AT_ONCE = 10;

/** Does it to each job for which that can be done, and tells of the others. */
export async function actOnJobs(
  deps: OperatorDeps,
  request: JobsAction,
  lists: ListReader,
): Promise<ActionResult> {
  const result = new Tally();
  if ('filter' in request) {
    const failures = await findFailures(deps, request.filter, lists);
    for await (const { id, outcome } of retryEach(deps, failures)) {
      if ('job' in outcome) result.done(outcome.job._id, outcome.job.isNew);
      else result.failed(id, outcome.error);
    }
    return result.told();
  }
  const { action, ids } = request;
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const some = ids.slice(from, from + AT_ONCE);
    const settled = await Promise.allSettled(some.map((id) => actOnJob(deps, action, id, lists)));
    for (const [index, outcome] of settled.entries()) {
      if (outcome.status === 'fulfilled') result.done(outcome.value?._id, outcome.value?.isNew);
      else result.failed(some[index] ?? '', outcome.reason);
    }
  }
  return result.told();
}

/** @returns the job that came of it */
async function actOnJob(
  deps: OperatorDeps,
  action: Exclude<JobsAction, { filter: unknown }>['action'],
  id: string,
  lists: ListReader,
): Promise<{ readonly _id: string; readonly isNew?: boolean } | undefined> {
  const located = await locateJob(deps, id, lists);
  const jobs = new Jobs({ ...deps, views: new Map(), layout: undefined });
  switch (action) {
    case 'retry':
      return await retryJob(deps, located);
    case 'rerun':
      return await jobs.rerun(id);
    case 'cancel':
      await cancelJob(deps, located);
      return undefined;
    case 'delete':
      await jobs.delete(id, located.key);
      return undefined;
    default:
      return assertNever(action);
  }
}

class Tally {
  readonly #jobs: string[] = [];
  readonly #problems: ActionResult['problems'][number][] = [];
  #done = 0;
  #before = 0;

  done(job: string | undefined, isNew = true): void {
    if (isNew) this.#done++;
    else this.#before++;
    if (job !== undefined && this.#jobs.length < MOST_JOBS) this.#jobs.push(job);
  }

  failed(id: string, error: unknown): void {
    if (this.#problems.length < MOST_PROBLEMS) this.#problems.push({ id, ...problemOf(error) });
  }

  told(): ActionResult {
    return { done: this.#done, before: this.#before, jobs: this.#jobs, problems: this.#problems };
  }
}
