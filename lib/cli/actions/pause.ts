import { setPaused } from '../../operator/job-actions.js';
import type { Invocation } from '../invocation.js';
import { openSession } from '../session.js';
import type { ServiceFlags } from '../settings.js';

export async function setPause(cli: Invocation, paused: boolean, flags: ServiceFlags): Promise<void> {
  const { service, deps } = await openSession(cli, flags);
  await setPaused(deps, paused);
  if (flags.json === true) cli.output.json({ service, paused });
  else if (paused) cli.output.line(`${service} is paused: no more jobs are begun, those that run go on.`);
  else cli.output.line(`${service} goes on.`);
}
