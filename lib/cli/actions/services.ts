import { listServices } from '../../operator/services.js';
import type { Invocation } from '../invocation.js';
import { openNamedStore } from '../session.js';
import type { StoreFlags } from '../settings.js';

export async function showServices(cli: Invocation, flags: StoreFlags): Promise<void> {
  const { output } = cli;
  const services = await listServices(await openNamedStore(cli, flags));
  for (const service of services) {
    if (flags.json === true) output.json({ service });
    else output.line(service);
  }
  if (services.length === 0) output.note('There is no service yet: one appears with its first job.');
}
