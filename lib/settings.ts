import type { OADAClient } from '@oada/client';

import { systemClock } from './clock.js';
import type { Clock } from './clock.js';
import { ConfigError } from './errors.js';
import { isJsonObject } from './json.js';
import type { StoreAddress } from './oada/address.js';
import { storeUrl } from './oada/address.js';
import { isClient } from './oada/store.js';
import { expected } from './options.js';
import type { ServiceOptions } from './options.js';
import { isServiceName } from './paths.js';
import type { ServiceLog } from './service-log.js';

/** A service, all in one object. */
export interface ServiceSettings extends ServiceOptions {
  /** The service's name: its records stand below `/bookmarks/services/<name>`. */
  readonly name: string;
  /**
   * The store and the token to come in with, or a connected client; the client stays connected after `stop()`. Where
   * either says how many requests it makes at once, other than one, so many jobs run at once by default.
   */
  readonly oada: OADAClient | ClientConfig;
  /** More options, where services of @oada/jobs 3 to 5 have them; those that stand beside it count more. */
  readonly opts?: ServiceOptions;
  /** A logger of the process, as pino makes them: it is told what happens, and what work functions log. */
  readonly log?: ServiceLog;
  /** @internal That of a test. */
  readonly clock?: Clock;
}

/** What `connect` of `@oada/client` takes. Only what is said here is of effect. */
export interface ClientConfig extends StoreAddress {
  readonly concurrency?: number;
  readonly connection?: unknown;
}

/** What the constructor of a service was called with, checked as far as the options are not concerned. */
export interface ServiceArguments {
  readonly name: string;
  readonly oada: OADAClient | ClientConfig;
  readonly log: ServiceLog | undefined;
  readonly clock: Clock;
  readonly options: ServiceOptions;
}

/** @throws {ConfigError} */
export function serviceArguments(...values: Parameters<typeof settingsOf>): ServiceArguments {
  const { name, oada, opts, log, clock = systemClock, ...rest } = settingsOf(...values);
  checkName(name);
  checkSource(oada);
  if (opts !== undefined && !isJsonObject(opts)) throw expected('opts', 'an object', opts);
  if (log !== undefined && !isJsonObject(log)) throw expected('log', 'a logger', log);
  return { name, oada, log, clock, options: { ...concurrencyOf(oada), ...opts, ...rest } };
}

/** Each way to call the constructor comes down to the settings of the first. */
function settingsOf(
  first: ServiceSettings | string,
  second: OADAClient | string | undefined,
  third: number | string | undefined,
  fourth: number | ServiceOptions | undefined,
  fifth: ServiceOptions | undefined,
): ServiceSettings {
  if (typeof first !== 'string') {
    checkSettings(first);
    return first;
  }
  const byClient = typeof second === 'object';
  const [concurrency, options] = byClient ? [third, fourth] : [fourth, fifth];
  if (typeof concurrency === 'string' || typeof concurrency === 'object') {
    throw expected('concurrency', 'a whole number from 1', concurrency);
  }
  if (options !== undefined && typeof options !== 'object') throw expected('options', 'an object', options);
  const oada = byClient ? second : { domain: second ?? '', token: typeof third === 'string' ? third : '' };
  return { ...options, ...(concurrency !== undefined && { concurrency }), name: first, oada };
}

function checkSettings(settings: unknown): void {
  if (!isJsonObject(settings))
    throw expected('name', "a service's name, or an object with all settings", settings);
}

function checkSource(oada: unknown): void {
  if (!isJsonObject(oada)) throw expected('oada', 'a client, or a domain and a token', oada);
  if (!isClient(oada)) storeUrl(oada);
}

/** One request at a time is what clients make unless they are told otherwise: it says nothing of jobs. */
function concurrencyOf(oada: OADAClient | ClientConfig): Pick<ServiceOptions, 'concurrency'> {
  const concurrency = isClient(oada) ? oada.getConcurrency() : oada.concurrency;
  return concurrency === undefined || concurrency === 1 ? {} : { concurrency };
}

function checkName(name: unknown): void {
  if (isServiceName(name)) return;
  throw new ConfigError(
    `expected \`name\` to be a service's name without blanks or slashes, and not only digits, got ${JSON.stringify(name)}`,
  );
}
