import { systemClock } from '../clock.js';
import { toMilliseconds } from '../duration.js';
import { openStore } from '../oada/store.js';
import type { Store } from '../oada/store.js';
import { storeReader } from '../operator/lists.js';
import type { ListReader } from '../operator/lists.js';
import type { OperatorDeps } from '../operator/operator-deps.js';
import { serviceDefaults } from '../options.js';
import { pathsOf } from '../paths.js';
import type { Invocation } from './invocation.js';
import { readSettings, serviceNamed } from './settings.js';
import type { ServiceFlags, StoreFlags, StoreSettings } from './settings.js';

/** A service, to be looked at and steered. */
export interface Session {
  readonly service: string;
  readonly store: Store;
  readonly deps: OperatorDeps;
  readonly lists: ListReader;
}

/** Opens the store that the command is about; it is closed when the command is over. */
export async function openSettings(cli: Invocation, settings: StoreSettings): Promise<Store> {
  const { output } = cli;
  const { domain, token, warnings } = settings;
  output.hide(token);
  cli.isAbout(domain);
  for (const warning of warnings) output.warn(warning);
  const timeout = toMilliseconds(serviceDefaults.requestTimeout, 'requestTimeout');
  const store = openStore({ domain, token }, { clock: systemClock, timeout, onRequest: () => undefined });
  cli.defer(() => store.close());
  return store;
}

/** The store alone. One request tells at once whether it is there, and takes the token. */
export async function openNamedStore(cli: Invocation, flags: StoreFlags): Promise<Store> {
  const settings = await readSettings(flags, cli.environment);
  const store = await openSettings(cli, settings);
  await store.check();
  return store;
}

export async function openSession(cli: Invocation, flags: ServiceFlags): Promise<Session> {
  const { environment } = cli;
  const settings = await readSettings(flags, environment);
  const service = serviceNamed(flags.service, settings, environment);
  const store = await openSettings(cli, settings);
  await store.check();
  const deps = depsOf(service, store);
  return { service, store, deps, lists: storeReader(deps) };
}

export function depsOf(service: string, store: Store): OperatorDeps {
  return { service, store, paths: pathsOf(service), clock: systemClock };
}
