import type { OADAClient } from '@oada/client';
import { WebSocket } from 'ws';

/** A way to a server with as little on top as can be. */
export interface Wire {
  send(method: 'GET' | 'PUT', path: string, body?: object): Promise<void>;
}

export class Socket implements Wire, AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #headers: object;
  readonly #waiting = new Map<string, (status: number) => void>();
  #count = 0;

  private constructor(socket: WebSocket, token: string) {
    this.#socket = socket;
    this.#headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    socket.on('message', (data: Buffer) => {
      const { requestId, status } = JSON.parse(data.toString()) as { requestId: string; status: number };
      this.#waiting.get(requestId)?.(status);
      this.#waiting.delete(requestId);
    });
  }

  static async open(url: string, token: string): Promise<Socket> {
    const socket = new WebSocket(url.replace('http', 'ws'), { perMessageDeflate: false });
    await new Promise((resolve, reject) => {
      socket.once('open', resolve).once('error', reject);
    });
    return new Socket(socket, token);
  }

  send(method: 'GET' | 'PUT', path: string, body?: object): Promise<void> {
    const requestId = String(++this.#count);
    const message = { requestId, method: method.toLowerCase(), path, headers: this.#headers, data: body };
    this.#socket.send(JSON.stringify(message));
    return new Promise((resolve, reject) => {
      this.#waiting.set(requestId, (status) => {
        if (status < 300) resolve();
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

  async send(method: 'GET' | 'PUT', path: string, body?: object): Promise<void> {
    if (method === 'GET') await this.#client.get({ path });
    else await this.#client.put({ path, data: { ...body }, contentType: 'application/json' });
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
  const send = (index: number): Promise<void> =>
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
