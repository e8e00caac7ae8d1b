import { listInstances } from '../../operator/instances.js';
import type { Invocation } from '../invocation.js';
import { openSession } from '../session.js';
import type { ServiceFlags } from '../settings.js';
import { stateOf, timeText } from '../wording.js';

export async function showInstances(cli: Invocation, flags: ServiceFlags): Promise<void> {
  const { output } = cli;
  const { service, deps } = await openSession(cli, flags);
  const instances = await listInstances(deps);
  if (flags.json === true) {
    for (const instance of instances) output.json(instance);
    return;
  }
  if (instances.length === 0) {
    output.note(`No instance of ${service} runs: start the service.`);
    return;
  }
  await output.table(
    ['INSTANCE', 'STATE', 'HOST', 'PID', 'RUNNING', 'STARTED (UTC)', 'HEARD OF (UTC)'].map((title) => ({
      title,
    })),
    instances.map(({ instance, state, host = '', pid = '', running, concurrency, started, heard }) => [
      instance,
      stateOf(state),
      host,
      String(pid),
      concurrency === undefined ? String(running) : `${running} of ${concurrency}`,
      timeText(started),
      timeText(heard),
    ]),
  );
}
