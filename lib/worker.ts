import type { OADAClient } from '@oada/client';
import type { AnySchema, ErrorObject, ValidateFunction } from 'ajv';

import type { ChildState } from './child-states.js';
import type { Child, SpawnOptions } from './children.js';
import { toMilliseconds } from './duration.js';
import type { Duration } from './duration.js';
import { ConfigError, InvalidJobError, toError } from './errors.js';
import type { Job } from './job.js';
import type { Json, JsonObject } from './json.js';
import type { Logger } from './logger.js';
import { checkNames, expected, wholeNumber } from './options.js';
import { loadPackage } from './packages.js';
import { resolveRetries } from './retries.js';
import type { ResolvedRetries, RetryOptions } from './retries.js';

/** What a work function is given besides the job. */
export interface WorkerContext {
  /** The job's resource, like `resources/abc`; the same whenever the job is run, so it can serve as idempotency key. */
  readonly jobId: string;
  /** Writes updates to the job. */
  readonly log: Logger;
  /** A client of the store that the job came from, with that queue's token. */
  readonly oada: OADAClient;
  /** Aborted when the work is to end: its reason is a `JobTimeoutError`, a `JobCancelledError` or a
   * `ServiceStoppingError`. */
  readonly signal: AbortSignal;
  /** Says how far the job is: `progress(3, 10, 'reading')`. Written to the job at most a few times a second. */
  readonly progress: (done: number, total?: number, message?: string) => void;
  /** Has another job done, as a child of this one: once, also when this one is run again after a crash. */
  readonly spawn: (type: string, config?: object, options?: SpawnOptions) => Promise<Child>;
  /** The children as they stand, those of earlier runs included. */
  readonly children: () => Promise<ChildState[]>;
  /** Waits for children, by default all that this run has spawned: their results, or the error of the first that fails. */
  readonly all: (children?: readonly Child[]) => Promise<(Json | undefined)[]>;
  /** Waits for children until all are over, and tells of each how it ended. */
  readonly allSettled: (children?: readonly Child[]) => Promise<PromiseSettledResult<Json | undefined>[]>;
}

/**
 * Does the work of one job. What it returns (JSON) is the job's result; what it throws is its failure. A promise with
 * a `cancel()` method has it called when the time is up.
 *
 * @typeParam Config what the job's `config` is; the worker's JSON Schema, or else the producer, has to see to that
 */
export type WorkFunction<Config extends object = JsonObject> = (
  job: Job<Config>,
  context: WorkerContext,
) => unknown;

export interface WorkerOptions {
  /** How long one run may take, or `Infinity`. */
  readonly timeout: Duration;
  /**
   * How long the work is waited for after its signal was aborted, before its job is settled without it.
   * @defaultValue '1s'
   */
  readonly grace?: Duration;
  /** JSON Schema that a job's `config` has to match; a job that does not is filed as a failure, unrun. */
  readonly config?: AnySchema;
  /** Whether a job that failed is run again. @defaultValue not at all */
  readonly retries?: RetryOptions;
  /** How many jobs of this type may run at once in this service. @defaultValue as many as the service runs */
  readonly concurrency?: number;
}

export const workerDefaults: Readonly<Required<Pick<WorkerOptions, 'grace'>>> = Object.freeze({
  grace: '1s',
});

/** What a worker whose jobs are done together does with them. */
export interface Batches {
  /** How many of its jobs this service may have claimed by now: no more than can be begun in time. */
  readonly room: number;
  /** Waits for no more jobs: those that have joined are begun. */
  drain(): void;
}

/** What is registered for a job type. */
export interface Worker {
  readonly type: string;
  /** In milliseconds. */
  readonly timeout: number;
  /** In milliseconds. */
  readonly grace: number;
  readonly work: WorkFunction<never>;
  readonly retries: ResolvedRetries;
  /** `Infinity` where only the service's own limit holds. */
  readonly concurrency: number;
  /** @internal Where jobs are done together: those who have joined wait for others of their kind. */
  readonly batches?: Batches;
  /**
   * The work to be done for a job.
   *
   * @internal
   * @throws {InvalidJobError} the job's config is not what the worker takes
   */
  prepare(job: Job): (context: WorkerContext) => unknown;
}

/** @throws {ConfigError} */
export function createWorker<Config extends object>(
  type: string,
  options: Duration | WorkerOptions,
  work: WorkFunction<Config>,
): Worker {
  checkArguments(type, options, work);
  const given: WorkerOptions = typeof options === 'object' ? options : { timeout: options };
  checkNames(given, ['timeout', 'grace', 'config', 'retries', 'concurrency']);
  const { timeout, grace = workerDefaults.grace, config: schema, retries, concurrency } = given;
  const validate = schema === undefined ? undefined : compile(type, schema);
  const isFor = (job: Job): job is Job<Config> & Job => validate === undefined || validate(job.config);
  return {
    type,
    timeout: toMilliseconds(timeout, 'timeout'),
    grace: toMilliseconds(grace, 'grace'),
    work,
    retries: resolveRetries(retries),
    concurrency: concurrency === undefined ? Infinity : wholeNumber('concurrency', concurrency),
    prepare: (job) => {
      if (!isFor(job)) throw new InvalidJobError(explain(type, validate?.errors ?? []));
      return (context) => work(job, context);
    },
  };
}

function explain(type: string, errors: readonly ErrorObject[]): string {
  const issues = errors.map(({ instancePath, message = '' }) => `config${instancePath} ${message}`);
  return `The job's config is not what ${JSON.stringify(type)} takes: ${issues.join('; ')}.`;
}

function checkArguments(type: unknown, options: unknown, work: unknown): void {
  if (typeof type !== 'string' || type === '') throw expected('type', 'the name of a job type', type);
  if (options === null || options === undefined)
    throw expected('timeout', "a time in ms or like '10s'", options);
  if (typeof work !== 'function') throw expected('work', 'a function', work);
}

function compile(type: string, schema: AnySchema): ValidateFunction {
  const { Ajv } = loadPackage('ajv');
  const ajv = new Ajv({ allErrors: true, strict: false, useDefaults: true });
  loadPackage('ajv-formats').default(ajv);
  try {
    return ajv.compile(schema);
  } catch (error) {
    throw new ConfigError(
      `The config schema of ${JSON.stringify(type)} is not usable: ${toError(error).message}`,
    );
  }
}
