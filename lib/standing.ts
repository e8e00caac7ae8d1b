import { InvalidJobError } from './errors.js';
import { finalTime, isEmptyDocument, Job } from './job.js';
import type { StoredDocument } from './oada/store.js';
import type { FinalStatus } from './paths.js';

/** What is to be done with a job, as its document stands. */
export type Standing =
  /** It is linked, and not written yet. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'invalid'; readonly error: InvalidJobError }
  /** It came to its end, and only has to be filed. */
  | {
      readonly kind: 'final';
      readonly job: Job;
      readonly status: FinalStatus;
      readonly time: Date | undefined;
    }
  /** Another instance has it. */
  | { readonly kind: 'held'; readonly instance: string }
  /** It is not to be run before then. */
  | { readonly kind: 'delayed'; readonly job: Job; readonly until: Date }
  /** It can be run. With `takenFrom` its instance died, or we did not hear that the claim is ours. */
  | { readonly kind: 'ready'; readonly job: Job; readonly takenFrom: string | undefined };

export interface Viewpoint {
  readonly instance: string;
  /** An instance that is known to be dead. */
  readonly dead: string | undefined;
  readonly now: Date;
}

/** Decides, from the document alone, what is to be done with a job. */
export function standingOf(jobId: string, seen: StoredDocument, view: Viewpoint): Standing {
  if (isEmptyDocument(seen.data)) return { kind: 'empty' };
  let job: Job;
  try {
    job = Job.parse(jobId, seen.data);
  } catch (error) {
    if (error instanceof InvalidJobError) return { kind: 'invalid', error };
    throw error;
  }
  const { claim, status, startAfter } = job;
  const taken = status === 'running' || status === 'success' || status === 'failure';
  const others =
    claim !== undefined && taken && claim.instance !== view.instance && claim.instance !== view.dead;
  if (others) return { kind: 'held', instance: claim.instance };
  if (status === 'success' || status === 'failure') {
    return { kind: 'final', job, status, time: finalTime(seen.data) };
  }
  if (status === 'running') return { kind: 'ready', job, takenFrom: claim?.instance };
  if (startAfter !== undefined && startAfter > view.now) return { kind: 'delayed', job, until: startAfter };
  return { kind: 'ready', job, takenFrom: undefined };
}
