import type { Clock } from './clock.js';
import { toMilliseconds } from './duration.js';
import type { Duration } from './duration.js';
import { InvalidJobError, JobCancelledError, JobError, JobLostError, UnknownJobTypeError } from './errors.js';
import { isJsonObject } from './json.js';
import { checkNames, expected } from './options.js';

/** Whether and when a job that failed is run again. */
export interface RetryOptions {
  /** How often, after the first run. A run that its instance died of counts as well. */
  readonly limit: number;
  /** How long to wait before the first retry; it doubles with each, up to a day. @defaultValue '1s' */
  readonly backoff?: Duration;
  /** Which part of the waiting time is left to chance, from 0 to 1. @defaultValue 0.25 */
  readonly jitter?: number;
}

export interface ResolvedRetries {
  readonly limit: number;
  readonly backoff: number;
  readonly jitter: number;
}

export const retryDefaults: Readonly<Required<Omit<RetryOptions, 'limit'>>> = Object.freeze({
  backoff: '1s',
  jitter: 0.25,
});

const noRetries: ResolvedRetries = resolveRetries({ limit: 0 });

const LONGEST_WAIT_MS = 86_400_000;

/** @throws {ConfigError} */
export function resolveRetries(options: RetryOptions | undefined): ResolvedRetries {
  if (options === undefined) return noRetries;
  checkShape(options);
  checkNames(options, ['limit', 'backoff', 'jitter']);
  const { limit, backoff = retryDefaults.backoff, jitter = retryDefaults.jitter } = options;
  if (backoff === Infinity) throw expected('retries.backoff', 'a time that ends', backoff);
  if (!Number.isSafeInteger(limit) || limit < 0)
    throw expected('retries.limit', 'a whole number from 0', limit);
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1))
    throw expected('retries.jitter', 'a number from 0 to 1', jitter);
  return Object.freeze({ limit, backoff: toMilliseconds(backoff, 'retries.backoff'), jitter });
}

function checkShape(options: unknown): void {
  if (!isJsonObject(options)) throw expected('retries', 'an object like { limit: 3 }', options);
}

/**
 * How long to wait before a job that failed is run again, in milliseconds; undefined: it is not.
 *
 * @param attempt which run failed, from 1
 */
export function retryDelay(
  error: Error,
  attempt: number,
  retries: ResolvedRetries,
  clock: Clock,
): number | undefined {
  if (attempt > retries.limit || !mayPass(error)) return undefined;
  const full = Math.min(LONGEST_WAIT_MS, retries.backoff * 2 ** (attempt - 1));
  return full * (1 - retries.jitter * clock.random());
}

/** Would the same job fail in the same way again? */
function mayPass(error: Error): boolean {
  if (error instanceof JobError) return error.retry;
  const hopeless = [InvalidJobError, UnknownJobTypeError, JobCancelledError, JobLostError];
  return !hopeless.some((kind) => error instanceof kind);
}

/** What {@link retryIn} makes. */
export class RetryRequest {
  /** In milliseconds. */
  readonly delay: number;

  /** @internal */
  constructor(delay: number) {
    this.delay = delay;
  }
}

/**
 * To be returned by a work function: the job is run again after this time. It counts neither as a failure nor as a
 * retry: work that polls may do it as often as it likes.
 *
 * @throws {ConfigError}
 */
export function retryIn(delay: Duration): RetryRequest {
  const milliseconds = toMilliseconds(delay, 'delay');
  if (milliseconds === Infinity) throw expected('delay', 'a time that ends', delay);
  return new RetryRequest(milliseconds);
}
