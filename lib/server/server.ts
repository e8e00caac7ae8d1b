import { randomBytes } from 'node:crypto';

import type { OADAClient } from '@oada/client';
import type { FastifyInstance } from 'fastify';
import type { WebSocketServer } from 'ws';

import { createClient, InProcessConnection } from './connection.js';
import { ServerError } from './errors.js';
import { Graph } from './graph.js';
import { createHttpServer } from './http.js';
import { LevelStorage } from './level-storage.js';
import { MemoryStorage } from './storage.js';
import type { Storage } from './storage.js';
import { Users } from './users.js';
import type { TokenOptions } from './users.js';
import { createSocketServer } from './websocket.js';

export interface OADAServerOptions {
  /** @defaultValue `'127.0.0.1'`: only this machine */
  readonly host?: string;
  /** @defaultValue `0`: a free one */
  readonly port?: number;
  /** The folder to keep everything in; made where it does not exist. Without it all is gone when the server stops. */
  readonly path?: string;
  /** Who may come in. Without it the server makes a token up: {@link OADAServer.token}. */
  readonly tokens?: readonly TokenOptions[];
}

export const serverDefaults: Readonly<Required<Pick<OADAServerOptions, 'host' | 'port'>>> = Object.freeze({
  host: '127.0.0.1',
  port: 0,
});

const optionNames: readonly string[] = ['host', 'port', 'path', 'tokens'];

interface Parts {
  readonly storage: Storage;
  readonly graph: Graph;
  readonly users: Users;
  readonly http: FastifyInstance;
  readonly sockets: WebSocketServer;
  readonly url: string;
  readonly token: string;
}

/**
 * An OADA server in this process: HTTP and WebSocket on one port, in memory or on disk. It answers as the OADA
 * reference server does wherever a client can tell the difference, without that server's faults.
 */
export class OADAServer {
  /** Where it listens, like `http://127.0.0.1:34567`. */
  readonly url: string;
  /** The first of its tokens. */
  readonly token: string;
  readonly #parts: Parts;
  readonly #connections = new Set<InProcessConnection>();
  #stopped: Promise<void> | undefined;

  private constructor(parts: Parts) {
    this.url = parts.url;
    this.token = parts.token;
    this.#parts = parts;
  }

  /**
   * Starts a server; it answers when the promise resolves.
   *
   * @throws {ServerError} an option is wrong, the address is taken, or the folder is locked, damaged or unusable
   */
  static async start(options: OADAServerOptions = {}): Promise<OADAServer> {
    checkOptions(options);
    const { host = serverDefaults.host, port = serverDefaults.port, path } = options;
    const tokens = options.tokens ?? [{ token: randomBytes(24).toString('base64url'), user: 'users/owner' }];
    const storage = path === undefined ? new MemoryStorage() : await LevelStorage.open(path);
    try {
      const graph = new Graph(storage, { evicts: path !== undefined, now: () => Date.now() / 1000 });
      const users = await Users.create(tokens, graph, storage);
      const http = createHttpServer(graph, users);
      const sockets = createSocketServer(graph, users);
      http.server.on('upgrade', (request, socket, head) => {
        sockets.handleUpgrade(request, socket, head, (webSocket) => {
          sockets.emit('connection', webSocket, request);
        });
      });
      const url = await listen(http, host, port);
      return new OADAServer({ storage, graph, users, http, sockets, url, token: tokens[0]?.token ?? '' });
    } catch (error) {
      await storage.close();
      throw error;
    }
  }

  /**
   * A client of this server that needs no socket. Disconnecting it leaves the server running.
   *
   * @param token one of the server's tokens; the first by default
   */
  client(token: string = this.token): OADAClient {
    if (this.#stopped !== undefined) throw stoppedError();
    const { graph, users } = this.#parts;
    const connection = new InProcessConnection(graph, users, () => this.#connections.delete(connection));
    this.#connections.add(connection);
    return createClient(connection, { domain: this.url, token });
  }

  /** Ends all connections, stores what is on its way, and lets go of the folder. Can be called more than once. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const { http, sockets, storage } = this.#parts;
    for (const connection of this.#connections) connection.close(stoppedError());
    sockets.close(); // takes no new ones
    for (const socket of sockets.clients) socket.terminate();
    await http.close();
    await storage.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

function stoppedError(): ServerError {
  return new ServerError('OADA_SERVER_STOPPED', 'The server is stopped');
}

async function listen(http: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await http.listen({ host, port });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `Cannot listen on ${host}:${String(port)}: ${reason}. Choose another port, or 0 for a free one.`;
    throw new ServerError('OADA_SERVER_LISTEN', message, { cause: error });
  }
}

function checkOptions(options: unknown): asserts options is OADAServerOptions {
  const wrong = (message: string): ServerError => new ServerError('OADA_SERVER_OPTIONS', message);
  const isText = (value: unknown): boolean =>
    typeof value === 'string' && value !== '' && !value.includes('\0');
  if (typeof options !== 'object' || options === null) throw wrong('expected the options to be an object');
  const unknown = Object.keys(options).find((name) => !optionNames.includes(name));
  if (unknown !== undefined)
    throw wrong(`There is no option \`${unknown}\`; there are ${optionNames.join(', ')}`);
  const { host, port, path, tokens }: Partial<Record<keyof OADAServerOptions, unknown>> = options;
  if (host !== undefined && !isText(host)) throw wrong('expected `host` to be a name or an address');
  if (port !== undefined && !(Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65_535)) {
    throw wrong(`expected \`port\` to be a whole number from 0 to 65535, got \`${JSON.stringify(port)}\``);
  }
  if (path !== undefined && !isText(path)) throw wrong('expected `path` to be the name of a folder');
  if (tokens !== undefined && !Array.isArray(tokens)) throw wrong('expected `tokens` to be an array');
  if (tokens?.length === 0) throw wrong('expected `tokens` to hold at least one token, got none');
}
