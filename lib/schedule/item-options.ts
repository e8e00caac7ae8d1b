import { createHash } from 'node:crypto';

import { toMilliseconds } from '../duration.js';
import type { Duration } from '../duration.js';
import { ConfigError } from '../errors.js';
import { isJsonObject } from '../json.js';
import type { JsonObject } from '../json.js';
import { checkNames, expected } from '../options.js';
import { isAddressable, isServiceName } from '../paths.js';
import { resolveTiming, timingNames } from './definition.js';
import type { ScheduleTiming } from './definition.js';
import { resolveSchedule } from './options.js';
import type { Chain, DeclaredSchedule, ItemState, Notify, OccurrenceContext } from './options.js';

/** What `shouldRun` of an item's schedule is told. */
export interface ItemContext<Item extends object = JsonObject> extends OccurrenceContext {
  readonly item: Item;
}

/**
 * A schedule for each item of a list in the store. All that {@link ScheduleTiming} has may be given as well; but an `every`
 * without a `phase` has the items spread over the interval, each at a time of its own that stays the same.
 *
 * @typeParam Item what an item is; `where`, or whoever writes the list, has to see to that
 */
export type EachOptions<Item extends object = JsonObject> = ScheduleTiming & {
  /**
   * The path of the list, like `'/bookmarks/providers'`: a resource of its own. Its items are objects that stand in it, or
   * links to resources. A list that is found empty, or cannot be read, changes nothing: no schedule goes because of it.
   */
  readonly list: string;
  /**
   * Which items have a schedule; by default all. Cheap, since it is asked whenever the list has changed, and at each
   * `refreshInterval`. It is taken at its word, also if it says false of all: a schedule that goes keeps its history and what
   * operators have set, and goes on when its item is back. Where it throws, the item's schedule stays as it is.
   */
  readonly where?: (item: Item, key: string) => boolean;
  /** What the item's schedule is called, after the name and a dot: a part of paths. By default the item's key in the list. */
  readonly key?: (item: Item, key: string) => string;
  /** How often items behind unversioned links are read again, since no list tells of their changes. @defaultValue '5m' */
  readonly refreshInterval?: Duration;
  /** The type of its jobs. */
  readonly type: string;
  /**
   * Their config, or what makes it of the item as it is when the occurrence is due, and of nothing else: the same for the
   * same occurrence, whoever makes it. @defaultValue {}
   */
  readonly config?: object | ItemConfigMaker<Item>;
  /** As in {@link ScheduleOptions}, with the item as it is when the occurrence is due. */
  readonly shouldRun?: (context: ItemContext<Item>) => boolean | Promise<boolean>;
  /** The schedules that are run next, none of them of an item; after success, unless it says otherwise. */
  readonly then?: readonly string[] | Chain;
  /** @defaultValue 'failure' */
  readonly notify?: Notify;
};

export const eachDefaults: Readonly<Required<Pick<EachOptions, 'refreshInterval'>>> = Object.freeze({
  refreshInterval: '5m',
});

export type ItemConfigMaker<Item extends object = JsonObject> = (
  item: Item,
  context: OccurrenceContext,
) => object;

/** {@link EachOptions}, checked: what makes the schedules of a list's items. */
export interface ItemTemplate {
  readonly name: string;
  readonly list: string;
  /** In milliseconds. */
  readonly refreshInterval: number;
  readonly where: ((item: JsonObject, key: string) => unknown) | undefined;
  readonly keyOf: ((item: JsonObject, key: string) => unknown) | undefined;
  readonly then: readonly string[];
  /** @throws {ConfigError} the key can be none */
  scheduleOf(key: string, item: ItemState): DeclaredSchedule;
}

const OWN_NAMES = [
  'list',
  'where',
  'key',
  'refreshInterval',
  'type',
  'config',
  'shouldRun',
  'then',
  'notify',
];
const LONGEST_KEY = 200;

/** @throws {ConfigError} */
export function resolveEach<Item extends object>(name: string, options: EachOptions<Item>): ItemTemplate {
  if (!isServiceName(name))
    throw expected('name', 'a text without blanks or slashes, and not only digits', name);
  checkOptions(options);
  const { list, where, key, config, shouldRun, ...others } = options;
  const { refreshInterval = eachDefaults.refreshInterval, ...rest } = others;
  const isItem = (item: object): item is Item => isJsonObject(item);
  const asItem = <T>(item: object | undefined, use: (item: Item) => T): T => {
    if (item === undefined || !isItem(item)) throw new TypeError('its item is not known');
    return use(item);
  };
  const isOfItem = shouldRun !== undefined || isMaker(config);
  const isJudged = where !== undefined || key !== undefined;
  const scheduleOf = (own: string, item: ItemState): DeclaredSchedule => {
    const made = {
      ...withPhase(own, rest),
      ...(shouldRun !== undefined && {
        shouldRun: (context: OccurrenceContext) =>
          asItem(item.get(), (value) => shouldRun({ ...context, item: value })),
      }),
      ...(config !== undefined && {
        config: isMaker(config)
          ? (context: OccurrenceContext) => asItem(item.get(), (value) => config(value, context))
          : config,
      }),
    };
    const isKnown = isOfItem ? item.isKnown : () => true;
    const refresh = isOfItem || isJudged ? item.refresh : async () => undefined;
    return resolveSchedule(own, made, { group: name, item: { get: item.get, isKnown, refresh } });
  };
  const { chain } = scheduleOf(`${name}.item`, NO_ITEM); // says now what is wrong with it
  return Object.freeze<ItemTemplate>({
    ...{ name, list, refreshInterval: toMilliseconds(refreshInterval, 'refreshInterval'), scheduleOf },
    where: where && ((item, own) => asItem(item, (value) => where(value, own))),
    keyOf: key && ((item, own) => asItem(item, (value) => key(value, own))),
    then: chain.run,
  });
}

const NO_ITEM: ItemState = { get: () => undefined, isKnown: () => false, refresh: async () => undefined };

function isMaker<Item extends object>(
  config: object | ItemConfigMaker<Item> | undefined,
): config is ItemConfigMaker<Item> {
  return typeof config === 'function';
}

function checkOptions(options: unknown): void {
  if (!isJsonObject(options)) throw expected('options', 'an object', options);
  checkNames(options, [...OWN_NAMES, ...timingNames]);
  const { list, ...rest }: Readonly<Record<string, unknown>> = options;
  const segments = typeof list === 'string' ? list.split('/').slice(1) : [];
  if (typeof list !== 'string' || !list.startsWith('/') || !segments.every(isAddressable))
    throw expected('list', "the path of a list, like '/bookmarks/providers'", list);
  for (const name of ['where', 'key', 'shouldRun'])
    if (rest[name] !== undefined && typeof rest[name] !== 'function')
      throw expected(name, 'a function', rest[name]);
}

/** Where they are all due at the same interval, they would all start at once. */
function withPhase<Timing extends ScheduleTiming>(key: string, timing: Timing): Timing {
  if (timing.every === undefined || timing.phase !== undefined) return timing;
  const { when } = resolveTiming({ every: timing.every });
  if (when.kind !== 'every') return timing;
  const bits = createHash('sha256')
    .update(JSON.stringify(['phase', key]))
    .digest()
    .readUIntBE(0, 6);
  return { ...timing, phase: Math.floor((bits / 2 ** 48) * when.every) };
}

/**
 * The key of an item's schedule.
 *
 * @param own what the item is called
 * @throws {ConfigError} that can be no part of a path
 */
export function itemScheduleKey(name: string, own: unknown): string {
  if (isServiceName(own) && own.length <= LONGEST_KEY) return `${name}.${own}`;
  throw new ConfigError(
    `expected the key of an item to be a text of at most ${String(LONGEST_KEY)} characters without blanks or slashes, ` +
      'and not only digits',
  );
}
