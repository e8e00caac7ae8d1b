import { findJob } from '../operator/job-actions.js';
import type { LocatedJob } from '../operator/job-actions.js';
import { orNotFound } from './failure.js';
import type { Session } from './session.js';

/** @throws {CliError} there is none */
export async function jobNamed({ deps, lists }: Session, name: string): Promise<LocatedJob> {
  return await orNotFound(findJob(deps, name, lists), '`oada-jobs list` shows those that there are');
}
