import http from 'node:http';
import https from 'node:https';

import type { ConnectionRequest, ConnectionResponse } from '@oada/client';

import { setLimit } from '../clock.js';
import type { Clock } from '../clock.js';
import type { Json } from '../json.js';

export interface HttpOptions {
  /** Of the store. */
  readonly url: URL;
  readonly agent: http.Agent;
  readonly clock: Clock;
  /** In milliseconds. */
  readonly timeout: number;
}

/** Sends one request over HTTP, for what had better not go over a WebSocket. Whatever the answer's status, it is one. */
export function sendOverHttp(
  { requestId = '', method, path, headers, data }: ConnectionRequest,
  { url, agent, clock, timeout }: HttpOptions,
): Promise<ConnectionResponse> {
  const { request } = url.protocol === 'https:' ? https : http;
  const target = {
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port,
    path: url.pathname.replace(/\/$/, '') + path,
  };
  return new Promise((resolve, reject) => {
    const sent = request({ ...target, method: method.toUpperCase(), headers, agent }, (answer) => {
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
    });
    const cancel = setLimit(clock, () => sent.destroy(timedOut(timeout)), timeout);
    const fail = (error: Error): void => {
      cancel();
      reject(error);
    };
    sent.on('error', fail);
    sent.end(data === undefined || data instanceof Uint8Array ? data : JSON.stringify(data));
  });
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
