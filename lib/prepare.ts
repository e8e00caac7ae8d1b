import { InvalidJobError, JobCancelledError, JobLostError, toError, UnknownJobTypeError } from './errors.js';
import type { Job } from './job.js';
import type { ResolvedServiceOptions } from './options.js';
import { isAddressable } from './paths.js';
import type { ResolvedRetries } from './retries.js';
import type { Worker, WorkerContext } from './worker.js';

/** What there is to be done for a job. */
export interface Work {
  readonly job: Job;
  run(context: WorkerContext): unknown;
  /** In milliseconds. */
  readonly timeout: number;
  /** How long it is waited for when its signal was aborted, in milliseconds. */
  readonly grace: number;
  readonly retries: ResolvedRetries;
  /** Does the run only wait for its part of a batch? */
  readonly isBatched: boolean;
}

export interface PrepareDeps {
  /** This instance. */
  readonly instance: string;
  readonly workers: ReadonlyMap<string, Worker>;
  readonly options: ResolvedServiceOptions;
  isCancelled(key: string): boolean;
}

/**
 * What there is to be done for a job, or why nothing can be: it is filed as a failure then, unrun.
 *
 * @param key of its link in the pending list
 * @param takenFrom the instance that had it, where that has not let go of it
 */
export function prepare(
  job: Job,
  { key, takenFrom }: { readonly key: string; readonly takenFrom: string | undefined },
  deps: PrepareDeps,
): Work | Error {
  const { instance, workers, options } = deps;
  if (deps.isCancelled(key)) return new JobCancelledError();
  const worker = workers.get(job.type);
  if (worker === undefined) return new UnknownJobTypeError(job.type, [...workers.keys()]);
  if (!isAddressable(key)) return unaddressable(key);
  const died = takenFrom !== undefined && takenFrom !== instance ? job.takeovers + 1 : 0;
  if (died >= options.maxAttempts) return new JobLostError(died);
  try {
    const { timeout, grace, retries, batches } = worker;
    const isBatched = batches !== undefined;
    return { job, run: worker.prepare(job), timeout, grace, retries, isBatched };
  } catch (error) {
    return toError(error);
  }
}

function unaddressable(key: string): InvalidJobError {
  return new InvalidJobError(
    `The key of the pending link, ${JSON.stringify(key)}, cannot stand in a path, so the link cannot be removed. ` +
      'Remove it by hand, and link the job under another key.',
  );
}
