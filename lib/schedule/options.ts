import { ConfigError } from '../errors.js';
import { isJsonObject, toJson } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import { checkNames, expected } from '../options.js';
import { isServiceName } from '../paths.js';
import { resolveTiming, timingNames, timingRecord } from './definition.js';
import type { ResolvedTiming, ScheduleTiming } from './definition.js';

/** What the functions of a schedule are told. */
export interface OccurrenceContext {
  readonly schedule: string;
  /** When it was due, or was asked for. */
  readonly occurrence: Date;
}

/** Which schedules are run after this one, and after which ends of it. */
export interface Chain {
  readonly run: readonly string[];
  /** @defaultValue 'success' */
  readonly on?: 'success' | 'always';
}

/** Of which ends of its occurrences people are told, where finish reporters are set up. */
export type Notify = 'failure' | 'always' | 'never';

export type ScheduleOptions = ScheduleTiming & {
  /** The type of its jobs. */
  readonly type: string;
  /** Their config, or what makes it: the same for the same occurrence, whoever makes it. @defaultValue {} */
  readonly config?: object | ConfigMaker;
  /**
   * Asked before each occurrence, and cheap: where it says false, the occurrence is skipped; where it throws, it has
   * failed. May take 30 s.
   */
  readonly shouldRun?: (context: OccurrenceContext) => boolean | Promise<boolean>;
  /** The schedules that are run next; after success, unless it says otherwise. */
  readonly then?: readonly string[] | Chain;
  /** @defaultValue 'failure' */
  readonly notify?: Notify;
};

export const scheduleDefaults: Readonly<Required<Pick<ScheduleOptions, 'config' | 'notify'>>> = Object.freeze(
  {
    config: Object.freeze({}),
    notify: 'failure',
  },
);

export const chainDefaults: Readonly<Required<Pick<Chain, 'on'>>> = Object.freeze({ on: 'success' });

/** The item of a list that a schedule was made for. */
export interface ItemState {
  /** As it was last read. */
  readonly get: () => JsonObject | undefined;
  /** Nothing is run before it is. */
  readonly isKnown: () => boolean;
  /** Reads it again where nothing tells of its changes. */
  readonly refresh: () => Promise<void>;
}

/** A schedule as the code declares it. */
export interface DeclaredSchedule {
  readonly key: string;
  readonly type: string;
  readonly timing: ResolvedTiming;
  readonly config: (context: OccurrenceContext) => unknown;
  readonly shouldRun: ((context: OccurrenceContext) => unknown) | undefined;
  readonly chain: Required<Chain>;
  readonly notify: Notify;
  /** The group that it was made for, an item of a list. */
  readonly group: string | undefined;
  readonly item: ItemState | undefined;
  /** What the row holds of all that. */
  readonly record: JsonObject;
}

const ownNames = ['type', 'config', 'shouldRun', 'then', 'notify'];
const MAX_CONFIG_BYTES = 1024 * 1024;

/**
 * @param madeFor the item that it is of, and the name of the schedule for each of them
 * @throws {ConfigError}
 */
export function resolveSchedule(
  key: string,
  options: ScheduleOptions,
  madeFor?: { readonly group: string; readonly item: ItemState },
): DeclaredSchedule {
  checkKey(key);
  checkObject(options);
  checkNames(options, [...ownNames, ...timingNames]);
  const { type, config = scheduleDefaults.config, shouldRun, then, ...rest } = options;
  const { notify = scheduleDefaults.notify, ...when } = rest;
  if (typeof type !== 'string' || type === '') throw expected('type', 'the name of a job type', type);
  if (shouldRun !== undefined && typeof shouldRun !== 'function')
    throw expected('shouldRun', 'a function', shouldRun);
  if (!['failure', 'always', 'never'].includes(notify))
    throw expected('notify', "'failure', 'always' or 'never'", notify);
  const timing = resolveTiming(when);
  const chain = resolveChain(then);
  const record = {
    ...{ schedule: key, type, timing: timingRecord(when), notify },
    then: chain.run.length === 0 ? null : { run: [...chain.run], on: chain.on },
    group: madeFor?.group ?? null,
  };
  const { group, item } = madeFor ?? {};
  return { key, type, timing, config: configOf(config), shouldRun, chain, notify, group, item, record };
}

/** The key of a schedule is part of a path. */
function checkKey(key: unknown): void {
  if (isServiceName(key)) return;
  throw new ConfigError(
    `expected the name of a schedule to be a text without blanks or slashes, and not only digits, got ${JSON.stringify(key)}`,
  );
}

function checkObject(options: unknown): void {
  if (!isJsonObject(options)) throw expected('options', 'an object', options);
}

function resolveChain(then: readonly string[] | Chain | undefined): Required<Chain> {
  if (then === undefined) return { run: [], ...chainDefaults };
  const { run, on = chainDefaults.on }: Chain = 'run' in then ? then : { run: then };
  if (!Array.isArray(run) || !run.every((name: unknown) => typeof name === 'string'))
    throw expected('then', 'a list of names of schedules', run);
  if (!['success', 'always'].includes(on)) throw expected('on', "'success' or 'always'", on);
  return { run: [...new Set(run)], on };
}

export type ConfigMaker = (context: OccurrenceContext) => object;

function isMaker(config: object | ConfigMaker): config is ConfigMaker {
  return typeof config === 'function';
}

function configOf(config: object | ConfigMaker): DeclaredSchedule['config'] {
  if (isMaker(config)) return config;
  if (!isJsonObject(config)) throw expected('config', 'an object, or a function that makes one', config);
  const json: Json | undefined = toJson(config, MAX_CONFIG_BYTES);
  return () => json;
}

/** What schedules of items lead to; nothing leads to them. */
export interface Leading {
  readonly name: string;
  readonly then: readonly string[];
}

/**
 * Each schedule that another leads to is there, and none leads back to itself.
 *
 * @throws {ConfigError}
 */
export function checkChains(
  schedules: ReadonlyMap<string, DeclaredSchedule>,
  others: Iterable<Leading> = [],
): void {
  const done = new Set<string>();
  const follow = (key: string, way: readonly string[]): void => {
    if (way.includes(key))
      throw new ConfigError(`schedules run each other in a circle: ${[...way, key].join(' → ')}`);
    const schedule = schedules.get(key);
    if (schedule === undefined)
      throw new ConfigError(
        `the schedule ${way.at(-1) ?? ''} is to be followed by ${key}, which there is none of`,
      );
    if (done.has(key)) return;
    for (const next of schedule.chain.run) follow(next, [...way, key]);
    done.add(key);
  };
  for (const key of schedules.keys()) follow(key, []);
  for (const { name, then } of others) for (const next of then) follow(next, [name]);
}
