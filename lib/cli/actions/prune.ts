import type { Duration } from '../../duration.js';
import { forgetSilent } from '../../operator/instances.js';
import { resolveRetention } from '../../retention/options.js';
import { pruneJobs } from '../../retention/prune.js';
import type { Pruned, PrunedStep } from '../../retention/prune.js';
import { confirm } from '../confirm.js';
import { CliError, orUsage } from '../failure.js';
import type { Invocation } from '../invocation.js';
import { openSession } from '../session.js';
import type { ServiceFlags } from '../settings.js';
import { countOf } from '../wording.js';

export interface PruneFlags extends ServiceFlags {
  readonly success?: Duration;
  readonly failure?: Duration;
  readonly keep?: number;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export async function prune(cli: Invocation, flags: PruneFlags): Promise<void> {
  const { output, signal } = cli;
  const { success, failure, keep, dryRun = false, yes } = flags;
  const limits = {
    ...(success !== undefined && { success }),
    ...(failure !== undefined && { failure }),
    ...(keep !== undefined && { keep }),
  };
  const retention = orUsage(() => resolveRetention(limits));
  if (retention === undefined)
    throw new CliError('usage', 'say how long jobs are kept: --success, --failure, --keep');
  const { service, store, deps } = await openSession(cli, flags);
  const { paths, clock } = deps;
  const pruneOnce = (options: {
    readonly dryRun: boolean;
    onStep?(step: PrunedStep): void;
  }): Promise<Pruned> => pruneJobs(store, paths, { retention, clock, signal, ...options });
  let expected = 0;
  if (!dryRun && cli.isInteractive) {
    ({ jobs: expected } = await pruneOnce({ dryRun: true }));
    const what = `${countOf(expected, 'job')} of ${service}, and all that is known of ${expected === 1 ? 'it' : 'them'}`;
    if (expected > 0) await confirm(cli, `Delete ${what}?`, yes);
  } else if (!dryRun) await confirm(cli, `Delete the old jobs of ${service}?`, yes);
  const bar = await output.progress('Deleting', expected);
  cli.endsItself();
  cli.goesOnUnread();
  let done = 0;
  const { jobs, days } = await pruneOnce({
    dryRun,
    onStep: ({ count }) => {
      done += count;
      bar.update(done);
    },
  });
  const instances = dryRun || signal.aborted ? 0 : await forgetSilent(deps);
  bar.stop();
  tell(cli, flags, { jobs, days, instances, service });
}

function tell(
  { output, signal }: Invocation,
  { json = false, dryRun = false }: PruneFlags,
  { jobs, days, instances, service }: Pruned & { readonly instances: number; readonly service: string },
): void {
  if (json) output.json({ service, dryRun, jobs, days, instances });
  else {
    const verb = dryRun ? 'would be deleted' : 'deleted';
    const forgotten = instances === 0 ? '' : `; ${countOf(instances, 'dead instance')} forgotten`;
    output.line(`${countOf(jobs, 'job')} and ${countOf(days, 'list')} of days ${verb}${forgotten}.`);
  }
  if (signal.aborted) output.note('Interrupted: again, it goes on where it was.');
}
