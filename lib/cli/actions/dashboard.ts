import { once } from 'node:events';
import { readFile } from 'node:fs/promises';

import type { StartOptions } from '../../dashboard/options.js';
import { toError } from '../../errors.js';
import { CliError, orUsage } from '../failure.js';
import type { Environment } from '../config-file.js';
import type { Invocation } from '../invocation.js';
import { readAllSettings, readSettings } from '../settings.js';
import type { StoreFlags, StoreSettings } from '../settings.js';

export interface DashboardFlags extends StoreFlags {
  readonly host: string;
  readonly port: number;
  readonly passwordFile?: string;
  readonly allowHost?: readonly string[];
  readonly trustProxy?: boolean;
  readonly readOnly?: boolean;
  readonly allStores?: boolean;
  readonly metrics?: boolean;
  readonly publicMetrics?: boolean;
}

/** The web dashboard, until Ctrl-C. */
export async function runDashboard(cli: Invocation, flags: DashboardFlags): Promise<void> {
  const { output, environment, signal } = cli;
  const found = await storesFor(flags, environment);
  for (const { token, warnings } of found) {
    output.hide(token);
    for (const warning of warnings) output.warn(warning);
  }
  const password = flags.passwordFile === undefined ? undefined : await passwordIn(flags.passwordFile);
  if (password !== undefined) output.hide(password);
  const options = optionsOf(flags, found, password);
  const [{ startDashboard }, { resolveDashboard, resolveStart }] = await Promise.all([
    import('../../dashboard/server.js'),
    import('../../dashboard/options.js'),
  ]);
  orUsage(() => [resolveDashboard(options), resolveStart(options)]);
  const dashboard = await startDashboard(options);
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

/** Those that it shows. */
async function storesFor(flags: DashboardFlags, environment: Environment): Promise<StoreSettings[]> {
  if (flags.allStores !== true) return [await readSettings(flags, environment)];
  const { store, domain, token, tokenFile } = flags;
  if ([store, domain, token, tokenFile].some((given) => given !== undefined))
    throw new CliError(
      'usage',
      '--all-stores takes addresses and tokens from the config file: leave out --store, --domain, --token and --token-file',
    );
  const found = await readAllSettings(flags, environment);
  if (found.length > 0) return found;
  throw new CliError('usage', 'the config file has no stores: --all-stores shows those');
}

function optionsOf(
  { host, port, readOnly = false, metrics = false, publicMetrics = false, ...flags }: DashboardFlags,
  found: readonly StoreSettings[],
  password: string | undefined,
): StartOptions {
  return {
    stores: found.map(storeOf),
    ...{ host, port, readOnly, publicMetrics, metrics: metrics || publicMetrics },
    ...{ hosts: flags.allowHost ?? [], trustProxy: flags.trustProxy ?? false },
    ...(password !== undefined && { password }),
  };
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
