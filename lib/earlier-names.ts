import type { Job } from './job.js';
import type { Json } from './json.js';
import type { WorkerContext } from './worker.js';

/** A work function, by its name in @oada/jobs 2 to 5; `WorkFunction` has a type parameter for the config as well. */
export type WorkerFunction = (job: Job, context: WorkerContext) => Promise<Json>;

/** A job's resource, like `resources/abc`, by its name in @oada/jobs 2 to 5. */
export type JobId = string;

/** What stands in a job's `updates`, by its name in @oada/jobs 5. */
export interface JobUpdate {
  readonly status: string;
  /** ISO 8601, in UTC. */
  readonly time: string;
  readonly meta?: unknown;
}

/**
 * Says that a type may be stored as JSON, by its name in @oada/jobs 2 to 5: what is in it that may not be, such as a function,
 * is `never`.
 */
export type JsonCompatible<T> = {
  [Key in keyof T]: T[Key] extends Json | undefined
    ? T[Key]
    : T[Key] extends object
      ? T[Key] extends (...values: never[]) => unknown
        ? never
        : JsonCompatible<T[Key]>
      : never;
};
