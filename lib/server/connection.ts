import { setImmediate } from 'node:timers/promises';

import { OADAClient } from '@oada/client';
import type { Connection, ConnectionChange, ConnectionRequest, ConnectionResponse } from '@oada/client';
import { EventEmitter } from 'eventemitter3';

import type { Graph } from './graph.js';
import { asJson, toJson } from './json.js';
import type { Json } from './json.js';
import { Protocol } from './protocol.js';
import type { Answer, Request } from './protocol.js';
import type { User, Users } from './users.js';
import { resumedRevision } from './watches.js';
import type { Change } from './watches.js';

type ChangeFeed = AsyncIterableIterator<[Readonly<ConnectionChange>]>;

/** A client that talks over this connection. */
export function createClient(
  connection: InProcessConnection,
  { domain, token }: { domain: string; token: string },
): OADAClient {
  return new OADAClient({ domain, token, connection });
}

/** What `@oada/client` takes for a connection, with no socket: each request is a call. */
export class InProcessConnection extends EventEmitter implements Connection {
  readonly #graph: Graph;
  readonly #users: Users;
  readonly #protocol: Protocol<Json>;
  readonly #watches = new Map<string, Watch>();
  readonly #onClose: () => void;
  #requests = 0;
  /** Why it is closed; undefined while it is open. */
  #closed: Error | undefined;

  constructor(graph: Graph, users: Users, onClose: () => void) {
    super();
    this.#graph = graph;
    this.#users = users;
    this.#onClose = onClose;
    this.#protocol = new Protocol(graph, toJson);
  }

  isConnected(): boolean {
    return this.#closed === undefined;
  }

  awaitConnection(): Promise<void> {
    return Promise.resolve();
  }

  disconnect(): Promise<void> {
    this.close(Object.assign(new Error('The client is disconnected'), { code: 'ECONNRESET' }));
    return Promise.resolve();
  }

  /** Ends all watches; requests are refused for this reason from now on. */
  close(reason: Error): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    for (const watch of this.#watches.values()) watch.end();
    this.#onClose();
    this.emit('close');
  }

  /** @throws an error like those of the client's own connections: `code` is the status as a string */
  async request(request: ConnectionRequest): Promise<[ConnectionResponse, ChangeFeed?]> {
    const requestId = request.requestId ?? `in-process-${String(++this.#requests)}`;
    if (request.method === 'unwatch') {
      this.#watches.get(requestId)?.end();
      return [{ requestId, status: 200, statusText: 'OK', headers: {} }];
    }
    // A turn of the event loop for each request: a caller with much to ask would starve timers and sockets.
    await setImmediate();
    if (this.#closed !== undefined) throw this.#closed;
    const { method, path, watch = false, data } = request;
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(request.headers)) headers[name.toLowerCase()] = value;
    const user = this.#authenticate(headers['authorization']);
    const base = { method, path, headers };
    const asked = data === undefined ? base : { ...base, body: bodyOf(data) };
    if (watch) return await this.#watch(requestId, asked, user);
    const response = responseOf(requestId, await this.#protocol.answer(asked, user));
    if (response.status >= 300) throw errorOf(response);
    return [response];
  }

  async #watch(requestId: string, request: Request, user: User): Promise<[ConnectionResponse, ChangeFeed?]> {
    const reads = request.method === 'get' || request.method === 'head';
    // The watch of a write starts before it, and so hears of it.
    const reached = reads ? undefined : await this.#protocol.reach(request.path, user);
    const early = reached === undefined ? undefined : this.#startWatch(requestId, reached, user);
    const answer = await this.#protocol.answer(request, user);
    const response = responseOf(requestId, answer);
    if (answer.status >= 300) {
      early?.end();
      throw errorOf(response);
    }
    if (early !== undefined) return [response, early.changes()];
    if (answer.resource === undefined) return [response];
    const changes = this.#startWatch(requestId, answer.resource, user);
    await changes.catchUp(resumedRevision(request.headers['x-oada-rev']) ?? answer.rev ?? 0);
    return [response, changes.changes()];
  }

  #startWatch(requestId: string, resource: string, user: User): Watch {
    const watch = new Watch(this.#graph, { resource, user: user.id, requestId }, () => {
      if (this.#watches.get(requestId) === watch) this.#watches.delete(requestId);
    });
    this.#watches.get(requestId)?.end();
    this.#watches.set(requestId, watch);
    return watch;
  }

  #authenticate(authorization: string | undefined): User {
    try {
      return this.#users.authenticate(authorization);
    } catch (error) {
      throw errorOf(responseOf('', this.#protocol.refuse(error)));
    }
  }
}

/** Copied on the way in and out: what the caller does to its objects later changes nothing here. */
function bodyOf(data: Exclude<ConnectionRequest['data'], undefined>): NonNullable<Request['body']> {
  return data instanceof Uint8Array ? { bytes: Uint8Array.from(data) } : { json: asJson(data) };
}

function responseOf(requestId: string, { status, headers, body, bytes }: Answer<Json>): ConnectionResponse {
  const data = bytes === undefined ? body : Uint8Array.from(bytes);
  const response = { requestId, status, statusText: status < 300 ? 'OK' : '', headers };
  // The client's types have no read-only arrays and objects; what is handed out is the caller's own copy.
  return data === undefined ? response : { ...response, data: data };
}

function errorOf(response: ConnectionResponse): Error {
  const { data, status } = response;
  const hasMessage = typeof data === 'object' && data !== null && 'message' in data;
  const message = hasMessage && typeof data.message === 'string' ? data.message : String(status);
  return Object.assign(new Error(message), response, { code: String(status), statusCode: status });
}

/** The changes of one watch, kept until they are asked for. */
class Watch {
  readonly #graph: Graph;
  readonly #resource: string;
  readonly #user: string;
  readonly #requestId: string;
  readonly #onEnd: () => void;
  #waiting: (readonly Change[])[] = [];
  #stop: () => void;
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(
    graph: Graph,
    { resource, user, requestId }: { resource: string; user: string; requestId: string },
    onEnd: () => void,
  ) {
    this.#graph = graph;
    this.#resource = resource;
    this.#user = user;
    this.#requestId = requestId;
    this.#onEnd = onEnd;
    this.#stop = this.#listen();
  }

  #listen(): () => void {
    const notify = (_resource: string, _rev: number, change: readonly Change[]): void => {
      this.#push(change);
    };
    return this.#graph.watches.add(this.#resource, { user: this.#user, notify });
  }

  /** First what came after the revision `since`. */
  async catchUp(since: number): Promise<void> {
    this.#stop();
    this.#waiting = [];
    try {
      const feed = this.#graph.feed(this.#resource, this.#user, since);
      for await (const change of feed.missed()) this.#push(change);
      for (const change of feed.end()) this.#push(change);
    } catch (error) {
      this.end();
      throw error;
    }
    if (!this.#ended) this.#stop = this.#listen();
  }

  #push(change: readonly Change[]): void {
    this.#waiting.push(change);
    this.#wake?.();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stop();
    this.#onEnd();
    this.#wake?.();
  }

  async *changes(): ChangeFeed {
    try {
      while (!this.#ended) {
        const waiting = this.#waiting;
        this.#waiting = [];
        for (const change of waiting) {
          // The client makes a copy of its own for each of its callers; its types have no read-only arrays.
          const given = change as ConnectionChange['change'];
          yield [{ requestId: [this.#requestId], resourceId: this.#resource, change: given }];
        }
        if (waiting.length > 0) continue;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      this.end();
    }
  }
}
