import { ConfigError } from './errors.js';
import { toMilliseconds } from './duration.js';
import type { Duration } from './duration.js';
import type { FinishReporter } from './notify/finish-reporter.js';
import type { MetricsRegistry } from './metrics/registry.js';
import type { LayoutName } from './paths.js';
import type { RetentionOptions } from './retention/policy.js';

/** Updates that are written only when they are asked for. */
export type OptionalLevel = 'debug' | 'trace';

/** Which pending lists a service watches: that of one layout, or by default both, as far as they are there. */
export type LayoutOption = 'auto' | LayoutName;

/** How a service behaves; all of it is optional. */
export interface ServiceOptions {
  /**
   * Where the pending list stands: `jobs` (classic, as with @oada/jobs 2) or `jobs/pending` (nested, as with 3 to 5);
   * both where they are there by default. Each job is filed in the layout of the list it was found in.
   * @defaultValue 'auto'
   */
  readonly layout?: LayoutOption;
  /** Whether jobs that are there when the service starts are left alone. @defaultValue false */
  readonly skipQueueOnStartup?: boolean;
  /** Where finished jobs are told of: Slack channels, mail addresses. By default nowhere. */
  readonly finishReporters?: readonly FinishReporter[];
  /** How long finished jobs are kept, like `{ success: '30d', failure: '365d', keep: 100_000 }`. By default for ever. */
  readonly retention?: RetentionOptions;
  /**
   * Whether the service's metrics are counted, and where: `true` for the default registry of prom-client, or a registry.
   * Services may share one. @defaultValue false
   */
  readonly metrics?: boolean | MetricsRegistry;
  /** How many jobs of all queues together run at once. @defaultValue 10 */
  readonly concurrency?: number;
  /** How often a list is compared with what has been seen of it, should a notification get lost. @defaultValue '30s' */
  readonly checkInterval?: Duration;
  /** How long `stop()` lets running work go on before it aborts it. @defaultValue '30s' */
  readonly drainTimeout?: Duration;
  /** How long another instance's heartbeat may stand still before its jobs are taken over. @defaultValue '15s' */
  readonly leaseTimeout?: Duration;
  /** How many instances may die of a job before it is filed as lost. @defaultValue 3 */
  readonly maxAttempts?: number;
  /** How long one request to the store may take. @defaultValue '30s' */
  readonly requestTimeout?: Duration;
  /** How long a listed job that is still empty is waited for. @defaultValue '5s' */
  readonly contentTimeout?: Duration;
  /** The largest result that is stored, in bytes of JSON. @defaultValue 10485760 */
  readonly maxResultSize?: number;
  /** Which of `log.debug` and `log.trace` write updates. By default as the variable OADA_JOBS_LOGGING says: `debug,trace` */
  readonly logging?: readonly OptionalLevel[];
  /** Whether a failed job's record holds the stack of its error. @defaultValue false */
  readonly stacks?: boolean;
}

export interface ResolvedServiceOptions {
  readonly layout: LayoutOption;
  readonly skipQueueOnStartup: boolean;
  readonly concurrency: number;
  readonly checkInterval: number;
  readonly drainTimeout: number;
  readonly leaseTimeout: number;
  readonly maxAttempts: number;
  readonly requestTimeout: number;
  readonly contentTimeout: number;
  readonly maxResultSize: number;
  readonly logging: ReadonlySet<OptionalLevel>;
  readonly stacks: boolean;
}

export const serviceDefaults: Readonly<
  Required<Omit<ServiceOptions, 'logging' | 'finishReporters' | 'retention'>>
> = Object.freeze({
  layout: 'auto',
  skipQueueOnStartup: false,
  metrics: false,
  concurrency: 10,
  checkInterval: '30s',
  drainTimeout: '30s',
  leaseTimeout: '15s',
  maxAttempts: 3,
  requestTimeout: '30s',
  contentTimeout: '5s',
  maxResultSize: 10 * 1024 * 1024,
  stacks: false,
});

const serviceOptionNames: readonly string[] = [
  ...Object.keys(serviceDefaults),
  'logging',
  'finishReporters',
  'retention',
];

/** @throws {ConfigError} */
export function resolveServiceOptions(
  options: ServiceOptions,
  environment: Readonly<Record<string, string | undefined>>,
): ResolvedServiceOptions {
  checkNames(options, serviceOptionNames);
  const all = { ...serviceDefaults, ...withoutUndefined(options) };
  const { layout, skipQueueOnStartup, stacks, logging } = all;
  if (!['auto', 'classic', 'nested'].includes(layout))
    throw expected('layout', "'auto', 'classic' or 'nested'", layout);
  if (typeof stacks !== 'boolean') throw expected('stacks', 'true or false', stacks);
  if (typeof skipQueueOnStartup !== 'boolean')
    throw expected('skipQueueOnStartup', 'true or false', skipQueueOnStartup);
  if (logging !== undefined) checkLevels(logging);
  return Object.freeze({
    layout,
    skipQueueOnStartup,
    concurrency: wholeNumber('concurrency', all.concurrency),
    checkInterval: toMilliseconds(all.checkInterval, 'checkInterval'),
    drainTimeout: toMilliseconds(all.drainTimeout, 'drainTimeout'),
    leaseTimeout: toMilliseconds(all.leaseTimeout, 'leaseTimeout'),
    maxAttempts: wholeNumber('maxAttempts', all.maxAttempts),
    requestTimeout: toMilliseconds(all.requestTimeout, 'requestTimeout'),
    contentTimeout: toMilliseconds(all.contentTimeout, 'contentTimeout'),
    maxResultSize: wholeNumber('maxResultSize', all.maxResultSize),
    logging: new Set(logging ?? levelsOf(environment['OADA_JOBS_LOGGING'])),
    stacks,
  });
}

function checkLevels(logging: unknown): void {
  const levels: readonly unknown[] = Array.isArray(logging) ? logging : [logging];
  const isList = Array.isArray(logging) && levels.every((level) => level === 'debug' || level === 'trace');
  if (!isList) throw expected('logging', "a list of 'debug' and 'trace'", levels.join());
}

function levelsOf(variable: string | undefined): OptionalLevel[] {
  const named = (variable ?? '').split(/[,\s]+/);
  return (['debug', 'trace'] as const).filter((level) => named.includes(level) || named.includes('*'));
}

/** @throws {ConfigError} */
export function wholeNumber(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  throw expected(name, 'a whole number from 1', value);
}

export function expected(name: string, what: string, got: unknown): ConfigError {
  const shown = typeof got === 'object' && got !== null ? 'an object' : `\`${String(got)}\` (${typeof got})`;
  return new ConfigError(`expected \`${name}\` to be ${what}, got ${shown}`);
}

/** No option has a name nearly as long. */
const LONGEST_COMPARED = 50;

/** @throws {ConfigError} there is an option that nobody knows; names the nearest that is known */
export function checkNames(options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new ConfigError(`there is no option \`${shortened(name)}\`; ${hintFor(name, known)}`);
  }
}

/** Names come from anybody, and what it takes to compare them grows with their length. */
function hintFor(name: string, known: readonly string[]): string {
  const nearest =
    name.length > LONGEST_COMPARED
      ? undefined
      : known
          .map((one) => ({ one, apart: distance(name, one) }))
          .filter(({ apart }) => apart <= name.length / 2)
          .toSorted((one, other) => one.apart - other.apart)[0]?.one;
  return nearest === undefined ? `there are ${known.join(', ')}` : `did you mean \`${nearest}\`?`;
}

function shortened(name: string): string {
  return name.length > LONGEST_COMPARED ? `${name.slice(0, LONGEST_COMPARED)}…` : name;
}

/** How many characters have to be put, taken or changed to make one word of the other. */
export function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of Array.from(from).entries()) {
    const next = [index + 1];
    for (const [column, other] of Array.from(to).entries()) {
      const changed = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(changed, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

function withoutUndefined(options: ServiceOptions): ServiceOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
