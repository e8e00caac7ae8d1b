import { ConfigError, toError } from './errors.js';
import { isJsonObject, toJson } from './json.js';
import type { Json, JsonObject } from './json.js';
import { checkNames, expected } from './options.js';
import { isOwner, isResourceId, isServiceName } from './paths.js';
import type { LayoutName } from './paths.js';

/** A job that a service is to do. */
export interface JobRequest {
  /** The name of the service. */
  readonly service: string;
  /** Which of its work functions is to do it. */
  readonly type: string;
  /** What the work function is told; anything that JSON can hold. @defaultValue {} */
  readonly config?: object;
  /** Higher goes first. @defaultValue 0 */
  readonly priority?: number;
  /** The job is not run before then: a date, or text like `2026-01-31T08:00:00Z`. By default it is run at once. */
  readonly startAfter?: Date | string;
  /** The resources that the job is about, like `resources/abc`. */
  readonly resources?: readonly string[];
  /** The user it belongs to, like `users/abc`: it is in that user's list from the start, and stays there. */
  readonly owner?: string;
  /** Submitted again with the same key, from 1 to 1000 characters, it is still the same job, and run once. */
  readonly idempotencyKey?: string;
  /**
   * In which of the service's lists: `jobs` (classic) or `jobs/pending` (nested). By default the nested one if it is
   * there or neither is; to name it saves a request or two.
   */
  readonly layout?: LayoutName;
}

export const requestDefaults: Readonly<Required<Pick<JobRequest, 'config'>>> = Object.freeze({
  config: Object.freeze({}),
});

export interface ResolvedRequest {
  readonly service: string;
  /** The document. */
  readonly job: JsonObject;
  readonly idempotencyKey: string | undefined;
  readonly layout: LayoutName | undefined;
}

const requestNames: readonly (keyof JobRequest)[] = [
  'service',
  'type',
  'config',
  'priority',
  'startAfter',
  'resources',
  'owner',
  'idempotencyKey',
  'layout',
];

const MAX_KEY_LENGTH = 1000;

/** @throws {ConfigError} */
export function resolveRequest(request: JobRequest): ResolvedRequest {
  checkShape(request);
  checkNames(request, requestNames);
  const { service, type, config = requestDefaults.config, priority, startAfter, resources, owner } = request;
  const { idempotencyKey, layout } = request;
  if (!isServiceName(service)) {
    throw expected('service', "a service's name without blanks or slashes, and not only digits", service);
  }
  if (typeof type !== 'string' || type === '') throw expected('type', 'a text that is not empty', type);
  if (priority !== undefined && !Number.isFinite(priority)) throw expected('priority', 'a number', priority);
  if (resources !== undefined) checkResources(resources);
  if (owner !== undefined && !isOwner(owner)) throw expected('owner', 'a user like users/abc', owner);
  if (idempotencyKey !== undefined) checkKey(idempotencyKey);
  const layouts: readonly unknown[] = [undefined, 'classic', 'nested'];
  if (!layouts.includes(layout)) throw expected('layout', "'classic' or 'nested'", layout);
  const job = {
    ...{ service, type, config: configOf(config) },
    ...(priority !== undefined && { priority }),
    ...(startAfter !== undefined && { startAfter: checkedStart(startAfter) }),
    ...(resources !== undefined && { resources: [...resources] }),
    ...(owner !== undefined && { owner, startedBy: { user: owner } }),
  };
  return { service, job, idempotencyKey, layout };
}

function checkShape(request: unknown): void {
  if (!isJsonObject(request)) throw expected('request', 'an object with `service` and `type`', request);
}

function checkResources(resources: unknown): void {
  if (!Array.isArray(resources)) throw expected('resources', 'a list of ids like resources/abc', resources);
  for (const id of resources) {
    if (!isResourceId(id)) throw expected('resources', 'a list of ids like resources/abc', id);
  }
}

/** The key itself is not shown: it may say much of the job. */
function checkKey(key: unknown): void {
  if (typeof key === 'string' && key !== '' && key.length <= MAX_KEY_LENGTH) return;
  const got = typeof key === 'string' ? `one of ${String(key.length)} characters` : typeof key;
  throw new ConfigError(
    `expected \`idempotencyKey\` to be a text of 1 to ${String(MAX_KEY_LENGTH)} characters, got ${got}`,
  );
}

function configOf(config: unknown): JsonObject {
  const json = jsonOf('config', config);
  if (isJsonObject(json)) return json;
  throw new ConfigError(
    `expected \`config\` to be an object, got ${json === undefined ? 'none' : typeof json}`,
  );
}

/** As services read it: ISO 8601, in UTC. */
function checkedStart(startAfter: Date | string): string {
  // Without a zone it would be another time on another machine.
  const isTime = startAfter instanceof Date || /^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:?\d\d)$/.test(startAfter);
  const date = new Date(isTime ? startAfter : Number.NaN);
  // Years of more than four digits are written in another way.
  if (Number.isNaN(date.getTime()) || !/^\d{4}-/.test(date.toISOString())) {
    throw expected('startAfter', 'a date, or a text like 2026-01-31T08:00:00Z', String(startAfter));
  }
  return date.toISOString();
}

/** @throws {ConfigError} JSON cannot hold it; what JSON has no word for gives undefined */
export function jsonOf(name: string, value: unknown): Json | undefined {
  try {
    return toJson(value, Infinity);
  } catch (error) {
    throw new ConfigError(`expected \`${name}\` to be what JSON can hold: ${toError(error).message}`);
  }
}
