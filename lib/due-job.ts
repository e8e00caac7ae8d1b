import type { Clock } from './clock.js';
import { InvalidJobError, JobCancelledError } from './errors.js';
import type { FinalJob } from './filing.js';
import type { FoundJob } from './found-job.js';
import { finalTime } from './job.js';
import type { JsonObject } from './json.js';
import type { StoredDocument } from './oada/store.js';
import type { Standing } from './standing.js';

/** What a due job's document says; `unlinked`: there is none. */
export type DueStanding = Exclude<Standing, { kind: 'held' }> | { readonly kind: 'unlinked' };

/** A job that something is to be done with now. */
export interface DueJob {
  readonly found: FoundJob;
  /** That of what was found. */
  readonly id: string;
  readonly type: string;
  readonly priority: number;
  readonly standing: DueStanding;
  readonly seen: StoredDocument | undefined;
}

/** How a run of it begins: after how many milliseconds of waiting, and in place of which instance that died. */
export function beginningOf(
  { found, standing }: DueJob,
  { clock, instance }: { readonly clock: Clock; readonly instance: string },
): { waited: number; takenFrom: string | undefined } {
  const takenFrom = standing.kind === 'ready' ? standing.takenFrom : undefined;
  return {
    waited: Math.max(0, clock.now().getTime() - found.waitingSince),
    takenFrom: takenFrom === instance ? undefined : takenFrom,
  };
}

/** What a patch that ends a job says of its end. */
export function endOf(jobId: string, patch: JsonObject): Omit<FinalJob, 'resources' | 'owner'> {
  const { status, failureType } = patch;
  return {
    jobId,
    status: status === 'success' ? 'success' : 'failure',
    failureType: typeof failureType === 'string' ? failureType : undefined,
    time: finalTime(patch),
  };
}

/** What is to be filed of a job that came to its end before. */
export function filedAgain({ job, status, time }: Extract<DueStanding, { kind: 'final' }>): FinalJob {
  const { _id: jobId, failureType, resources, owner } = job;
  return { jobId, status, failureType, resources, owner, time };
}

/** Why a job that is not ready to be run is filed as a failure all the same. */
export function objection(standing: Exclude<DueStanding, { kind: 'ready' | 'final' | 'unlinked' }>): Error {
  switch (standing.kind) {
    case 'invalid':
      return standing.error;
    case 'empty':
      return new InvalidJobError('What the pending link leads to is empty, or not there.');
    case 'delayed': // only a job that is to be cancelled is due before its time
      return new JobCancelledError();
  }
}

/** Why an entry of the pending list is filed as a failure that leads to no job. */
export function noLink(): InvalidJobError {
  return new InvalidJobError(
    'The entry of the pending list is no link to a job: make the job a resource, and link it.',
  );
}
