import type { EntryState } from './found-job.js';

/** What a queue holds, as this instance knows it. */
export interface QueueDepth {
  /** Could be run now, but for want of a slot, of having been read, or of a store that takes the claim. */
  readonly waiting: number;
  /** Not to be run before some time to come. */
  readonly delayed: number;
  /** Another instance has them. */
  readonly held: number;
  /** Nothing can be done with them. */
  readonly skipped: number;
  /** Since when the one that has waited longest could be run: milliseconds of the time of day. */
  readonly oldest: number | undefined;
  /** How many of each type this instance has taken, those apart that only have to be filed. */
  readonly running: ReadonlyMap<string, number>;
  /** Those that are over, and only have to be filed. */
  readonly filing: number;
}

/** @param now milliseconds of the time of day */
export function depthOf(states: Iterable<EntryState>, now: number): QueueDepth {
  const counts = { waiting: 0, delayed: 0, held: 0, skipped: 0, filing: 0 };
  const running = new Map<string, number>();
  let oldest = Infinity;
  for (const state of states) {
    switch (state.kind) {
      case 'held':
        counts.held++;
        break;
      case 'done':
        counts.skipped++;
        break;
      case 'running':
      case 'gone':
        if (state.lease.isFiling) counts.filing++;
        else running.set(state.type, (running.get(state.type) ?? 0) + 1);
        break;
      // One that is looked at again after a while may be due all the same: the store failed.
      default:
        if (state.kind !== 'due' && state.found.waitingSince > now) counts.delayed++;
        else {
          counts.waiting++;
          oldest = Math.min(oldest, state.found.waitingSince);
        }
    }
  }
  return { ...counts, oldest: oldest === Infinity ? undefined : oldest, running };
}
