import { backoff, sleep } from './clock.js';
import type { Clock } from './clock.js';
import { StoreError } from './errors.js';

export interface StoringDeps {
  readonly clock: Clock;
  /** Aborted, with the reason, when running work has to end: nothing may be waited for any longer. */
  readonly abort: AbortSignal;
}

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 30_000;

/** The work is done: storing what came of it is tried until it is stored, or the service ends. */
export async function insist<T>(write: () => Promise<T>, { clock, abort }: StoringDeps): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write();
    } catch (error) {
      const passing =
        error instanceof StoreError && (error.retryable || error.code === 'OADA_JOBS_STORE_UNAUTHORIZED');
      if (!passing || abort.aborted) throw error;
      await sleep(clock, backoff(clock, attempt, FIRST_WAIT_MS, LONGEST_WAIT_MS), abort);
    }
  }
}
