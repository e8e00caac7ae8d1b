import { setMaxListeners } from 'node:events';

import { OADAClient } from '@oada/client';
import type { Change } from '@oada/client';

import { backoff, setLimit, sleep } from '../clock.js';
import type { Clock } from '../clock.js';
import { ConfigError, StoreError } from '../errors.js';
import type { Json } from '../json.js';
import type { Tree } from '../paths.js';
import { storeUrl } from './address.js';
import type { StoreAddress } from './address.js';
import { SocketConnection } from './connection.js';
import { timedOut } from './http.js';
import { toStoreError } from './store-error.js';

export type StoreMethod = 'get' | 'head' | 'put' | 'delete' | 'watch' | 'ensure';

/** A document as it was read, or what a write left behind. */
export interface Revision {
  readonly rev: number;
  /** For a conditional write. */
  readonly etag: string;
  /** The resource that the path led to, and what is left of the path inside of it; not every answer tells. */
  readonly location?: string | undefined;
}

export interface StoredDocument extends Revision {
  readonly data: Json | undefined;
}

/** What changed in a resource and those linked below it: the first element is the resource's own part. */
export type ResourceChange = readonly Readonly<Change>[];

export interface StoreWatch {
  /** Ends, or throws, when the watch does: nothing comes any more then. */
  readonly changes: AsyncIterable<ResourceChange>;
  /** Lets go of it. Does not wait for the store's answer. */
  stop(): void;
}

/**
 * All that the library asks of an OADA store. Each request ends within the time limit; what may pass is tried again
 * where trying twice does no harm.
 *
 * @throws {StoreError} from every method
 */
export interface Store {
  /** For work functions. */
  readonly client: OADAClient;
  /** Is the store there, and does it take the token? One try. */
  check(): Promise<void>;
  get(path: string): Promise<StoredDocument>;
  head(path: string): Promise<Revision>;
  /** Merges. With `ifMatch` it is tried once: only the caller can tell what a lost answer means. */
  put(
    path: string,
    data: Json,
    options?: { readonly type?: string; readonly ifMatch?: string },
  ): Promise<Revision>;
  /** With `ifMatch` it is tried once. */
  delete(path: string, options?: { readonly ifMatch?: string }): Promise<void>;
  /** Makes the resources on the way to the path, and at it, where they are missing. */
  ensure(path: string, tree: Tree): Promise<void>;
  watch(path: string): Promise<StoreWatch>;
  close(): Promise<void>;
}

export interface StoreOptions {
  readonly clock: Clock;
  /** Milliseconds that one request may take. */
  readonly timeout: number;
  /** Told of each request when it is over. */
  readonly onRequest: (method: StoreMethod, error: StoreError | undefined) => void;
}

const TRIES = 4;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2000;

/**
 * @param source an address, or a client that is connected already and stays so when the store is closed
 * @throws {ConfigError} the address is none
 */
export function openStore(source: StoreAddress | OADAClient, options: StoreOptions): Store {
  if (isClient(source)) return new ClientStore(source, undefined, options);
  const own = connectTo(source, options);
  return new ClientStore(own.client, own, options);
}

/** A client over a connection of our own. */
interface OwnClient {
  readonly client: OADAClient;
  readonly connection: SocketConnection;
}

/** @throws {ConfigError} the address is none */
function connectTo({ domain, token }: StoreAddress, options: StoreOptions): OwnClient {
  const connection = new SocketConnection(storeUrl({ domain, token }), options);
  return { client: new OADAClient({ domain, token, connection }), connection };
}

/** By what it can do: there may be more than one copy of the package. */
export function isClient(source: object): source is OADAClient {
  return 'getToken' in source && 'watch' in source && 'put' in source;
}

/**
 * Makes the resources on the way to the path, and at it, where they are missing.
 *
 * @throws {StoreError} what stands at the path is part of another resource, and so has no revision of its own
 */
export async function ensureList(
  client: OADAClient,
  path: string,
  tree: Tree,
  timeout?: number,
): Promise<void> {
  // The client's own type of a tree has no room for the key `*`; it is the same thing.
  const request = { path, tree: tree as NonNullable<Parameters<OADAClient['put']>[0]['tree']>, data: {} };
  const { headers } = await client.ensure({ ...request, ...(timeout !== undefined && { timeout }) });
  if ((headers['x-oada-path-leftover'] ?? '') === '') return;
  const message =
    `${path} is no resource of its own, but stands inside ${headers['content-location'] ?? 'another'}. ` +
    'Move what is there away, and let the service make the list.';
  throw new StoreError('OADA_JOBS_STORE_REFUSED', message, { path });
}

/**
 * The store behind a client. One that was given to us may be of any make: those of `@oada/client` keep every request
 * waiting for five minutes after a 429, say. So a client that does not answer in time is no longer asked, but its store
 * is, over a connection of our own; and if that one cannot get there, the client again.
 */
class ClientStore implements Store {
  readonly client: OADAClient;
  /** Of our own making, and ours to close; undefined where the client was given to us. */
  readonly #own: OwnClient | undefined;
  readonly #options: StoreOptions;
  readonly #closing = new AbortController();
  /** Our own way to the store of a given client. */
  #direct: OwnClient | undefined;
  /** The given client has kept us waiting. */
  #isStalled = false;
  #deleteKeepsWatches = false;

  constructor(client: OADAClient, own: OwnClient | undefined, options: StoreOptions) {
    this.client = client;
    this.#own = own;
    this.#options = options;
    setMaxListeners(0, this.#closing.signal); // each request that is to be tried again listens
  }

  async check(): Promise<void> {
    const request = { path: '/bookmarks', ...this.#limit };
    const { headers } = await this.#once('head', '/bookmarks', (client) => client.head(request));
    this.#deleteKeepsWatches = headers['x-oada-delete-keeps-watches'] === 'true';
  }

  async get(path: string): Promise<StoredDocument> {
    const request = { path, ...this.#limit };
    const { headers, data } = await this.#again('get', path, (client) => client.get(request));
    return { ...revision(headers), data: data instanceof Uint8Array ? undefined : data };
  }

  async head(path: string): Promise<Revision> {
    const request = { path, ...this.#limit };
    const { headers } = await this.#again('head', path, (client) => client.head(request));
    return revision(headers);
  }

  async put(
    path: string,
    data: Json,
    { type, ifMatch }: { type?: string; ifMatch?: string } = {},
  ): Promise<Revision> {
    const request = {
      path,
      data: data as Parameters<OADAClient['put']>[0]['data'],
      contentType: type ?? 'application/json',
      ...(ifMatch !== undefined && { etagIfMatch: ifMatch }),
      ...this.#limit,
    };
    const send = ifMatch === undefined ? this.#again.bind(this) : this.#once.bind(this);
    const { headers } = await send('put', path, (client) => client.put(request));
    return revision(headers);
  }

  async delete(path: string, { ifMatch }: { ifMatch?: string } = {}): Promise<void> {
    const request = {
      path,
      ...(ifMatch !== undefined && { headers: { 'if-match': ifMatch } }),
      ...this.#limit,
    };
    const send = ifMatch === undefined ? this.#again.bind(this) : this.#once.bind(this);
    await send('delete', path, (client) => client.delete(request));
  }

  async ensure(path: string, tree: Tree): Promise<void> {
    await this.#again('ensure', path, (client) => ensureList(client, path, tree, this.#limit.timeout));
  }

  async watch(path: string): Promise<StoreWatch> {
    const request = { path, type: 'tree', ...this.#limit } as const;
    let isWanted = true;
    const open = async (client: OADAClient): Promise<StoreWatch> => {
      const watch = watchOf(client, await client.watch(request));
      if (!isWanted) watch.stop(); // the answer came after its time
      return watch;
    };
    try {
      return await this.#once('watch', path, open);
    } catch (error) {
      isWanted = false;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#direct?.connection.disconnect();
    await this.#own?.connection.disconnect();
  }

  /** A given client is not told: those of `@oada/client` never clear the timer that they set, and it holds the process up. */
  get #limit(): { timeout?: number } {
    return this.#own === undefined ? {} : { timeout: this.#options.timeout };
  }

  /** A DELETE goes over HTTP where the store is not known to keep watches; our own connections see to that. */
  async #ask<T>(client: OADAClient, method: StoreMethod, path: string, request: Request<T>): Promise<T> {
    if (this.#own !== undefined) return request(client);
    const direct = method === 'delete' && !this.#deleteKeepsWatches ? this.#openDirect() : undefined;
    if (direct === undefined) return this.#limited(() => request(client));
    try {
      return await request(direct);
    } catch (error) {
      const isUnreachable = toStoreError(error, method, path).code === 'OADA_JOBS_STORE_UNREACHABLE';
      if (!isUnreachable || this.#closing.signal.aborted) throw error;
      return this.#limited(() => request(client));
    }
  }

  /** Undefined where the given client has a way of its own to a store that has no address. */
  #openDirect(): OADAClient | undefined {
    try {
      const address = { domain: this.client.getDomain(), token: this.client.getToken() };
      this.#direct ??= connectTo(address, this.#options);
      return this.#direct.client;
    } catch (error) {
      if (error instanceof ConfigError) return undefined;
      throw error;
    }
  }

  async #again<T>(method: StoreMethod, path: string, request: Request<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(method, path, request);
      } catch (error) {
        const hopeless = !(error instanceof StoreError) || !mayPass(error, method) || attempt === TRIES;
        if (hopeless || this.#closing.signal.aborted) throw error;
        const { clock } = this.#options;
        await sleep(clock, backoff(clock, attempt, FIRST_WAIT_MS, LONGEST_WAIT_MS), this.#closing.signal);
      }
    }
  }

  async #once<T>(method: StoreMethod, path: string, request: Request<T>): Promise<T> {
    const client = (this.#isStalled ? this.#openDirect() : undefined) ?? this.client;
    try {
      const result = await this.#ask(client, method, path, request);
      this.#options.onRequest(method, undefined);
      return result;
    } catch (error) {
      const storeError = toStoreError(error, method, path);
      if (this.#own === undefined) {
        if (client === this.client) this.#isStalled = storeError.code === 'OADA_JOBS_STORE_TIMEOUT';
        else if (storeError.code === 'OADA_JOBS_STORE_UNREACHABLE') this.#isStalled = false;
      }
      this.#options.onRequest(method, storeError);
      throw storeError;
    }
  }

  /**
   * Asks, and waits for the answer no longer than it may take, nor than the store is open. Our own connections see to
   * both by themselves; others may wait for an answer that never comes.
   */
  #limited<T>(request: () => Promise<T>): Promise<T> {
    const { clock, timeout } = this.#options;
    const { signal } = this.#closing;
    const closed = (): Error => new Error('The store was closed on this side');
    if (signal.aborted) return Promise.reject(closed());
    return new Promise<T>((resolve, reject) => {
      const cancel = setLimit(
        clock,
        () => {
          reject(timedOut(timeout));
        },
        timeout,
      );
      const close = (): void => {
        cancel();
        reject(closed());
      };
      signal.addEventListener('abort', close, { once: true });
      request()
        .then(resolve, reject)
        .finally(() => {
          cancel();
          signal.removeEventListener('abort', close);
        });
    });
  }
}

interface WatchAnswer {
  readonly requestId: string | readonly string[];
  readonly changes: AsyncIterableIterator<ResourceChange>;
}

type Request<T> = (client: OADAClient) => Promise<T>;

/** Others make lists in the same place: who meets them only has to look again. */
function mayPass(error: StoreError, method: StoreMethod): boolean {
  return error.retryable || (method === 'ensure' && error.code === 'OADA_JOBS_STORE_CONFLICT');
}

function revision(headers: Readonly<Record<string, string>>): Revision {
  return {
    rev: Number(headers['x-oada-rev']),
    etag: headers['etag'] ?? '',
    location: headers['content-location'],
  };
}

function watchOf(client: OADAClient, { changes, requestId }: WatchAnswer): StoreWatch {
  const stop = async (): Promise<void> => {
    await client.unwatch(Array.isArray(requestId) ? (requestId[0] ?? '') : requestId);
    await changes.return?.();
  };
  return {
    changes,
    stop: () => {
      stop().catch(() => undefined); // the connection is gone, and the watch with it
    },
  };
}
