import { once } from 'node:events';
import { readFile } from 'node:fs/promises';

import { toError } from '../../errors.js';
import { CliError } from '../failure.js';
import type { Invocation } from '../invocation.js';
import { readAllSettings, readSettings } from '../settings.js';
import type { StoreFlags, StoreSettings } from '../settings.js';

export interface DashboardFlags extends StoreFlags {
  readonly host: string;
  readonly port: number;
  readonly passwordFile?: string;
  readonly readOnly?: boolean;
  readonly allStores?: boolean;
  readonly metrics?: boolean;
  readonly publicMetrics?: boolean;
}

/** The web dashboard, until Ctrl-C. */
export async function runDashboard(cli: Invocation, flags: DashboardFlags): Promise<void> {
  const { output, environment, signal } = cli;
  const { host, port, readOnly = false, allStores = false, publicMetrics = false } = flags;
  const metrics = flags.metrics === true || publicMetrics;
  const found = allStores
    ? await readAllSettings(flags, environment)
    : [await readSettings(flags, environment)];
  if (found.length === 0)
    throw new CliError('usage', 'the config file has no stores: --all-stores shows those');
  for (const { token, warnings } of found) {
    output.hide(token);
    for (const warning of warnings) output.warn(warning);
  }
  const password = flags.passwordFile === undefined ? undefined : await passwordIn(flags.passwordFile);
  if (password !== undefined) output.hide(password);
  const { startDashboard } = await import('../../dashboard/server.js');
  const dashboard = await startDashboard({
    stores: found.map(storeOf),
    ...{ host, port, readOnly, metrics, publicMetrics },
    ...(password !== undefined && { password }),
  });
  cli.endsItself('ok');
  try {
    if (flags.json === true) output.json({ url: dashboard.url });
    else {
      output.line({ text: `The dashboard is at ${dashboard.url}`, style: 'bold' });
      output.line('Ctrl-C stops it.');
    }
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await dashboard.stop();
  }
}

function storeOf({ name, domain, token }: StoreSettings): { name: string; domain: string; token: string } {
  return { name: name ?? domain.replace(/^[a-z]+:\/\//, ''), domain, token };
}

async function passwordIn(path: string): Promise<string> {
  try {
    const password = (await readFile(path, 'utf8')).trim();
    if (password !== '') return password;
  } catch (error) {
    throw new CliError('usage', `cannot read the password: ${toError(error).message}`, { cause: error });
  }
  throw new CliError('usage', `cannot read the password: ${path} is empty`);
}
