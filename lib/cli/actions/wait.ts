import type { Duration } from '../../duration.js';
import { JobError } from '../../errors.js';
import type { Json } from '../../json.js';
import { resolveWaitOptions, waitOn } from '../../wait.js';
import type { FinishedJob } from '../../wait.js';
import { CliError } from '../failure.js';
import type { Invocation } from '../invocation.js';
import { jobNamed } from '../named-job.js';
import { openSession } from '../session.js';
import type { Session } from '../session.js';
import type { ServiceFlags } from '../settings.js';

export interface WaitFlags extends ServiceFlags {
  readonly timeout?: Duration;
}

export async function waitForOne(cli: Invocation, name: string, flags: WaitFlags): Promise<void> {
  const session = await openSession(cli, flags);
  const { id } = await jobNamed(session, name);
  await printEnd(cli, session, id, flags);
}

/**
 * Waits until a job is over, and prints its result.
 *
 * @throws {CliError} it failed
 */
export async function printEnd(
  cli: Invocation,
  session: Session,
  id: string,
  { json = false, timeout }: Pick<WaitFlags, 'json' | 'timeout'>,
): Promise<void> {
  const { output } = cli;
  const end = await endOf(cli, session, id, timeout);
  if (end instanceof JobError) {
    const { message, type } = end;
    if (json) output.json({ id, status: 'failure', error: { message, ...(type !== undefined && { type }) } });
    throw new CliError('jobFailed', `${id} failed${type === undefined ? '' : ` (${type})`}: ${message}`);
  }
  const result: Json = end.result ?? null;
  if (json) output.json({ id, status: end.status, result });
  else if (end.result === undefined) output.note(`${id} is done; it has no result.`);
  else output.block(result);
}

/** How a job ends: a failure is an end as well. */
export async function endOf(
  { signal }: Invocation,
  { store, deps }: Session,
  id: string,
  timeout: Duration | undefined,
): Promise<FinishedJob | JobError> {
  const options = resolveWaitOptions({ signal, ...(timeout !== undefined && { timeout }) });
  try {
    return await waitOn(store, id, options, deps.clock);
  } catch (error) {
    if (error instanceof JobError) return error;
    throw error;
  }
}
