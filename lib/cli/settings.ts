import { ConfigError } from '../errors.js';
import { storeUrl } from '../oada/address.js';
import type { StoreAddress } from '../oada/address.js';
import { isServiceName } from '../paths.js';
import { isOpen, readConfigFile, readToken, tokenOf, tokenPath } from './config-file.js';
import type { ConfigFile, Environment, NamedStore } from './config-file.js';
import { CliError } from './failure.js';
import { nearest } from './nearest.js';

/** What every command that talks to a store takes. */
export interface StoreFlags {
  readonly domain?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly store?: string;
  readonly configFile?: string;
  readonly json?: boolean;
}

export interface ServiceFlags extends StoreFlags {
  readonly service?: string;
}

/** Which store is asked, and with which token. */
export interface StoreSettings extends StoreAddress {
  /** As the config file calls it; undefined: it was not taken from there. */
  readonly name: string | undefined;
  /** The service that the config file has with it. */
  readonly service: string | undefined;
  /** Where the address was found, for people. */
  readonly from: string;
  /** What people should know of it. */
  readonly warnings: readonly string[];
}

const HOW =
  'give --domain and OADA_TOKEN, or set OADA_DOMAIN and OADA_TOKEN, or name a store of the config file with --store';

/**
 * The first of these that is there: `--domain`; `--store`; `OADA_DOMAIN`; the default store of the config file. A token
 * of the config file goes to its own store only.
 *
 * @throws {CliError}
 */
export async function readSettings(flags: StoreFlags, environment: Environment): Promise<StoreSettings> {
  const { domain: variable = '' } = { domain: environment['OADA_DOMAIN'] };
  if (flags.domain !== undefined && flags.store !== undefined)
    throw new CliError('usage', 'give either --domain or --store: each names a store');
  if (flags.domain !== undefined) return await givenStore(flags.domain, '--domain', flags, environment);
  if (flags.store === undefined && variable !== '')
    return await givenStore(variable, 'OADA_DOMAIN', flags, environment);
  const file = await readConfigFile(flags.configFile, environment);
  const name = flags.store ?? file.default ?? onlyOne(file);
  if (name === undefined) throw new CliError('usage', `no store was named: ${HOW}`);
  return await namedStore(name, file, flags, environment);
}

/** All stores that the config file has. */
export async function readAllSettings(flags: StoreFlags, environment: Environment): Promise<StoreSettings[]> {
  const file = await readConfigFile(flags.configFile, environment);
  const names = [...file.stores.keys()];
  return await Promise.all(names.map((name) => namedStore(name, file, flags, environment)));
}

/** @throws {CliError} no service is named, or it cannot be one */
export function serviceNamed(
  given: string | undefined,
  settings: Pick<StoreSettings, 'service'>,
  environment: Environment,
): string {
  const { service: variable = '' } = { service: environment['OADA_JOBS_SERVICE'] };
  const service = given ?? (variable === '' ? settings.service : variable);
  if (service === undefined) {
    const advice = 'give --service, or set OADA_JOBS_SERVICE; `oada-jobs services` lists those of the store';
    throw new CliError('usage', `no service was named: ${advice}`);
  }
  if (isServiceName(service)) return service;
  throw new CliError(
    'usage',
    `${JSON.stringify(service)} cannot be the name of a service: it has no blanks or slashes, and is not only digits`,
  );
}

async function givenStore(
  domain: string,
  from: string,
  flags: StoreFlags,
  environment: Environment,
): Promise<StoreSettings> {
  const token = (await givenToken(flags)) ?? environment['OADA_TOKEN'] ?? '';
  if (token === '')
    throw new CliError('usage', `there is no token for ${domain}: set OADA_TOKEN, or give --token-file`);
  return checked({ domain, token, name: undefined, service: undefined, from, warnings: [] });
}

async function namedStore(
  name: string,
  file: ConfigFile,
  flags: StoreFlags,
  environment: Environment,
): Promise<StoreSettings> {
  const store = file.stores.get(name);
  if (store === undefined) throw noStore(name, file);
  const token = (await givenToken(flags)) ?? (await tokenOf(store, file, environment)) ?? '';
  if (token === '') {
    const advice = 'give it a `tokenFile`, a `tokenEnv` or a `token`';
    throw new CliError('usage', `the store ${name} in ${file.path} has no token: ${advice}`);
  }
  const warnings = await warningsOf(store, file, environment);
  return checked({ domain: store.domain, token, name, service: store.service, from: file.path, warnings });
}

async function givenToken({ token, tokenFile }: StoreFlags): Promise<string | undefined> {
  if (token !== undefined && tokenFile !== undefined)
    throw new CliError('usage', 'give either --token or --token-file');
  return tokenFile === undefined ? token : await readToken(tokenFile);
}

async function warningsOf(store: NamedStore, file: ConfigFile, environment: Environment): Promise<string[]> {
  const warnings: string[] = [];
  const open = (path: string): string => `${path} holds a token, and others can read it: chmod 600 ${path}`;
  if (store.token !== undefined && file.isOpen) warnings.push(open(file.path));
  if (store.token === undefined && store.tokenFile !== undefined) {
    const path = tokenPath(store.tokenFile, file.path, environment);
    if (await isOpen(path).catch(() => false)) warnings.push(open(path)); // another one may have been given
  }
  return warnings;
}

/** Without asking it. */
function checked(settings: StoreSettings): StoreSettings {
  try {
    storeUrl(settings);
    return settings;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CliError('usage', `${error.message} (from ${settings.from})`, { cause: error });
  }
}

function onlyOne({ stores }: ConfigFile): string | undefined {
  const [name, ...others] = stores.keys();
  return others.length === 0 ? name : undefined;
}

function noStore(name: string, { path, stores }: ConfigFile): CliError {
  const names = [...stores.keys()];
  const alike = nearest(name, names);
  const hint =
    alike === undefined
      ? `there ${names.length === 0 ? 'is none' : `are ${names.join(', ')}`}`
      : `did you mean ${alike}?`;
  return new CliError('usage', `there is no store ${JSON.stringify(name)} in ${path}: ${hint}`);
}
