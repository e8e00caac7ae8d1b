import type { Socket } from 'node:net';

import type { Connection, ConnectionChange, ConnectionRequest, ConnectionResponse } from '@oada/client';
import { EventEmitter } from 'eventemitter3';
import WebSocket from 'isomorphic-ws';

import { setLimit } from '../clock.js';
import type { Clock } from '../clock.js';
import { isJsonObject } from '../json.js';
import { Feed } from './feed.js';
import { HttpSockets, lost, parseBody, timedOut } from './http.js';

type Changes = AsyncIterableIterator<[Readonly<ConnectionChange>]>;

/** How often the other end is asked whether it is there; without an answer until the next time it is not. */
const PING_INTERVAL_MS = 10_000;

/** In characters. */
const LARGEST_FRAME = 1024 * 1024;

interface Pending {
  resolve(response: ConnectionResponse): void;
  reject(error: Error): void;
}

/**
 * One WebSocket to a store, for `@oada/client` to talk over instead of its own: every request ends within its time
 * limit, a lost socket rejects what is on its way and ends its watches at once, and the next request opens a new one.
 * Nothing goes on in the background when nobody asks.
 *
 * A DELETE goes over HTTP: sent over a WebSocket to the OADA reference server, the DELETE of a link ends everybody's
 * watches on the linked resource (OADA/server, commit ec49083b). A server that says it does not, is taken at its word.
 * So does what is large: a server may close the socket, and end what else is on its way, over a frame too long for it.
 */
export class SocketConnection extends EventEmitter implements Connection {
  readonly #url: URL;
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #http: HttpSockets;
  readonly #pending = new Map<string, Pending>();
  readonly #feeds = new Map<string, Feed<[Readonly<ConnectionChange>]>>();
  #socket: WebSocket | undefined;
  /** What the socket's frames are written to. */
  #stream: Socket | undefined;
  #isGathering = false;
  #opening: Promise<WebSocket> | undefined;
  /** A socket that is not open yet. */
  #connecting: WebSocket | undefined;
  #deleteKeepsWatches = false;
  #requests = 0;
  #closed = false;

  /** @param timeout of a request that brings none of its own, in ms */
  constructor(url: URL, { clock, timeout }: { clock: Clock; timeout: number }) {
    super();
    this.#url = url;
    this.#clock = clock;
    this.#timeout = timeout;
    this.#http = new HttpSockets(url, clock);
  }

  /**
   * The client wants to hear of a new socket in order to end its watches, one listener for each watch and never taken
   * back. Ours end by themselves.
   */
  override on(...args: Parameters<EventEmitter['on']>): this {
    return args[0] === 'open' ? this : super.on(...args);
  }

  isConnected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  async awaitConnection(): Promise<void> {
    await this.#open();
  }

  disconnect(): Promise<void> {
    this.#closed = true;
    this.#http.close();
    this.#connecting?.terminate();
    this.#lose(new Error('The connection was closed on this side'));
    return Promise.resolve();
  }

  async request(
    request: ConnectionRequest,
    options: { timeout?: number } = {},
  ): Promise<[ConnectionResponse, Changes?]> {
    const { method, watch = false } = request;
    if (method === 'unwatch') return [await this.#unwatch(request)];
    const timeout = options.timeout ?? this.#timeout;
    const requestId = request.requestId ?? `r${String(++this.#requests)}`;
    const frame = frameOf({ ...request, requestId });
    if (!watch && this.#goesOverHttp(request, frame))
      return [accepted(await this.#http.send({ ...request, requestId }, timeout))];
    const deadline = this.#clock.monotonic() + timeout;
    const socket = await this.#open(timeout);
    // The feed is there before the request is sent: no change that comes right behind the answer is missed.
    const feed = watch ? this.#addFeed(requestId) : undefined;
    try {
      const left = deadline - this.#clock.monotonic();
      const response = accepted(await this.#send(socket, requestId, frame, left));
      if (response.headers['x-oada-delete-keeps-watches'] === 'true') this.#deleteKeepsWatches = true;
      return feed === undefined ? [response] : [response, feed.items()];
    } catch (error) {
      feed?.end();
      this.#feeds.delete(requestId);
      throw error;
    }
  }

  #goesOverHttp({ method, data }: ConnectionRequest, frame: string): boolean {
    if (method === 'delete') return !this.#deleteKeepsWatches;
    return data instanceof Uint8Array || frame.length > LARGEST_FRAME;
  }

  #addFeed(requestId: string): Feed<[Readonly<ConnectionChange>]> {
    const feed = new Feed<[Readonly<ConnectionChange>]>();
    this.#feeds.set(requestId, feed);
    return feed;
  }

  async #unwatch(request: ConnectionRequest): Promise<ConnectionResponse> {
    const { requestId = '' } = request;
    this.#feeds.get(requestId)?.end();
    const known = this.#feeds.delete(requestId);
    const gone = { requestId, status: 200, statusText: 'OK', headers: {} };
    const socket = this.#socket;
    // A lost socket took its watches along; no new one is opened to say so.
    if (!known || socket?.readyState !== WebSocket.OPEN) return gone;
    return this.#send(socket, requestId, frameOf(request), this.#timeout);
  }

  #open(timeout: number = this.#timeout): Promise<WebSocket> {
    const socket = this.#socket;
    if (this.#closed) return Promise.reject(lost('The connection was closed on this side'));
    if (socket?.readyState === WebSocket.OPEN) return Promise.resolve(socket);
    if (socket !== undefined) this.#lose(lost('The connection was lost')); // it is closing
    this.#opening ??= this.#connect(timeout).finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  #connect(timeout: number): Promise<WebSocket> {
    const url = new URL(this.#url);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url, { perMessageDeflate: false });
    this.#connecting = socket;
    return new Promise((resolve, reject) => {
      const cancel = setLimit(
        this.#clock,
        () => {
          reject(timedOut(timeout));
          socket.terminate();
        },
        timeout,
      );
      socket.once('upgrade', ({ socket: stream }) => {
        this.#stream = stream;
      });
      socket.once('open', () => {
        cancel();
        this.#connecting = undefined;
        this.#socket = socket;
        this.#keepAlive(socket);
        resolve(socket);
      });
      socket.on('message', (data: Buffer) => {
        this.#receive(data.toString('utf8'));
      });
      socket.on('error', (error) => {
        reject(lost(error.message));
        socket.terminate();
      });
      socket.once('close', () => {
        cancel();
        reject(lost('The connection was closed'));
        if (this.#socket === socket) this.#lose(lost('The connection was lost'));
      });
    });
  }

  #keepAlive(socket: WebSocket): void {
    let answered = true;
    const ping = (): void => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (!answered) {
        socket.terminate();
        return;
      }
      answered = false;
      socket.ping();
      cancel = this.#clock.setTimer(ping, PING_INTERVAL_MS);
    };
    let cancel = this.#clock.setTimer(ping, PING_INTERVAL_MS);
    const alive = (): void => {
      answered = true;
    };
    socket.on('pong', alive);
    socket.on('message', alive);
    socket.once('close', () => {
      cancel();
    });
  }

  /** Everything that was on its way, or watched, over the socket is over. */
  #lose(error: Error): void {
    this.#socket?.terminate();
    this.#socket = undefined;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    for (const feed of this.#feeds.values()) feed.end(error);
    this.#feeds.clear();
  }

  async #send(
    socket: WebSocket,
    requestId: string,
    frame: string,
    timeout: number,
  ): Promise<ConnectionResponse> {
    return new Promise((resolve, reject) => {
      const cancel = setLimit(
        this.#clock,
        () => {
          this.#pending.delete(requestId);
          reject(timedOut(timeout));
        },
        Math.max(timeout, 1),
      );
      const settle = (): void => {
        cancel();
        this.#pending.delete(requestId);
      };
      this.#pending.set(requestId, {
        resolve: (response) => {
          settle();
          resolve(response);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      this.#gather();
      socket.send(frame);
    });
  }

  /** The frames of one turn leave together: a call of the system for each would be a tenth of a service's time. */
  #gather(): void {
    const stream = this.#stream;
    if (stream === undefined || this.#isGathering) return;
    this.#isGathering = true;
    stream.cork();
    process.nextTick(() => {
      this.#isGathering = false;
      stream.uncork();
    });
  }

  #receive(text: string): void {
    const message = parseMessage(text);
    if (message === undefined) return; // what cannot be understood answers no request of ours: that one times out
    if ('change' in message) {
      for (const requestId of message.requestId)
        this.#feeds.get(requestId)?.push([{ ...message, requestId: [requestId] }]);
      return;
    }
    const requestId = String(message.requestId);
    // A resumed watch is answered twice: this is the first one, with nothing in it.
    if (message.status === 200 && Object.keys(message.headers).length === 0 && this.#feeds.has(requestId))
      return;
    this.#pending.get(requestId)?.resolve(message);
  }
}

/** What is sent over the socket; bytes are no JSON, and go another way. */
function frameOf({ requestId, method, watch, path, headers, data }: ConnectionRequest): string {
  const verb = watch === true ? (method === 'head' ? 'watch' : `${method}-watch`) : method;
  const json = data instanceof Uint8Array ? undefined : data;
  return JSON.stringify({ requestId, method: verb, path, headers, data: json });
}

/** @throws an error like those of the client's own connections: `code` is the status as a string */
function accepted(response: ConnectionResponse): ConnectionResponse {
  const { status, statusText, data } = response;
  if (status >= 200 && status < 300) return response;
  const said = isJsonObject(data) ? data['message'] : undefined;
  const message = typeof said === 'string' ? said : statusText || String(status);
  throw Object.assign(new Error(message), response, { code: String(status), statusCode: status });
}

function parseMessage(text: string): ConnectionResponse | ConnectionChange | undefined {
  const message = parseBody(text);
  if (!isJsonObject(message)) return undefined;
  const { requestId, change, resourceId, status, headers, statusText, data } = message;
  if (Array.isArray(change) && Array.isArray(requestId)) {
    return {
      requestId: requestId.map(String),
      resourceId,
      change,
    } as unknown as ConnectionChange;
  }
  if (typeof status !== 'number' || typeof requestId !== 'string') return undefined;
  const response = {
    requestId,
    status,
    statusText: statusText ?? '',
    headers: isJsonObject(headers) ? headers : {},
  };
  return { ...response, ...(data !== undefined && { data }) } as ConnectionResponse;
}
