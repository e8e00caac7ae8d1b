import { systemClock } from '../clock.js';
import type { Clock } from '../clock.js';
import { documentAt } from '../document-at.js';
import { ConfigError, StoreError, toError } from '../errors.js';
import { isJsonObject, objectOf } from '../json.js';
import type { Json } from '../json.js';
import { storeUrl } from '../oada/address.js';
import type { StoreAddress } from '../oada/address.js';
import { openStore } from '../oada/store.js';
import { expected } from '../options.js';
import { entriesOf, entryPath, isServiceName, linkedId } from '../paths.js';
import { parseQueueEntry } from '../queue-entry.js';
import type { OperatorDeps } from './operator-deps.js';

/** An entry of the list of queues. Its token is never told. */
export interface QueueSummary {
  readonly queue: string;
  /** Undefined where the entry is none. */
  readonly domain?: string;
  /** What is wrong with the entry. */
  readonly problem?: string;
}

/** What a store answers to the token of a queue. */
export interface QueueHealth {
  readonly ok: boolean;
  readonly problem?: string;
  /** How long the answer took, in milliseconds. */
  readonly took: number;
}

export interface QueueEntry {
  readonly summary: QueueSummary;
  /** Stays in the process. Undefined where the entry is none. */
  readonly address?: StoreAddress;
}

const HEALTH_TIMEOUT_MS = 5000;

/** The further queues that the service is to watch; that of its own store is not among them. */
export async function listQueues(deps: OperatorDeps): Promise<QueueSummary[]> {
  return (await readQueues(deps)).map(({ summary }) => summary);
}

/** The same with what their stores are asked with. */
export async function readQueues(deps: OperatorDeps): Promise<QueueEntry[]> {
  const { store, paths } = deps;
  const entries = [...entriesOf(await documentAt(store, paths.queues))];
  return await Promise.all(entries.map(async ([queue, entry]) => entryOf(queue, await read(deps, entry))));
}

/**
 * Has the service watch a queue of another store, or of another user.
 *
 * @param queue its key in the list
 * @throws {ConfigError} the key or the address is none, or there is a queue of that key
 */
export async function addQueue(
  { store, paths }: OperatorDeps,
  queue: string,
  { domain, token }: StoreAddress,
): Promise<void> {
  checkQueueKey(queue);
  storeUrl({ domain, token });
  await store.ensure(paths.queues, paths.tree);
  const { data, etag } = await store.get(paths.queues);
  if (isJsonObject(data) && data[queue] !== undefined)
    throw new ConfigError(`there is a queue ${JSON.stringify(queue)} already: remove it first`);
  await store.put(paths.queues, { [queue]: { domain, token } }, { ifMatch: etag });
}

/** @throws {ConfigError} there is none */
export async function removeQueue({ store, paths }: OperatorDeps, queue: string): Promise<void> {
  checkQueueKey(queue);
  const data = await documentAt(store, paths.queues);
  if (!isJsonObject(data) || data[queue] === undefined)
    throw new ConfigError(`there is no queue ${JSON.stringify(queue)}`);
  await store.delete(entryPath(paths.queues, queue));
}

/** Asks the store of a queue, with the queue's token, for its bookmarks. */
export async function checkQueue(deps: OperatorDeps, queue: string): Promise<QueueHealth> {
  const { store, paths, clock } = deps;
  const data = await documentAt(store, paths.queues);
  const entry = await read(deps, objectOf(data)[queue] ?? null);
  try {
    return await checkAddress(clock, parseQueueEntry(entry));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ok: false, problem: error.message, took: 0 };
  }
}

/** Tells no more than the kind of what went wrong: the address may be any, and its answer is nobody's business here. */
export async function checkAddress(clock: Clock, address: StoreAddress): Promise<QueueHealth> {
  const began = clock.monotonic();
  const its = openStore(address, {
    clock: systemClock,
    timeout: HEALTH_TIMEOUT_MS,
    onRequest: () => undefined,
  });
  try {
    await its.check();
    return { ok: true, took: clock.monotonic() - began };
  } catch (error) {
    return { ok: false, problem: reasonOf(error), took: clock.monotonic() - began };
  } finally {
    await its.close();
  }
}

function reasonOf(error: unknown): string {
  switch (error instanceof StoreError ? error.code : undefined) {
    case 'OADA_JOBS_STORE_UNREACHABLE':
      return 'its store cannot be reached';
    case 'OADA_JOBS_STORE_TIMEOUT':
      return 'its store has not answered in time';
    case 'OADA_JOBS_STORE_UNAUTHORIZED':
    case 'OADA_JOBS_STORE_FORBIDDEN':
      return 'its store does not accept the token';
    default:
      return 'its store has answered with an error';
  }
}

/** An entry stands inline, or is a link. */
async function read({ store }: OperatorDeps, entry: Json): Promise<Json | undefined> {
  const id = linkedId(entry);
  if (id === undefined) return entry;
  try {
    return (await store.get(`/${id}`)).data;
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}

function entryOf(queue: string, entry: Json | undefined): QueueEntry {
  try {
    const address = parseQueueEntry(entry);
    return { summary: { queue, domain: address.domain }, address };
  } catch (error) {
    return { summary: { queue, problem: toError(error).message } };
  }
}

/** @throws {ConfigError} no queue can be called so */
export function checkQueueKey(queue: unknown): void {
  if (!isServiceName(queue) || queue.startsWith('_'))
    throw expected('queue', 'a key without blanks or slashes, and not only digits', queue);
}
