import { countJobs } from '../../operator/counts.js';
import type { Invocation } from '../invocation.js';
import { openSession } from '../session.js';
import type { ServiceFlags } from '../settings.js';

export interface StatsFlags extends ServiceFlags {
  readonly days: number;
}

export async function showStats(cli: Invocation, flags: StatsFlags): Promise<void> {
  const { output } = cli;
  const { service, deps, lists } = await openSession(cli, flags);
  const counts = await countJobs(deps, lists, flags.days);
  if (flags.json === true) {
    output.json({ service, ...counts });
    return;
  }
  const { pending, running, instances, paused, days } = counts;
  const facts = [
    ['Pending', String(pending)],
    ['Running', String(running)],
    ['Instances', `${instances.alive} alive${instances.silent === 0 ? '' : `, ${instances.silent} silent`}`],
    ['Paused', paused ? 'yes: no more jobs are begun' : 'no'],
  ] as const;
  for (const [name, value] of facts) output.line({ text: `${name}:`.padEnd(11), style: 'bold' }, value);
  if (days.length === 0) return;
  output.line('');
  await output.table(
    ['DAY (UTC)', 'SUCCESS', 'FAILURE'].map((title) => ({ title })),
    days.map(({ day, success, failure }) => [
      day,
      String(success),
      failure === 0 ? '0' : { text: String(failure), style: 'red' },
    ]),
  );
}
