import type { Duration } from '../../duration.js';
import { JobError } from '../../errors.js';
import { isFinalDocument } from '../../job.js';
import { listInstances } from '../../operator/instances.js';
import { cancelJob, isPaused } from '../../operator/job-actions.js';
import type { LocatedJob } from '../../operator/job-actions.js';
import { CliError } from '../failure.js';
import type { Invocation } from '../invocation.js';
import { jobNamed } from '../named-job.js';
import { openSession } from '../session.js';
import type { Session } from '../session.js';
import type { ServiceFlags } from '../settings.js';
import { endOf } from './wait.js';

export interface CancelFlags extends ServiceFlags {
  readonly wait?: boolean;
  readonly timeout?: Duration;
}

/** All are looked up first: with a wrong name, nothing is done. */
export async function cancel(cli: Invocation, names: readonly string[], flags: CancelFlags): Promise<void> {
  if (flags.timeout !== undefined && flags.wait !== true)
    throw new CliError('usage', '--timeout is for --wait: nothing is waited for without it');
  const session = await openSession(cli, flags);
  const jobs: LocatedJob[] = [];
  for (const name of names) jobs.push(await jobNamed(session, name));
  const over = jobs.find(({ document }) => isFinalDocument(document));
  if (over !== undefined) throw new CliError('failed', `${over.id} is over: there is nothing to cancel`);
  for (const job of jobs) await cancelJob(session.deps, job);
  const instances = await listInstances(session.deps);
  if (!instances.some(({ state }) => state === 'alive')) {
    cli.output.warn(`no instance of ${session.service} is alive: the next one that starts cancels it`);
  }
  const waits = flags.wait === true && jobs.some(({ document }) => document['status'] !== 'running');
  if (waits && (await isPaused(session.deps))) {
    cli.output.warn(
      `${session.service} is paused: a job that waits is cancelled in its turn, after \`oada-jobs resume\``,
    );
  }
  for (const { id } of jobs) await tell(cli, session, id, flags);
}

async function tell(cli: Invocation, session: Session, id: string, flags: CancelFlags): Promise<void> {
  const { output } = cli;
  const { json = false, wait = false, timeout } = flags;
  if (!wait) {
    if (json) output.json({ id, asked: true });
    else output.line(`${id}: asked to be cancelled`);
    return;
  }
  const end = await endOf(cli, session, id, timeout);
  const status = end instanceof JobError ? 'failure' : end.status;
  const cancelled = end instanceof JobError && end.type === 'cancelled';
  if (json) output.json({ id, asked: true, status, cancelled });
  else output.line(`${id}: ${cancelled ? 'cancelled' : `over before it could be cancelled (${status})`}`);
}
