import type { OADAClient } from '@oada/client';
import { WebSocket } from 'ws';

/** A way to a server with as little on top as can be. */
export interface Wire {
  /** @returns the ETag that was answered */
  send(method: 'GET' | 'PUT' | 'DELETE', path: string, body?: object, ifMatch?: string): Promise<string>;
}

interface Answer {
  readonly requestId: string;
  readonly status: number;
  readonly headers?: { readonly etag?: string };
}

export class Socket implements Wire, AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #headers: object;
  readonly #waiting = new Map<string, (answer: Answer) => void>();
  #count = 0;

  private constructor(socket: WebSocket, token: string) {
    this.#socket = socket;
    this.#headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    socket.on('message', (data: Buffer) => {
      const answer = JSON.parse(data.toString()) as Answer;
      this.#waiting.get(answer.requestId)?.(answer);
      this.#waiting.delete(answer.requestId);
    });
  }

  static async open(url: string, token: string): Promise<Socket> {
    const socket = new WebSocket(url.replace('http', 'ws'), { perMessageDeflate: false });
    await new Promise((resolve, reject) => {
      socket.once('open', resolve).once('error', reject);
    });
    return new Socket(socket, token);
  }

  send(method: 'GET' | 'PUT' | 'DELETE', path: string, body?: object, ifMatch?: string): Promise<string> {
    const requestId = String(++this.#count);
    const headers = ifMatch === undefined ? this.#headers : { ...this.#headers, 'if-match': ifMatch };
    this.#socket.send(JSON.stringify({ requestId, method: method.toLowerCase(), path, headers, data: body }));
    return new Promise((resolve, reject) => {
      this.#waiting.set(requestId, ({ status, headers: answered }) => {
        if (status < 300) resolve(answered?.etag ?? '');
        else reject(new Error(`${method} ${path}: ${String(status)}`));
      });
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
    return Promise.resolve();
  }
}

export class InProcess implements Wire {
  readonly #client: OADAClient;

  constructor(client: OADAClient) {
    this.#client = client;
  }

  async send(
    method: 'GET' | 'PUT' | 'DELETE',
    path: string,
    body?: object,
    ifMatch?: string,
  ): Promise<string> {
    const { headers } = await this.#request(method, path, body, ifMatch);
    return headers['etag'] ?? '';
  }

  #request(
    method: 'GET' | 'PUT' | 'DELETE',
    path: string,
    body: object | undefined,
    ifMatch: string | undefined,
  ): ReturnType<OADAClient['get']> {
    if (method === 'GET') return this.#client.get({ path });
    if (method === 'DELETE') return this.#client.delete({ path });
    const request = { path, data: { ...body }, contentType: 'application/json' };
    return this.#client.put(ifMatch === undefined ? request : { ...request, etagIfMatch: ifMatch });
  }
}

const RESOURCES = 500;

/** @returns requests per second */
export async function measure(
  wire: Wire,
  method: 'GET' | 'PUT',
  inFlight: number,
  total: number,
): Promise<number> {
  const send = (index: number): Promise<string> =>
    wire.send('PUT', `/resources/r${String(index % RESOURCES)}`, { n: index });
  for (let index = 0; index < RESOURCES; index++) await send(index);
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next < total) {
      const index = next++;
      if (method === 'GET') await wire.send('GET', `/resources/r${String(index % RESOURCES)}`);
      else await send(index);
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: inFlight }, sender));
  return (total / (performance.now() - started)) * 1000;
}
