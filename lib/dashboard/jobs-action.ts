import { assertNever } from '../errors.js';
import { cancelJob, retryJob, retryJobs } from '../operator/job-actions.js';
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
    for await (const { id, outcome } of retryJobs(deps, request.filter, lists)) {
      if ('job' in outcome) result.done(outcome.job._id);
      else result.failed(id, outcome.error);
    }
    return result.told();
  }
  const { action, ids } = request;
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const some = ids.slice(from, from + AT_ONCE);
    const settled = await Promise.allSettled(some.map((id) => actOnJob(deps, action, id, lists)));
    for (const [index, outcome] of settled.entries()) {
      if (outcome.status === 'fulfilled') result.done(outcome.value);
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
): Promise<string | undefined> {
  const located = await locateJob(deps, id, lists);
  const jobs = new Jobs({ ...deps, views: new Map(), layout: undefined });
  switch (action) {
    case 'retry':
      return (await retryJob(deps, located))._id;
    case 'rerun':
      return (await jobs.rerun(id))._id;
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

  done(job: string | undefined): void {
    this.#done++;
    if (job !== undefined && this.#jobs.length < MOST_JOBS) this.#jobs.push(job);
  }

  failed(id: string, error: unknown): void {
    if (this.#problems.length < MOST_PROBLEMS) this.#problems.push({ id, ...problemOf(error) });
  }

  told(): ActionResult {
    return { done: this.#done, jobs: this.#jobs, problems: this.#problems };
  }
}
