import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

import { WebSocket, WebSocketServer } from 'ws';

import type { Graph } from './graph.js';
import { isObject, parseJson, stringify } from './json.js';
import type { Json } from './json.js';
import { MAX_BODY_BYTES, Protocol } from './protocol.js';
import type { Answer, Method } from './protocol.js';
import type { User, Users } from './users.js';
import { resumedRevision } from './watches.js';
import type { Change } from './watches.js';

/** How often a socket is asked whether somebody is still there. */
const PING_INTERVAL_MS = 30_000;
/** A client that lets this much wait to be read is not going to read it. */
const MAX_BUFFERED_BYTES = 256 * 1024 * 1024;

const METHODS: Readonly<Record<string, { method: Method; watch: boolean }>> = {
  head: { method: 'head', watch: false },
  get: { method: 'get', watch: false },
  put: { method: 'put', watch: false },
  post: { method: 'post', watch: false },
  delete: { method: 'delete', watch: false },
  watch: { method: 'head', watch: true },
  'head-watch': { method: 'head', watch: true },
  'get-watch': { method: 'get', watch: true },
  'put-watch': { method: 'put', watch: true },
  'post-watch': { method: 'post', watch: true },
  'delete-watch': { method: 'delete', watch: true },
};

interface Message {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: Json | undefined;
}

/** The server's sockets. A `WebSocketServer` without a port: the HTTP server hands it the upgrades. */
export function createSocketServer(graph: Graph, users: Users): WebSocketServer {
  const protocol = new Protocol(graph, stringify);
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_BODY_BYTES,
    perMessageDeflate: false,
  });
  server.on('connection', (socket: WebSocket, { socket: stream }: IncomingMessage) => {
    const connection = new SocketConnection({ socket, stream }, protocol, graph, users);
    socket.on('message', (data: Buffer) => {
      void connection.receive(data.toString('utf8'));
    });
    socket.on('close', () => {
      connection.close();
    });
    socket.on('error', () => {
      socket.terminate(); // a broken frame; "close" follows
    });
  });
  return server;
}

/** The watches of one socket on one resource share a frame. */
interface SocketWatch {
  readonly requestIds: string[];
  readonly stop: () => void;
}

interface PendingWatch {
  readonly requestId: string;
  ended: boolean;
}

class SocketConnection {
  readonly #socket: WebSocket;
  /** What the frames are written to. */
  readonly #stream: Socket;
  #isGathering = false;
  readonly #protocol: Protocol<string>;
  readonly #graph: Graph;
  readonly #users: Users;
  /** By user and resource: each message comes with a token of its own. */
  readonly #watches = new Map<string, SocketWatch>();
  /** Watches that are still being set up. */
  readonly #pending = new Set<PendingWatch>();
  readonly #ping: NodeJS.Timeout;
  #alive = true;

  constructor(
    { socket, stream }: { socket: WebSocket; stream: Socket },
    protocol: Protocol<string>,
    graph: Graph,
    users: Users,
  ) {
    this.#socket = socket;
    this.#stream = stream;
    this.#protocol = protocol;
    this.#graph = graph;
    this.#users = users;
    socket.on('pong', () => {
      this.#alive = true;
    });
    this.#ping = setInterval(() => {
      if (!this.#alive) {
        socket.terminate();
        return;
      }
      this.#alive = false;
      socket.ping();
    }, PING_INTERVAL_MS);
    this.#ping.unref();
  }

  close(): void {
    clearInterval(this.#ping);
    for (const { stop } of this.#watches.values()) stop();
    this.#watches.clear();
  }

  /** Never rejects. */
  async receive(text: string): Promise<void> {
    const message = parseMessage(text);
    if (typeof message === 'string') {
      this.#send(badMessage(message));
      return;
    }
    try {
      await this.#handle(message);
    } catch (error) {
      this.#sendAnswer(message.requestId, this.#protocol.refuse(error));
    }
  }

  async #handle(message: Message): Promise<void> {
    const { requestId, method, headers } = message;
    if (method === 'ping') {
      this.#send(JSON.stringify({ requestId, status: 204 }));
      return;
    }
    if (method === 'unwatch') {
      this.#unwatch(requestId);
      this.#send(JSON.stringify({ requestId, status: 200 }));
      return;
    }
    const kind = METHODS[method];
    if (kind === undefined) return;
    const user = this.#users.authenticate(headers['authorization']);
    if (!kind.watch) this.#sendAnswer(requestId, await this.#answer(message, kind.method, user));
    else if (kind.method === 'get' || kind.method === 'head')
      await this.#readAndWatch(message, kind.method, user);
    else await this.#writeAndWatch(message, kind.method, user);
  }

  #answer({ path, headers, data }: Message, method: Method, user: User): Promise<Answer<string>> {
    const request = { method, path, headers };
    return this.#protocol.answer(data === undefined ? request : { ...request, body: { json: data } }, user);
  }

  /** The watch starts before the write, so that it hears of it. */
  async #writeAndWatch(message: Message, method: Method, user: User): Promise<void> {
    const { requestId, path } = message;
    const reached = await this.#protocol.reach(path, user);
    if (reached !== undefined) this.#join(requestId, reached, user);
    const answer = await this.#answer(message, method, user);
    if (answer.status >= 300) this.#unwatch(requestId);
    else if (reached === undefined && answer.resource !== undefined)
      this.#join(requestId, answer.resource, user);
    this.#sendAnswer(requestId, answer);
  }

  async #readAndWatch(message: Message, method: Method, user: User): Promise<void> {
    const pending: PendingWatch = { requestId: message.requestId, ended: false };
    this.#pending.add(pending);
    try {
      const answer = await this.#answer(message, method, user);
      if (answer.resource === undefined || answer.status >= 300) this.#sendAnswer(message.requestId, answer);
      else await this.#catchUp(message, { ...answer, resource: answer.resource }, { user, pending });
    } finally {
      this.#pending.delete(pending);
    }
  }

  async #catchUp(
    { requestId, headers }: Message,
    answer: Answer<string> & { readonly resource: string },
    { user, pending }: { user: User; pending: PendingWatch },
  ): Promise<void> {
    const { resource, rev = 0 } = answer;
    const since = resumedRevision(headers['x-oada-rev']);
    if (since !== undefined) this.#send(JSON.stringify({ requestId, status: 200 }));
    const feed = this.#graph.feed(resource, user.id, since ?? rev);
    for await (const change of feed.missed()) {
      if (pending.ended || !this.#isOpen()) break;
      await this.#sent(changeFrame(resource, change, [requestId]));
    }
    this.#sendAnswer(requestId, answer);
    const late = feed.end();
    if (pending.ended || !this.#isOpen()) return;
    for (const change of late) this.#send(changeFrame(resource, change, [requestId]));
    this.#join(requestId, resource, user);
  }

  /** From now on, together with the socket's other watches on the resource. */
  #join(requestId: string, resource: string, user: User): void {
    if (!this.#isOpen()) return;
    const key = `${user.id}/${resource}`;
    const watch = this.#watches.get(key);
    if (watch !== undefined) {
      if (!watch.requestIds.includes(requestId)) watch.requestIds.push(requestId);
      return;
    }
    const requestIds = [requestId];
    const stop = this.#graph.watches.add(resource, {
      user: user.id,
      notify: (_resource, _rev, change) => {
        this.#send(changeFrame(resource, change, requestIds));
      },
    });
    this.#watches.set(key, { requestIds, stop });
  }

  #unwatch(requestId: string): void {
    for (const pending of this.#pending) if (pending.requestId === requestId) pending.ended = true;
    for (const [key, { requestIds, stop }] of this.#watches) {
      const index = requestIds.indexOf(requestId);
      if (index >= 0) requestIds.splice(index, 1);
      if (requestIds.length > 0) continue;
      stop();
      this.#watches.delete(key);
    }
  }

  #isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  #sendAnswer(requestId: string, { status, headers, body, bytes }: Answer<string>): void {
    const used: Record<string, string> = {};
    for (const [name, value] of Object.entries(headers)) if (value !== '') used[name] = value;
    if (bytes !== undefined) {
      const statusText = 'Cannot GET binary over WebSockets';
      this.#send(JSON.stringify({ requestId, status: 400, statusText, headers: used }));
      return;
    }
    const statusText = status < 400 ? '' : `,"statusText":${JSON.stringify(statusTextOf(body))}`;
    const data = body === undefined ? '' : `,"data":${body}`;
    const head = `{"requestId":${JSON.stringify(requestId)},"status":${String(status)}`;
    this.#send(`${head}${statusText},"headers":${JSON.stringify(used)}${data}}`);
  }

  #send(text: string): void {
    if (!this.#isOpen()) return;
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      this.#socket.terminate();
      return;
    }
    this.#gather();
    this.#socket.send(text);
  }

  /** The frames of one turn leave together: a call of the system for each would be a tenth of a server's time. */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.#stream.cork();
    process.nextTick(() => {
      this.#isGathering = false;
      this.#stream.uncork();
    });
  }

  /** Settles when the text has left: so a long log is not read faster than it is taken. */
  #sent(text: string): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#isOpen()) resolve();
      else this.#socket.send(text, () => resolve());
    });
  }
}

/** The name of an error answer's status, as its body has it. */
function statusTextOf(body: string | undefined): string {
  const parsed: unknown = JSON.parse(body ?? '{}');
  return typeof parsed === 'object' && parsed !== null && 'error' in parsed ? String(parsed.error) : '';
}

function changeFrame(resourceId: string, change: readonly Change[], requestIds: readonly string[]): string {
  return JSON.stringify({
    resourceId,
    change,
    requestId: requestIds,
    path_leftover: requestIds.map(() => ''),
  });
}

/** @returns what is wrong with the message, where it is none */
function parseMessage(text: string): Message | string {
  let json: Json;
  try {
    json = parseJson(text);
  } catch {
    return 'the message is not valid JSON'; // and is answered so
  }
  if (!isObject(json)) return 'the message is no object';
  const { requestId, method, path, headers, data } = json;
  if (typeof requestId !== 'string') return 'requestId must be a string';
  if (
    typeof method !== 'string' ||
    (!Object.hasOwn(METHODS, method) && method !== 'ping' && method !== 'unwatch')
  ) {
    return 'method is not one of those known, which are in lower case';
  }
  if (typeof path !== 'string' || !isUriReference(path)) return 'path must be a URI reference';
  if (headers === undefined || !isObject(headers)) return 'headers must be an object';
  if (typeof headers['authorization'] !== 'string') return 'headers must have authorization, in lower case';
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (typeof value === 'string') texts[name] = value;
  return { requestId, method, path, headers: texts, data };
}

/** Only characters that may stand in a URI, and no broken percent-encoding (RFC 3986). */
function isUriReference(path: string): boolean {
  return /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*$/.test(path);
}

function badMessage(detail: string): string {
  return JSON.stringify({
    status: 400,
    requestId: ['error'],
    headers: {},
    data: {
      code: 400,
      status: 'BadRequest',
      title: 'Bad Request',
      href: 'https://github.com/OADA/oada-docs',
      userMessage: 'Invalid socket message format',
      detail,
    },
  });
}
