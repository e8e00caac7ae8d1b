import { ConfigError } from '../../errors.js';
import { findFailures, retryEach } from '../../operator/job-actions.js';
import type { RetriedJob } from '../../operator/job-actions.js';
import { confirm } from '../confirm.js';
import { CliError } from '../failure.js';
import type { Invocation } from '../invocation.js';
import { jobNamed } from '../named-job.js';
import { openSession } from '../session.js';
import type { Session } from '../session.js';
import type { ServiceFlags } from '../settings.js';
import { countOf } from '../wording.js';

export interface RetryFlags extends ServiceFlags {
  readonly type?: string;
  readonly day?: string;
  readonly failureType?: string;
  readonly owner?: string;
  readonly text?: string;
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** From how many on there is a bar rather than a line for each. */
const MANY = 10;
const FILTERS = ['type', 'day', 'failureType', 'owner', 'text', 'all'] as const;

export async function retry(cli: Invocation, names: readonly string[], flags: RetryFlags): Promise<void> {
  const isChosen = FILTERS.some((name) => flags[name] !== undefined);
  if (names.length > 0 && isChosen)
    throw new CliError('usage', 'name jobs, or choose them with options: not both');
  if (names.length === 0 && !isChosen)
    throw new CliError(
      'usage',
      'name the jobs, or choose them: --type, --day, --failure-type, --owner, --text, --all',
    );
  const session = await openSession(cli, flags);
  const ids = names.length > 0 ? await named(session, names) : await chosen(cli, session, flags);
  if (flags.dryRun === true) {
    for (const id of ids) tell(cli, flags, { id });
    cli.output.note(`${countOf(ids.length, 'failure')} would be retried.`);
    return;
  }
  const question = `Retry ${countOf(ids.length, 'failure')} of ${session.service}?`;
  if (names.length === 0 && ids.length > 0) await confirm(cli, question, flags.yes);
  await retryAll(cli, session, ids, flags);
}

/** All are looked up first: with a wrong name, nothing is done. */
async function named(session: Session, names: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const name of names) {
    const { id, document } = await jobNamed(session, name);
    if (document['status'] !== 'failure')
      throw new CliError('failed', `${id} has not failed: only failures are retried`);
    ids.push(id);
  }
  return ids;
}

async function chosen(cli: Invocation, { deps, lists }: Session, flags: RetryFlags): Promise<string[]> {
  const { type, day, failureType, owner, text } = flags;
  return await findFailures(deps, { type, day, failureType, owner, text }, lists, cli.signal);
}

async function retryAll(
  cli: Invocation,
  { deps }: Session,
  ids: readonly string[],
  flags: RetryFlags,
): Promise<void> {
  const { isTerminal } = cli.output;
  // Of a few, people want to see the new jobs; and a bar would be in the way of JSON on the same terminal.
  const isLong = ids.length > MANY && !(isTerminal && flags.json === true);
  const bar = await cli.output.progress('Retrying', isLong ? ids.length : 0);
  cli.endsItself();
  cli.goesOnUnread();
  let done = 0;
  let before = 0;
  const failed: RetriedJob[] = [];
  const isQuiet = bar.isShown && isTerminal;
  for await (const retried of retryEach(deps, ids, cli.signal)) {
    bar.update(++done);
    const { outcome } = retried;
    if ('job' in outcome && !outcome.job.isNew) before++;
    if ('error' in outcome) failed.push(retried);
    else if (!isQuiet) tell(cli, flags, retried);
  }
  bar.stop();
  for (const retried of failed) tell(cli, flags, retried);
  const earlier = before === 0 ? '' : `, ${before} retried before`;
  const told = `${countOf(done - before - failed.length, 'failure')} retried${earlier}`;
  if (done < ids.length)
    cli.output.note(`Interrupted: ${told}, of ${ids.length}. Again, it goes on where it was.`);
  else if (failed.length > 0) throw new CliError('failed', `${told}, ${failed.length} not`);
  else if (ids.length !== 1 || isQuiet) cli.output.note(`${told}.`);
}

function tell({ output }: Invocation, { json = false }: RetryFlags, { id, outcome }: Told): void {
  if (outcome === undefined) {
    if (json) output.json({ id });
    else output.line(id);
  } else if ('job' in outcome) {
    const { _id: job, isNew } = outcome.job;
    if (json) output.json({ id, retriedBy: job, isNew });
    else output.line(`${id}: ${isNew ? 'retried' : 'was retried before'} by ${job}`);
  } else {
    const { error } = outcome;
    if (json) output.json({ id, error: { message: error.message } });
    else output.note(`${id}: ${error instanceof ConfigError ? '' : 'not retried: '}${error.message}`);
  }
}

type Told = Pick<RetriedJob, 'id'> & Partial<Pick<RetriedJob, 'outcome'>>;
