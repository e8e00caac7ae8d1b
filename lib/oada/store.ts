import { setMaxListeners } from 'node:events';

import { OADAClient } from '@oada/client';
import type { Change } from '@oada/client';

import { backoff, sleep } from '../clock.js';
import type { Clock } from '../clock.js';
import { StoreError } from '../errors.js';
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
  delete(path: string): Promise<void>;
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
  const connection = new SocketConnection(storeUrl(source), options);
  const client = new OADAClient({ domain: source.domain, token: source.token, connection });
  return new ClientStore(client, connection, options);
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

class ClientStore implements Store {
  readonly client: OADAClient;
  readonly #own: SocketConnection | undefined;
  readonly #options: StoreOptions;
  readonly #closing = new AbortController();
  #deleter: SocketConnection | undefined;
  #deleteKeepsWatches = false;

  constructor(client: OADAClient, own: SocketConnection | undefined, options: StoreOptions) {
    this.client = client;
    this.#own = own;
    this.#options = options;
    setMaxListeners(0, this.#closing.signal); // each request that is to be tried again listens
  }

  async check(): Promise<void> {
    const response = await this.#once('head', '/bookmarks', () =>
      this.client.head({ path: '/bookmarks', ...this.#limit }),
    );
    this.#deleteKeepsWatches = response.headers['x-oada-delete-keeps-watches'] === 'true';
  }

  async get(path: string): Promise<StoredDocument> {
    const { headers, data } = await this.#again('get', path, () => this.client.get({ path, ...this.#limit }));
    return {
      ...revision(headers),
      data: data instanceof Uint8Array ? undefined : data,
    };
  }

  async head(path: string): Promise<Revision> {
    const { headers } = await this.#again('head', path, () => this.client.head({ path, ...this.#limit }));
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
    const { headers } = await send('put', path, () => this.client.put(request));
    return revision(headers);
  }

  async delete(path: string): Promise<void> {
    await this.#again('delete', path, () => this.#delete(path));
  }

  async ensure(path: string, tree: Tree): Promise<void> {
    await this.#again('ensure', path, () => ensureList(this.client, path, tree, this.#options.timeout));
  }

  async watch(path: string): Promise<StoreWatch> {
    const { changes, requestId } = await this.#once('watch', path, () =>
      this.client.watch({ path, type: 'tree', ...this.#limit }),
    );
    const stop = async (): Promise<void> => {
      await this.client.unwatch(Array.isArray(requestId) ? (requestId[0] ?? '') : requestId);
      await changes.return?.();
    };
    return {
      changes,
      stop: () => {
        stop().catch(() => undefined); // the connection is gone, and the watch with it
      },
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#deleter?.disconnect();
    await this.#own?.disconnect();
  }

  get #limit(): { timeout: number } {
    return { timeout: this.#options.timeout };
  }

  /** Over HTTP where the store is not known to keep watches; our own connection sees to that by itself. */
  async #delete(path: string): ReturnType<OADAClient['delete']> {
    const viaClient = (): ReturnType<OADAClient['delete']> => this.client.delete({ path, ...this.#limit });
    if (this.#own !== undefined || this.#deleteKeepsWatches) return viaClient();
    const address = { domain: this.client.getDomain(), token: this.client.getToken() };
    this.#deleter ??= new SocketConnection(storeUrl(address), this.#options);
    const headers = { authorization: `Bearer ${address.token}` };
    try {
      const [response] = await this.#deleter.request({ method: 'delete', path, headers });
      return response;
    } catch (error) {
      // A client may come with a way of its own to a store that listens nowhere.
      if (toStoreError(error, 'delete', path).code !== 'OADA_JOBS_STORE_UNREACHABLE') throw error;
      return viaClient();
    }
  }

  async #again<T>(method: StoreMethod, path: string, request: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(method, path, request);
      } catch (error) {
        const hopeless = !(error instanceof StoreError) || !error.retryable || attempt === TRIES;
        if (hopeless || this.#closing.signal.aborted) throw error;
        const { clock } = this.#options;
        await sleep(clock, backoff(clock, attempt, FIRST_WAIT_MS, LONGEST_WAIT_MS), this.#closing.signal);
      }
    }
  }

  async #once<T>(method: StoreMethod, path: string, request: () => Promise<T>): Promise<T> {
    try {
      // Our own connection keeps the limit; others may wait for an answer that never comes.
      const result = await (this.#own === undefined ? this.#limited(request()) : request());
      this.#options.onRequest(method, undefined);
      return result;
    } catch (error) {
      const storeError = toStoreError(error, method, path);
      this.#options.onRequest(method, storeError);
      throw storeError;
    }
  }

  #limited<T>(response: Promise<T>): Promise<T> {
    const { clock, timeout } = this.#options;
    return new Promise<T>((resolve, reject) => {
      const cancel = clock.setTimer(() => {
        reject(timedOut(timeout));
      }, timeout);
      response.then(resolve, reject).finally(cancel);
    });
  }
}

function revision(headers: Readonly<Record<string, string>>): Revision {
  return { rev: Number(headers['x-oada-rev']), etag: headers['etag'] ?? '' };
}
