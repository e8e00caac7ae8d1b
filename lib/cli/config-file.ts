import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';

import { toError } from '../errors.js';
import { isJsonObject, parseJson } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import { checkNames } from '../options.js';
import { CliError, orUsage } from './failure.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A store that the file gives a name. The token stands in one of three places. */
export interface NamedStore {
  readonly domain: string;
  readonly token?: string;
  /** The file that holds the token; where it is not absolute, seen from the folder of the config file. */
  readonly tokenFile?: string;
  /** The variable that holds the token. */
  readonly tokenEnv?: string;
  /** The service that commands are about where none is named. */
  readonly service?: string;
}

export interface ConfigFile {
  readonly path: string;
  readonly stores: ReadonlyMap<string, NamedStore>;
  /** The name of the store that is taken where none is named. */
  readonly default: string | undefined;
  /** May users other than its owner read it? */
  readonly isOpen: boolean;
}

const STORE_KEYS = ['domain', 'token', 'tokenFile', 'tokenEnv', 'service'] as const;

/** Where the file is looked for. */
function configPath(environment: Environment): string {
  const { XDG_CONFIG_HOME: given = '' } = environment;
  const base = given === '' ? join(environment['HOME'] ?? homedir(), '.config') : given;
  return join(base, 'oada-jobs', 'config.json');
}

/**
 * @param given undefined: the usual place, where there need not be one
 * @throws {CliError} it cannot be read, or is not what it has to be; nothing of its content is shown
 */
export async function readConfigFile(
  given: string | undefined,
  environment: Environment,
): Promise<ConfigFile> {
  const path = resolve(given ?? configPath(environment));
  const content = await textOf(path, given !== undefined);
  if (content === undefined) return { path, stores: new Map(), default: undefined, isOpen: false };
  const settings = parse(path, content);
  orUsage(() => {
    checkNames(settings, ['stores', 'default']);
  });
  const { stores = {}, default: preferred } = settings;
  if (!isJsonObject(stores)) throw wrong(path, '`stores` has to be an object: a store for each name');
  if (preferred !== undefined && typeof preferred !== 'string')
    throw wrong(path, '`default` has to be the name of a store');
  const entries = Object.entries(stores).map(([name, store]): [string, NamedStore] => [
    name,
    storeOf(path, name, store),
  ]);
  return { path, stores: new Map(entries), default: preferred, isOpen: await isOpen(path) };
}

/** Can users other than its owner read the file? Where there are no such permissions, that is not known. */
export async function isOpen(path: string): Promise<boolean> {
  if (process.platform === 'win32') return false;
  return ((await stat(path)).mode & 0o077) !== 0;
}

/** @throws {CliError} there is no token to be had */
export async function tokenOf(
  { token, tokenFile, tokenEnv }: NamedStore,
  { path }: Pick<ConfigFile, 'path'>,
  environment: Environment,
): Promise<string | undefined> {
  if (token !== undefined) return token;
  if (tokenEnv !== undefined) {
    const value = environment[tokenEnv] ?? '';
    if (value !== '') return value;
    throw new CliError(
      'usage',
      `${path} says that the token is in ${tokenEnv}, and that is not set. Set it.`,
    );
  }
  return tokenFile === undefined ? undefined : await readToken(tokenPath(tokenFile, path, environment));
}

export function tokenPath(tokenFile: string, path: string, environment: Environment): string {
  const home = environment['HOME'] ?? homedir();
  return resolve(dirname(path), tokenFile.replace(/^~(?=\/)/, home));
}

/**
 * @param path `-` for stdin
 * @throws {CliError}
 */
export async function readToken(path: string): Promise<string> {
  try {
    const token = (path === '-' ? await text(process.stdin) : await readFile(path, 'utf8')).trim();
    if (token !== '') return token;
  } catch (error) {
    throw new CliError('usage', `cannot read the token: ${toError(error).message}`, { cause: error });
  }
  throw new CliError('usage', `cannot read the token: ${path} is empty`);
}

async function textOf(path: string, isNeeded: boolean): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isMissing && !isNeeded) return undefined;
    throw new CliError('usage', `cannot read the config file: ${toError(error).message}`, { cause: error });
  }
}

function parse(path: string, content: string): JsonObject {
  try {
    const settings = parseJson(content);
    if (isJsonObject(settings)) return settings;
  } catch {
    // The parser's own words show what it stumbled over, which may be a token.
  }
  throw wrong(path, 'it has to be a JSON object, like {"stores": {"farm": {"domain": "oada.example.org"}}}');
}

function storeOf(path: string, name: string, store: Json | undefined): NamedStore {
  if (!isJsonObject(store)) throw wrong(path, `the store ${name} has to be an object with a \`domain\``);
  orUsage(() => {
    checkNames(store, STORE_KEYS);
  });
  const given: Partial<Record<(typeof STORE_KEYS)[number], string>> = {};
  for (const key of STORE_KEYS) {
    const value = store[key];
    if (value === undefined) continue;
    if (typeof value !== 'string' || value === '')
      throw wrong(path, `\`${key}\` of the store ${name} has to be text`);
    given[key] = value;
  }
  const { domain, ...rest } = given;
  if (domain === undefined) throw wrong(path, `the store ${name} has no \`domain\``);
  return { domain, ...rest };
}

function wrong(path: string, what: string): CliError {
  return new CliError('usage', `${path}: ${what}`);
}
