import { stringify } from './json.js';

/** Stable names of all that can go wrong; each is explained in `docs/reference/errors.md`. */
export type ErrorCode =
  | 'OADA_JOBS_CONFIG'
  | 'OADA_JOBS_STORE_UNREACHABLE'
  | 'OADA_JOBS_STORE_TIMEOUT'
  | 'OADA_JOBS_STORE_UNAUTHORIZED'
  | 'OADA_JOBS_STORE_FORBIDDEN'
  | 'OADA_JOBS_STORE_NOT_FOUND'
  | 'OADA_JOBS_STORE_CONFLICT'
  | 'OADA_JOBS_STORE_REFUSED'
  | 'OADA_JOBS_STORE_FAILED'
  | 'OADA_JOBS_INVALID_JOB'
  | 'OADA_JOBS_INVALID_RESULT'
  | 'OADA_JOBS_UNKNOWN_TYPE'
  | 'OADA_JOBS_JOB_FAILED'
  | 'OADA_JOBS_JOB_TIMEOUT'
  | 'OADA_JOBS_JOB_CANCELLED'
  | 'OADA_JOBS_JOB_LOST'
  | 'OADA_JOBS_STOPPING'
  | 'OADA_JOBS_LIFECYCLE'
  | 'OADA_JOBS_KEY_TAKEN'
  | 'OADA_JOBS_WAIT_TIMEOUT';

/** The parent of every error that this library makes. */
export class JobsError extends Error {
  override readonly name: string = 'JobsError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** An option or an argument is wrong. */
export class ConfigError extends JobsError {
  override readonly name = 'ConfigError';

  constructor(message: string, options?: ErrorOptions) {
    super('OADA_JOBS_CONFIG', message, options);
  }
}

export interface StoreErrorDetails extends ErrorOptions {
  /** The answer's HTTP status; undefined where none came. */
  readonly status?: number | undefined;
  readonly path: string;
}

/** The store did not do what it was asked to. */
export class StoreError extends JobsError {
  override readonly name = 'StoreError';
  readonly status: number | undefined;
  readonly path: string;

  constructor(code: StoreErrorCode, message: string, { status, path, ...options }: StoreErrorDetails) {
    super(code, message, options);
    this.status = status;
    this.path = path;
  }

  /** May the same request succeed later? */
  get retryable(): boolean {
    return (
      this.code === 'OADA_JOBS_STORE_UNREACHABLE' ||
      this.code === 'OADA_JOBS_STORE_TIMEOUT' ||
      this.code === 'OADA_JOBS_STORE_FAILED'
    );
  }
}

export type StoreErrorCode = Extract<ErrorCode, `OADA_JOBS_STORE_${string}`>;

/** What a pending link leads to is no job, or its config is not what its worker takes. */
export class InvalidJobError extends JobsError {
  override readonly name = 'InvalidJobError';

  constructor(message: string, options?: ErrorOptions) {
    super('OADA_JOBS_INVALID_JOB', message, options);
  }
}

/** The work function returned something that cannot be stored. The work itself is done. */
export class InvalidResultError extends JobsError {
  override readonly name = 'InvalidResultError';

  constructor(why: string) {
    super('OADA_JOBS_INVALID_RESULT', `The work is done, but its result cannot be stored: ${why}.`);
  }
}

/** No worker is registered for the job's type. */
export class UnknownJobTypeError extends JobsError {
  override readonly name = 'UnknownJobTypeError';

  constructor(type: string, known: readonly string[]) {
    const those = known.length === 0 ? 'none' : known.map((name) => JSON.stringify(name)).join(', ');
    super(
      'OADA_JOBS_UNKNOWN_TYPE',
      `No worker is registered for jobs of type ${JSON.stringify(type)}. There are workers for: ${those}.`,
    );
  }
}

export interface JobErrorOptions extends ErrorOptions {
  /** The kind of failure, kept as the job's `failureType`. */
  readonly type?: string;
  /** Whether a job type that has retries is to be retried after it. @defaultValue true */
  readonly retry?: boolean;
}

/** To be thrown by a work function: a failure of a kind of its own. */
export class JobError extends JobsError {
  override readonly name = 'JobError';
  readonly type: string | undefined;
  readonly retry: boolean;

  /** @param options or the kind of failure alone */
  constructor(message: string, options: string | JobErrorOptions = {}) {
    const { type, retry = true, ...rest } = typeof options === 'string' ? { type: options } : options;
    super('OADA_JOBS_JOB_FAILED', message, rest);
    this.type = type;
    this.retry = retry;
  }

  /** The same as `type`, by the name that it has in @oada/jobs 3 to 5. */
  get JobError(): string | undefined {
    return this.type;
  }
}

/**
 * The work took longer than its worker's timeout. Also the reason of its `signal`. Its name is that of the platform's own
 * timeouts, and what producers know from @oada/jobs 2 to 5.
 */
export class JobTimeoutError extends JobsError {
  override readonly name = 'TimeoutError';
  /** In milliseconds. */
  readonly timeout: number;

  constructor(timeout: number) {
    super('OADA_JOBS_JOB_TIMEOUT', `The work was not done within ${String(timeout)} ms.`);
    this.timeout = timeout;
  }
}

/** Somebody asked for the job to be cancelled. Also the reason of its `signal`. */
export class JobCancelledError extends JobsError {
  override readonly name = 'JobCancelledError';

  /** @param why how that was asked for; by default with a request among the controls */
  constructor(why = 'it was asked for') {
    super('OADA_JOBS_JOB_CANCELLED', `The job was cancelled: ${why}.`);
  }
}

/** The job's instance died while it ran, again and again: the job may well be what kills it. */
export class JobLostError extends JobsError {
  override readonly name = 'JobLostError';

  constructor(times: number) {
    super(
      'OADA_JOBS_JOB_LOST',
      `The instance that ran the job died, ${String(times)} times. It is not run again, since it may be the cause.`,
    );
  }
}

/** The service is being stopped; the reason of the `signal` of work that is still running after `drainTimeout`. */
export class ServiceStoppingError extends JobsError {
  override readonly name = 'ServiceStoppingError';

  constructor() {
    super('OADA_JOBS_STOPPING', 'The service is stopping; the job stays pending.');
  }
}

/** A method was called when it cannot be: a service started after it was stopped, say. */
export class LifecycleError extends JobsError {
  override readonly name = 'LifecycleError';

  constructor(message: string) {
    super('OADA_JOBS_LIFECYCLE', message);
  }
}

/** The idempotency key stands for another job already: that one is as it was, and this one was not submitted. */
export class IdempotencyError extends JobsError {
  override readonly name = 'IdempotencyError';
  /** The job that has the key, like `resources/abc`. */
  readonly jobId: string;

  /** @param differing what that one has of its own: `type`, `config` */
  constructor(jobId: string, differing: readonly string[]) {
    const what = differing.map((name) => `another ${name}`).join(' and ');
    super('OADA_JOBS_KEY_TAKEN', `The job with this idempotency key is ${jobId}, and has ${what}.`);
    this.jobId = jobId;
  }
}

/** A job was not over within the time that somebody would wait for it. It goes on all the same. */
export class WaitTimeoutError extends JobsError {
  override readonly name = 'WaitTimeoutError';
  /** The job, like `resources/abc`. */
  readonly jobId: string;
  /** In milliseconds. */
  readonly timeout: number;

  constructor(jobId: string, timeout: number) {
    super('OADA_JOBS_WAIT_TIMEOUT', `${jobId} was not over within ${String(timeout)} ms. It goes on.`);
    this.jobId = jobId;
    this.timeout = timeout;
  }
}

/** Does the store say that it is not there? */
export function isMissing(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'OADA_JOBS_STORE_NOT_FOUND';
}

/**
 * For what may not be there.
 *
 * @returns undefined where the store says that it is not
 */
export async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * For what is tried again in any case, or does not matter: the store has told of its failure already.
 *
 * @throws what is no failure of the store
 */
export function ignoreStoreError(error: unknown): void {
  if (!(error instanceof StoreError)) throw error;
}

/** Whatever was thrown, as an error. */
export function toError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error) return thrown;
    const json: string | undefined = typeof thrown === 'string' ? thrown : stringify(thrown);
    return new Error(json ?? String(thrown), { cause: thrown });
  } catch {
    return new Error(`Something was thrown that cannot be shown (${typeof thrown})`); // it refers to itself, say
  }
}

/** The last case of a `switch` over a union: the compiler says when one is missing. */
export function assertNever(value: never): never {
  throw new TypeError(`Unexpected: ${JSON.stringify(value)}`);
}
