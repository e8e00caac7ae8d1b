import http from 'node:http';
import https from 'node:https';

import type { ConnectionRequest, ConnectionResponse } from '@oada/client';

import { setLimit } from '../clock.js';
import type { Clock } from '../clock.js';
import type { Json } from '../json.js';

/** How many sockets there are at most. */
const MOST_SOCKETS = 10;

/**
 * Sends requests over HTTP: what had better not go over a WebSocket. Each takes a socket only until it is answered, so
 * none has one for longer than its time limit; where all are taken, the next waits for one, and its time has not begun.
 */
export class HttpSockets {
  readonly #url: URL;
  readonly #clock: Clock;
  readonly #agent: http.Agent;
  #free = MOST_SOCKETS;
  readonly #waiting: (() => void)[] = [];
  #closed = false;

  /** @param url of the store */
  constructor(url: URL, clock: Clock) {
    this.#url = url;
    this.#clock = clock;
    const { Agent } = url.protocol === 'https:' ? https : http;
    this.#agent = new Agent({ keepAlive: true });
  }

  /** Whatever the answer's status, it is one. @param timeout in milliseconds */
  async send(request: ConnectionRequest, timeout: number): Promise<ConnectionResponse> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      if (this.#closed) throw lost('The connection was closed on this side');
      return await this.#send(request, timeout);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  /** What is on its way, or waits, rejects. */
  close(): void {
    this.#closed = true;
    this.#agent.destroy();
  }

  #send(
    { requestId = '', method, path, headers, data }: ConnectionRequest,
    timeout: number,
  ): Promise<ConnectionResponse> {
    const url = this.#url;
    const { request } = url.protocol === 'https:' ? https : http;
    const target = {
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port,
      path: url.pathname.replace(/\/$/, '') + path,
    };
    return new Promise((resolve, reject) => {
      const sent = request(
        { ...target, method: method.toUpperCase(), headers, agent: this.#agent },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', fail);
          answer.on('end', () => {
            cancel();
            const { statusCode: status = 0, statusMessage: statusText = '' } = answer;
            const body = parseBody(Buffer.concat(chunks).toString());
            const response = { requestId, status, statusText, headers: flat(answer.headers) };
            resolve(
              body === undefined
                ? response
                : { ...response, data: body as NonNullable<ConnectionResponse['data']> },
            );
          });
        },
      );
      const cancel = setLimit(this.#clock, () => sent.destroy(timedOut(timeout)), timeout);
      const fail = (error: Error): void => {
        cancel();
        reject(error);
      };
      sent.on('error', fail);
      sent.end(data === undefined || data instanceof Uint8Array ? data : JSON.stringify(data));
    });
  }
}

export function lost(message: string): Error {
  return Object.assign(new Error(message), { code: 'ECONNRESET' });
}

export function timedOut(timeout: number): Error {
  return Object.assign(new Error(`No answer within ${String(timeout)} ms`), { code: 'REQUEST_TIMEDOUT' });
}

export function parseBody(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined; // an empty body, or no JSON
  }
}

function flat(headers: http.IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
