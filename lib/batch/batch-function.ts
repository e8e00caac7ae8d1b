import type { Job } from '../job.js';
import type { JsonObject } from '../json.js';
import type { WorkerContext } from '../worker.js';

/** One of the jobs that are done together, with a log, a client and a signal of its own. */
export interface BatchJob<Config extends object = JsonObject> extends WorkerContext {
  readonly job: Job<Config>;
  /** Aborted as that of any work: when the time of the call is up, when this job is cancelled, when the service stops. */
  readonly signal: AbortSignal;
}

/**
 * Does the work of up to `maxSize` jobs. What it returns (JSON) is the result of each of them; if it is an array (of values, or
 * of promises), its elements are those of the jobs, in the same order. An `Error` is a failure, `retryIn(...)` asks for
 * another run. What it throws is the failure of all. A promise with a `cancel()` method has it called when the time is up.
 *
 * @typeParam Config what the jobs' `config` is; see {@link WorkFunction}
 */
export type BatchFunction<Config extends object = JsonObject> = (
  jobs: readonly BatchJob<Config>[],
) => unknown;
