import type { Clock } from './clock.js';
import { StoreError } from './errors.js';
import { keyTime } from './key.js';
import type { FoundJob } from './found-job.js';
import { lastUpdateKey } from './job.js';
import type { Job } from './job.js';
import type { Store, StoredDocument } from './oada/store.js';
import type { ResolvedServiceOptions } from './options.js';
import type { DueJob, DueStanding } from './due-job.js';
import { standingOf } from './standing.js';

export interface ReaderDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly options: Pick<ResolvedServiceOptions, 'contentTimeout'>;
  /** This one. */
  readonly instance: string;
  /** Is somebody asking for this job to be cancelled? */
  isCancelled(key: string): boolean;
}

/** What reading a found job has led to. */
export type Read =
  | { readonly kind: 'due'; readonly due: DueJob }
  | { readonly kind: 'held'; readonly instance: string }
  | { readonly kind: 'delayed'; readonly until: Date }
  /** It is linked but still empty: it is looked at again, for a while. */
  | { readonly kind: 'empty' }
  /** Nothing can be done with it. */
  | { readonly kind: 'skipped'; readonly reason: string };

/** Reads a found job, and finds what is to be done with it. */
export async function readJob(found: FoundJob, deps: ReaderDeps): Promise<Read> {
  const { store, clock, options, instance } = deps;
  const { jobId, key, dead } = found;
  if (jobId === undefined) return dueNow(found, { kind: 'unlinked' });
  const seen = await store.get(`/${jobId}`).catch(absentOrForeign);
  if (seen === 'foreign') return { kind: 'skipped', reason: 'it belongs to another user' };
  const standing = standingOf(jobId, seen, { instance, dead, now: clock.now() });
  if (standing.kind === 'held') return standing;
  if (standing.kind === 'delayed' && !deps.isCancelled(key)) return standing;
  const waited = clock.monotonic() - found.since;
  if (standing.kind === 'empty' && waited < options.contentTimeout) return { kind: 'empty' };
  return dueNow(found, standing, seen);
}

function dueNow(found: FoundJob, standing: DueStanding, seen?: StoredDocument): Read {
  const job = 'job' in standing ? standing.job : undefined;
  // One that is to be cancelled before its time takes no slot from those of its type.
  const { type = '', priority = 0 } = standing.kind === 'delayed' ? {} : (job ?? {});
  const waitingSince = Math.max(found.waitingSince, ...timesOf(job, seen));
  return {
    kind: 'due',
    due: { found: { ...found, waitingSince }, id: found.id, type, priority, standing, seen },
  };
}

/** When it was due, and when something was last done for it: it has not waited before. */
function timesOf(job: Job | undefined, seen: StoredDocument | undefined): number[] {
  const times = [job?.startAfter?.getTime(), keyTime(lastUpdateKey(seen?.data))];
  return times.filter((time) => time !== undefined);
}

/** A link that leads nowhere: perhaps not yet. */
function absentOrForeign(error: unknown): StoredDocument | 'foreign' {
  if (!(error instanceof StoreError)) throw error;
  if (error.code === 'OADA_JOBS_STORE_NOT_FOUND') return { data: undefined, rev: 0, etag: '' };
  if (error.code === 'OADA_JOBS_STORE_FORBIDDEN') return 'foreign';
  throw error;
}
