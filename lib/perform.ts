import pTimeout from 'p-timeout';

import { cancel } from './cancelling.js';
import { Stint, waitAtMost } from './clock.js';
import type { Clock } from './clock.js';
import { InvalidResultError, JobTimeoutError, ServiceStoppingError, toError } from './errors.js';
import type { Events, TypedJobEvent } from './events.js';
import { toJson } from './json.js';
import type { Family } from './family.js';
import type { Logger } from './logger.js';
import type { Store } from './oada/store.js';
import type { ResolvedServiceOptions } from './options.js';
import { failure } from './outcome.js';
import type { Outcome } from './outcome.js';
import type { Work } from './prepare.js';
import { RetryRequest } from './retries.js';
import { hideSecrets } from './secrets.js';
import { tracedRun } from './tracing.js';

export interface PerformContext {
  readonly jobId: string;
  readonly logger: Logger;
  readonly event: TypedJobEvent;
  /** What a run has to do with other jobs, and says of itself. */
  readonly family: Family;
  /** Its signal is that of the work. Aborted from outside when the job is cancelled. */
  readonly control: AbortController;
}

export interface PerformDeps {
  readonly store: Store;
  readonly options: ResolvedServiceOptions;
  readonly clock: Clock;
  readonly events: Events;
  /** Aborted when the service has stopped for long enough. */
  readonly abort: AbortSignal;
  /** Texts that must not be told. */
  readonly secrets: ReadonlySet<string>;
}

/**
 * Runs the work function, for as long as it may. When its time is up, or it is to end for another reason, it is waited for
 * a while: so that it does not go on while the job is run again. Never rejects, whatever the function does.
 */
export async function perform(work: Work, context: PerformContext, deps: PerformDeps): Promise<Outcome> {
  const { event } = context;
  const { clock, events, secrets } = deps;
  const started = clock.monotonic();
  const { service, attempts, trace } = work.job;
  const redact = (text: string): string => hideSecrets(text, secrets);
  const outcome = await tracedRun({ ...event, service, trace, redact, attempt: attempts + 1 }, () =>
    outcomeOf(work, context, deps),
  );
  events.emit('job:ran', { ...event, duration: clock.monotonic() - started, outcome: outcome.kind });
  return outcome;
}

async function outcomeOf(work: Work, context: PerformContext, deps: PerformDeps): Promise<Outcome> {
  const { jobId, logger } = context;
  const { clock, options, store, abort, events } = deps;
  const { signal } = context.control;
  let returned: unknown;
  const stop = (): void => {
    context.control.abort(abort.reason);
  };
  abort.addEventListener('abort', stop, { once: true });
  if (abort.aborted) stop();
  const stint = new Stint(clock);
  const begin = (): Promise<unknown> =>
    start(() => {
      signal.throwIfAborted(); // cancelled while it was being claimed
      const of = { jobId, log: logger, oada: store.client, signal };
      returned = work.run({ ...context.family.context(signal, stint), ...of });
      return returned;
    });
  const running = work.isBatched ? stint.waiting(begin) : begin(); // a batch has a limit of its own
  // The library calls `cancel` when the time is up: before it rejects by itself, the signal does, with our reason.
  const cancellable = Object.assign(running, {
    cancel: () => {
      context.control.abort(new JobTimeoutError(work.timeout));
    },
  });
  try {
    const result = await withoutStack(() =>
      pTimeout(cancellable, { milliseconds: work.timeout, signal, customTimers: timersOf(clock) }),
    );
    if (result instanceof RetryRequest) return { kind: 'retry', delay: result.delay };
    return storable(result, options.maxResultSize);
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) return failure(error);
    const reason = toError(error);
    cancel(returned);
    const over = running.then(
      () => undefined,
      () => undefined, // what it comes to now is dropped
    );
    if (!(await waitAtMost(clock, work.grace, over))) events.emit('job:stuck', context.event);
    return reason instanceof ServiceStoppingError ? { kind: 'interrupted' } : failure(reason);
  } finally {
    stint.end();
    abort.removeEventListener('abort', stop);
  }
}

function storable(result: unknown, maxBytes: number): Outcome {
  try {
    return { kind: 'success', result: toJson(result, maxBytes) };
  } catch (error) {
    return failure(new InvalidResultError(toError(error).message));
  }
}

/** A function that throws at once is one that rejects. */
async function start(work: () => unknown): Promise<unknown> {
  return work();
}

/** p-timeout makes its error beforehand, for each call. Nobody gets to see it: to look for its stack is time lost. */
function withoutStack<T>(call: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return call();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The timers that p-timeout asks for, by our clock. It only calls them, and looks at nothing else of Node's. */
function timersOf(clock: Clock): { setTimeout: typeof setTimeout; clearTimeout: typeof clearTimeout } {
  let cancelTimer: (() => void) | undefined;
  const set = (callback: () => void, milliseconds?: number): void => {
    cancelTimer = clock.setTimer(callback, milliseconds ?? 0);
  };
  return {
    // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- Node's type has a promisified twin
    setTimeout: set as unknown as typeof setTimeout,
    clearTimeout: () => cancelTimer?.(),
  };
}
