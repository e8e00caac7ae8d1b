// What comes in from outside may be anything: here it becomes what the rest takes, or is refused.
import { isJsonObject } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import type { StoreAddress } from '../oada/address.js';
import type { ListRequest } from '../operator/list-jobs.js';
import { JOB_LISTS } from '../operator/list-jobs.js';
import { checkNames, expected } from '../options.js';
import { isOwner, isResourceId } from '../paths.js';
import { isDay } from '../report/filed-jobs.js';
import type { TimingOverride } from '../schedule/operations.js';
import { notFound } from './problem.js';
import type { JobsAction, NewQueue, ScheduleAction, SchedulesAction, TimingRequest } from './api.js';

const LONGEST_TEXT = 2000;
const MOST_IDS = 1000;
const FILTERS = ['type', 'owner', 'day', 'failureType', 'text'] as const;
const LIST_PARAMETERS = ['list', ...FILTERS, 'limit', 'after'] as const;
const TIMING = ['cron', 'every', 'at', 'manual', 'timeZone', 'phase'] as const;

/** @throws {ConfigError} so all of these */
function objectFrom(value: unknown, names: readonly string[], name = 'body'): JsonObject {
  if (!isJsonObject(value)) throw expected(name, 'an object', value);
  checkNames(value, names);
  return value;
}

function textFrom(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '' && value.length <= LONGEST_TEXT) return value;
  throw expected(name, `a text of 1 to ${String(LONGEST_TEXT)} characters`, shown(value));
}

function flagFrom(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw expected(name, 'true or false', shown(value));
  return value;
}

function oneOf<Name extends string>(name: string, value: unknown, names: readonly Name[]): Name {
  const found = names.find((one) => one === value);
  if (found === undefined) throw expected(name, names.map((one) => `'${one}'`).join(' or '), shown(value));
  return found;
}

/** What is refused is not sent back at length. */
function shown(value: unknown): unknown {
  return typeof value === 'string' && value.length > 100 ? `${value.slice(0, 100)}…` : value;
}

/**
 * A part of the path: the name of something.
 *
 * @throws {Refusal} nothing has so long a name
 */
export function parameter(parameters: unknown, name: string): string {
  const value = isJsonObject(parameters) ? parameters[name] : undefined;
  const text = typeof value === 'string' ? value : '';
  if (text.length > LONGEST_TEXT) throw notFound(`such thing: ${text.slice(0, 100)}…`);
  return text;
}

export function listRequestFrom(query: unknown): ListRequest {
  const given = objectFrom(query, LIST_PARAMETERS, 'query');
  const { limit, after } = given;
  const list = oneOf('list', given['list'], JOB_LISTS);
  const filter = filterFrom(given);
  if (filter.failureType !== undefined && list !== 'failure')
    throw expected('failureType', "left out, except with the list 'failure'", filter.failureType);
  return {
    ...filter,
    list,
    ...(limit !== undefined && { limit: limitFrom(limit) }),
    ...(after !== undefined && { after: textFrom('after', after) }),
  };
}

function limitFrom(value: Json): number {
  if (typeof value === 'string' && /^\d{1,4}$/.test(value)) return Number(value);
  throw expected('limit', 'a whole number from 1 to 1000', shown(value));
}

function filterFrom(given: JsonObject): Omit<ListRequest, 'list' | 'limit' | 'after'> {
  const entries = FILTERS.flatMap((name): [string, string][] =>
    given[name] === undefined ? [] : [[name, textFrom(name, given[name])]],
  );
  const filter: Partial<Record<(typeof FILTERS)[number], string>> = Object.fromEntries(entries);
  if (filter.owner !== undefined && !isOwner(filter.owner))
    throw expected('owner', 'a user like users/abc', shown(filter.owner));
  if (filter.day !== undefined && !isDay(filter.day))
    throw expected('day', 'a day like 2026-01-31', shown(filter.day));
  return filter;
}

export function jobsActionFrom(body: unknown): JobsAction {
  const given = objectFrom(body, ['action', 'ids', 'filter']);
  const action = oneOf('action', given['action'], ['retry', 'cancel', 'rerun', 'delete']);
  const { ids, filter } = given;
  if (filter === undefined) return { action, ids: idsFrom(ids, MOST_IDS) };
  if (action !== 'retry' || ids !== undefined)
    throw expected('filter', "left out, except with the action 'retry' and no ids", filter);
  return { action, filter: filterFrom(objectFrom(filter, FILTERS, 'filter')) };
}

/** Each once. */
function idsFrom(value: unknown, most: number): string[] {
  const ids: readonly unknown[] = Array.isArray(value) ? value : [];
  const known = ids.filter((id) => isResourceId(id));
  if (known.length === 0 || known.length < ids.length || ids.length > most)
    throw expected('ids', `a list of 1 to ${String(most)} ids like resources/abc`, shown(value));
  return [...new Set(known)];
}

/** The jobs that a page follows, in one text. */
export function followedFrom(query: unknown, most: number): string[] {
  const { jobs } = objectFrom(query, ['jobs'], 'query');
  if (jobs === undefined || jobs === '') return [];
  if (typeof jobs !== 'string') throw expected('jobs', 'ids with commas between them', jobs);
  return idsFrom(jobs.split(','), most);
}

export function passwordFrom(body: unknown): string {
  const { password } = objectFrom(body, ['password']);
  if (typeof password === 'string' && password.length <= LONGEST_TEXT) return password;
  throw expected('password', 'a text', undefined);
}

export function pausedFrom(body: unknown): boolean {
  return flagFrom('paused', objectFrom(body, ['paused'])['paused']);
}

export function newQueueFrom(body: unknown): NewQueue & StoreAddress {
  const { queue, domain, token } = objectFrom(body, ['queue', 'domain', 'token']);
  // Nothing that is said of a wrong token shows it.
  if (typeof token !== 'string' || token === '') throw expected('token', 'a text', undefined);
  return { queue: textFrom('queue', queue), domain: textFrom('domain', domain), token };
}

export function schedulesActionFrom(body: unknown): SchedulesAction {
  const given = objectFrom(body, ['action', 'due', 'type']);
  const action = oneOf('action', given['action'], ['hold', 'release', 'pause-type', 'resume-type']);
  switch (action) {
    case 'hold':
      return { action };
    case 'release':
      return { action, due: dueFrom(given['due']) };
    default:
      return { action, type: textFrom('type', given['type']) };
  }
}

export function scheduleActionFrom(body: unknown): ScheduleAction {
  const given = objectFrom(body, ['action', 'due', 'timing']);
  const action = oneOf('action', given['action'], ['run', 'disable', 'reset', 'enable', 'override']);
  const { timing, due } = given;
  switch (action) {
    case 'enable':
      return { action, due: dueFrom(due) };
    case 'override':
      return { action, timing: timing === null ? null : timingFrom(timing) };
    default:
      return { action };
  }
}

function dueFrom(value: unknown): 'run' | 'reschedule' {
  return oneOf('due', value, ['run', 'reschedule']);
}

function timingFrom(value: unknown): TimingRequest {
  const { cron, every, at, manual, timeZone, phase } = objectFrom(value, TIMING, 'timing');
  return {
    ...(cron !== undefined && { cron: textFrom('cron', cron) }),
    ...(every !== undefined && { every: textFrom('every', every) }),
    ...(at !== undefined && { at: timesFrom(at) }),
    ...(manual !== undefined && { manual: trueFrom(manual) }),
    ...(timeZone !== undefined && { timeZone: textFrom('timeZone', timeZone) }),
    ...(phase !== undefined && { phase: textFrom('phase', phase) }),
  };
}

function timesFrom(at: Json): string[] {
  const times: readonly unknown[] = Array.isArray(at) ? at : [at];
  return times.map((time) => textFrom('at', time));
}

function trueFrom(value: Json): true {
  if (value !== true) throw expected('manual', 'true, or not there', value);
  return value;
}

/** As the operations take it; what is wrong with it they say themselves. */
export function overrideOf({ every, phase, at, ...rest }: TimingRequest): TimingOverride {
  return {
    ...rest,
    ...(at !== undefined && { at: typeof at === 'string' ? [at] : at }),
    ...(every !== undefined && { every: durationFrom('every', every) }),
    ...(phase !== undefined && { phase: durationFrom('phase', phase) }),
  };
}

function durationFrom(name: string, text: string): NonNullable<TimingOverride['every']> {
  if (isDurationText(text)) return text;
  throw expected(name, "a time like '15m'", shown(text));
}

function isDurationText(text: string): text is `${number}m` {
  return /^\d{1,10}(?:\.\d{1,10})?(?:ms|s|m|h|d)$/.test(text);
}
