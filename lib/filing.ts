import { backoff, sleep } from './clock.js';
import type { Clock } from './clock.js';
import type { DayIndex } from './day-index.js';
import { StoreError } from './errors.js';
import type { Store } from './oada/store.js';
import { dayOf, isAddressable } from './paths.js';
import type { FinalStatus, Paths } from './paths.js';

export interface FilingDeps {
  readonly store: Store;
  readonly paths: Paths;
  readonly dayIndex: DayIndex;
  readonly clock: Clock;
  /** Aborted when nothing may be waited for any longer. */
  readonly abort: AbortSignal;
  /** Does the key lead to another job by now? */
  isRelinked(key: string): boolean;
}

/** A job whose document says how it ended. */
export interface FinalJob {
  /** Of its link in the pending list. */
  readonly key: string;
  readonly jobId: string;
  readonly status: FinalStatus;
  /** When it ended; now, where its document does not say. */
  readonly time: Date | undefined;
}

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 30_000;

/**
 * Moves a job from the pending list to the day-index. First the link in the index, then the pending link is removed: a
 * crash between the two leaves a job that is pending and final, and whoever finds it files it, under the same day.
 */
export async function fileJob({ key, jobId, status, time }: FinalJob, deps: FilingDeps): Promise<void> {
  const { store, dayIndex, clock, paths } = deps;
  const day = dayOf(time ?? clock.now());
  const named = isAddressable(key) ? key : jobId.slice('resources/'.length);
  await insist(() => dayIndex.add(status, day, named, jobId), deps);
  if (isAddressable(key) && !deps.isRelinked(key)) await insist(() => store.delete(paths.classic.pendingLink(key)), deps);
}

/** The work is done: storing what came of it is tried until it is stored, or the service ends. */
export async function insist<T>(write: () => Promise<T>, { clock, abort }: FilingDeps): Promise<T> {
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
