import type { Clock } from '../clock.js';
import { toMilliseconds } from '../duration.js';
import type { Duration } from '../duration.js';
import type { Job } from '../job.js';
import { isJsonObject } from '../json.js';
import { checkNames, expected, wholeNumber } from '../options.js';
import type { Slots } from '../slots.js';
import { createWorker, workerDefaults } from '../worker.js';
import type { Worker, WorkerContext, WorkerOptions } from '../worker.js';
import type { BatchFunction } from './batch-function.js';
import { Gatherer } from './gatherer.js';

export interface BatchOptions extends WorkerOptions {
  /** How many jobs are done together at most: a whole number from 1. */
  readonly maxSize: number;
  /** How long the first of them waits for others, once it is claimed. @defaultValue '1s' */
  readonly maxWait?: Duration;
  /** How long one call of the function may take, or `Infinity`. */
  readonly timeout: Duration;
  /** How many batches of this type may be done at once in this service. @defaultValue 1 */
  readonly concurrency?: number;
}

export const batchDefaults: Readonly<Required<Pick<BatchOptions, 'maxWait' | 'concurrency' | 'grace'>>> =
  Object.freeze({ ...workerDefaults, maxWait: '1s', concurrency: 1 });

export interface BatchDeps {
  readonly clock: Clock;
  readonly slots: Pick<Slots, 'wake'>;
}

/** The longest a timer of Node takes. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The worker of jobs that are done together. For all others it is a worker like any: what it does for one job is to wait
 * for its part of a batch.
 *
 * @throws {ConfigError}
 */
export function createBatchWorker<Config extends object>(
  type: string,
  options: BatchOptions,
  work: BatchFunction<Config>,
  { clock, slots }: BatchDeps,
): Worker {
  checkShape(options, work);
  checkNames(options, ['maxSize', 'maxWait', 'timeout', 'grace', 'config', 'retries', 'concurrency']);
  const { maxSize, timeout, grace = batchDefaults.grace, ...others } = options;
  const { maxWait = batchDefaults.maxWait, concurrency = batchDefaults.concurrency, ...rest } = others;
  const limits = {
    maxSize: wholeNumber('maxSize', maxSize),
    maxWait: toMilliseconds(maxWait, 'maxWait'),
    concurrency: wholeNumber('concurrency', concurrency),
    timeout: toMilliseconds(timeout, 'timeout'),
    grace: toMilliseconds(grace, 'grace'),
  };
  if (limits.maxWait === Infinity) throw expected('maxWait', 'a time that ends', maxWait);
  const onRoom = (): void => {
    slots.wake();
  };
  const gatherer = new Gatherer<Config>({ ...limits, clock, work, onRoom });
  const forOne = {
    ...rest,
    grace,
    timeout: longestOf(limits),
    concurrency: wholeNumber('maxSize * concurrency', limits.maxSize * limits.concurrency),
  };
  const join = (job: Job<Config>, context: WorkerContext): Promise<unknown> => gatherer.join(job, context);
  return { ...createWorker(type, forOne, join), batches: gatherer };
}

/**
 * How long a job may take, should all else fail. One whose claim took so long that its batch has begun without it may have
 * to wait for a whole call before its own.
 */
function longestOf(limits: {
  readonly maxWait: number;
  readonly timeout: number;
  readonly grace: number;
}): number {
  const longest = limits.maxWait + 2 * (limits.timeout + limits.grace);
  return longest > LONGEST_TIMER_MS ? Infinity : longest;
}

function checkShape(options: unknown, work: unknown): void {
  if (!isJsonObject(options)) throw expected('options', 'an object like { maxSize: 100, timeout }', options);
  if (options['timeout'] === undefined)
    throw expected('timeout', "a time in ms or like '10s'", options['timeout']);
  if (typeof work !== 'function') throw expected('work', 'a function', work);
}
