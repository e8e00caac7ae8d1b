import { isIP } from 'node:net';

import type { FastifyRequest } from 'fastify';

import { systemClock } from '../clock.js';
import type { Clock } from '../clock.js';
import { toMilliseconds } from '../duration.js';
import type { Duration } from '../duration.js';
import { ConfigError } from '../errors.js';
import { isJsonObject } from '../json.js';
import { storeUrl } from '../oada/address.js';
import { checkNames, expected } from '../options.js';

/** A store that the dashboard shows, and the token that it comes in with. */
export interface DashboardStore {
  /** What people call it; from 1 to 100 characters. */
  readonly name: string;
  /** `oada.example.org`, or a URL: `https://oada.example.org`, `http://localhost:3000` */
  readonly domain: string;
  /** Stays in the process. */
  readonly token: string;
}

/** What gives metrics, as a registry of `prom-client` does. */
export interface DashboardMetrics {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** Of a dashboard that is mounted in an app: it needs a `password` or `authenticate`. */
export interface DashboardOptions {
  /** From one to a hundred. */
  readonly stores: readonly DashboardStore[];
  /** Whether every change is refused. @defaultValue false */
  readonly readOnly?: boolean;
  /** What people sign in with; from 8 to 1000 characters. */
  readonly password?: string;
  /** In place of a password: whether a request comes from somebody who may see and change all that the dashboard shows. */
  readonly authenticate?: (request: FastifyRequest) => boolean | Promise<boolean>;
  /** The names, without ports, by which browsers reach it, besides `localhost` and addresses. @defaultValue [] */
  readonly hosts?: readonly string[];
  /** How long a session lasts in which nothing is asked for. @defaultValue '12h' */
  readonly sessionTimeout?: Duration;
  /** Served at `metrics`: `true` for what the dashboard sees of all services, or a registry. @defaultValue false */
  readonly metrics?: boolean | DashboardMetrics;
  /** Whether the metrics are served without sign-in. @defaultValue false */
  readonly publicMetrics?: boolean;
  /** @internal Where the built page is. */
  readonly pageFolder?: string;
  /** @internal */
  readonly clock?: Clock;
}

/** Of a dashboard that listens by itself. */
export interface StartOptions extends Omit<DashboardOptions, 'authenticate'> {
  /** The address to listen on; others than those of this machine need a password. @defaultValue '127.0.0.1' */
  readonly host?: string;
  /** @defaultValue `0`: a free one */
  readonly port?: number;
  /**
   * Whose `X-Forwarded-…` is believed: that of so many proxies before it, or of those at these addresses, with commas
   * between them; `true` believes all of it, whoever wrote it. @defaultValue false
   */
  readonly trustProxy?: boolean | number | string;
}

export interface ResolvedDashboard {
  readonly stores: readonly DashboardStore[];
  readonly readOnly: boolean;
  readonly password: string | undefined;
  readonly authenticate: DashboardOptions['authenticate'];
  readonly hosts: ReadonlySet<string>;
  /** In milliseconds. */
  readonly sessionTimeout: number;
  readonly metrics: boolean | DashboardMetrics;
  readonly publicMetrics: boolean;
  readonly pageFolder: string | undefined;
  readonly clock: Clock;
}

export const dashboardDefaults: Readonly<
  Required<Pick<DashboardOptions, 'readOnly' | 'hosts' | 'sessionTimeout' | 'metrics' | 'publicMetrics'>>
> = Object.freeze({
  readOnly: false,
  hosts: [],
  sessionTimeout: '12h',
  metrics: false,
  publicMetrics: false,
});

export const startDefaults: Readonly<Required<Pick<StartOptions, 'host' | 'port' | 'trustProxy'>>> =
  Object.freeze({ host: '127.0.0.1', port: 0, trustProxy: false });

const MOST_STORES = 100;
const LONGEST_NAME = 100;
const PASSWORD_LENGTH = { least: 8, most: 1000 };
const NAMES: readonly string[] = [
  ...Object.keys(dashboardDefaults),
  ...['stores', 'password', 'authenticate', 'pageFolder', 'clock'],
];
/** What the app in which it is mounted says to itself. */
const OF_REGISTRATION: readonly string[] = ['prefix', 'logLevel', 'logSerializers'];
const OF_START: readonly string[] = Object.keys(startDefaults);

/** @throws {ConfigError} never shows a token or a password */
export function resolveDashboard(options: DashboardOptions): ResolvedDashboard {
  if (!isJsonObject(options)) throw expected('options', 'an object', options);
  const known = [...NAMES, ...OF_REGISTRATION, ...OF_START];
  checkNames(options, known);
  const { password, authenticate, pageFolder, clock = systemClock } = options;
  const all = { ...dashboardDefaults, ...options };
  const { metrics } = all;
  checkPassword(password);
  if (authenticate !== undefined && typeof authenticate !== 'function')
    throw expected('authenticate', 'a function', authenticate);
  if (authenticate !== undefined && password !== undefined)
    throw new ConfigError('expected one of `password` and `authenticate`, got both');
  checkMetrics(metrics);
  return Object.freeze<ResolvedDashboard>({
    ...{ password, authenticate, metrics, pageFolder, clock },
    stores: storesOf(options.stores),
    readOnly: flag('readOnly', all.readOnly),
    publicMetrics: flag('publicMetrics', all.publicMetrics),
    hosts: hostsOf(all.hosts),
    sessionTimeout: toMilliseconds(all.sessionTimeout, 'sessionTimeout'),
  });
}

export interface ResolvedStart {
  readonly host: string;
  readonly port: number;
  readonly trustProxy: boolean | number | string;
}

/** @throws {ConfigError} */
export function resolveStart(options: StartOptions): ResolvedStart {
  const { host, port, trustProxy } = { ...startDefaults, ...options };
  if (typeof host !== 'string' || host === '' || host.includes('\0'))
    throw expected('host', 'a name or an address', host);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw expected('port', 'a whole number from 0 to 65535', port);
  if ('authenticate' in options && options.authenticate !== undefined)
    throw new ConfigError('expected `authenticate` only where the dashboard is mounted in an app');
  if (!isLoopback(host) && options.password === undefined) {
    throw new ConfigError(
      `A dashboard that others can reach, here at ${JSON.stringify(host)}, needs a \`password\`.`,
    );
  }
  return { host, port, trustProxy: proxiesOf(trustProxy) };
}

/** As fastify takes it, which would fail later on, and in other words. */
function proxiesOf(trusted: unknown): boolean | number | string {
  if (typeof trusted === 'boolean') return trusted;
  if (typeof trusted === 'number' && Number.isSafeInteger(trusted) && trusted >= 1) return trusted;
  if (typeof trusted === 'string' && trusted.split(',').every((one) => isProxy(one.trim()))) return trusted;
  throw expected('trustProxy', 'true, false, a number of proxies or a list of addresses', trusted);
}

function isProxy(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [, address = '', bits] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const kind = isIP(address);
  return kind !== 0 && (bits === undefined || (Number(bits) >= 1 && Number(bits) <= (kind === 4 ? 32 : 128)));
}

/** Does it lead to this machine, and to nowhere else? */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function storesOf(stores: unknown): readonly DashboardStore[] {
  const given: readonly unknown[] = Array.isArray(stores) ? stores : [];
  if (given.length === 0 || given.length > MOST_STORES)
    throw expected('stores', 'a list of 1 to 100 stores', given.length === 0 ? stores : given.length);
  const resolved = given.map(storeOf);
  const names = resolved.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new ConfigError(`expected each of \`stores\` to have a name of its own: ${JSON.stringify(twice)}`);
  return Object.freeze(resolved);
}

function storeOf(store: unknown): DashboardStore {
  if (!isJsonObject(store)) throw expected('stores', 'a list of objects', store);
  checkNames(store, ['name', 'domain', 'token']);
  const { name, domain, token } = store;
  // What a browser would take for a way through folders cannot be a part of an address.
  const isName = typeof name === 'string' && name.trim() !== '' && name !== '.' && name !== '..';
  if (!isName || name.length > LONGEST_NAME || /\p{Cs}/u.test(name))
    throw expected('name', 'what people call the store, in 1 to 100 characters', name);
  storeUrl({ domain, token });
  if (typeof domain !== 'string' || typeof token !== 'string')
    throw new ConfigError('expected `domain` and `token` to be text'); // it was looked at already
  return Object.freeze({ name, domain, token });
}

function hostsOf(hosts: unknown): ReadonlySet<string> {
  const given: readonly unknown[] = Array.isArray(hosts) ? hosts : [hosts];
  const names = given.flatMap((host) =>
    typeof host === 'string' && /^[a-z0-9._-]+$/i.test(host) ? [host.toLowerCase()] : [],
  );
  if (!Array.isArray(hosts) || names.length < given.length)
    throw expected('hosts', 'a list of names like jobs.example.org, without ports', given.join());
  return new Set(names);
}

function flag(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw expected(name, 'true or false', value);
  return value;
}

function checkPassword(password: unknown): void {
  const { least, most } = PASSWORD_LENGTH;
  const isOne = typeof password === 'string' && password.length >= least && password.length <= most;
  if (password === undefined || isOne) return;
  const got = typeof password === 'string' ? `one of ${String(password.length)}` : typeof password;
  throw new ConfigError(
    `expected \`password\` to have ${String(least)} to ${String(most)} characters, got ${got}`,
  );
}

function checkMetrics(metrics: unknown): void {
  if (typeof metrics === 'boolean') return;
  const isRegistry =
    isJsonObject(metrics) &&
    typeof metrics['contentType'] === 'string' &&
    'metrics' in metrics &&
    Reflect.get(metrics, 'metrics') instanceof Function;
  if (!isRegistry) throw expected('metrics', 'true, false or a registry like those of prom-client', metrics);
}
