// Talks to a server as plainly as can be: what is sent is what the test says, be it wrong.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { request as httpRequest } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { WebSocket } from 'ws';

import type { OADAServer } from '@oada/jobs/server';

/** What came from a server; it has no type until the test has looked at it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as said
export type Answered = any;

export interface Call {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, unless it is a string or bytes: those go as they are. */
  readonly body?: unknown;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Answered;
}

export const tokens = [
  { token: 'sam', user: 'users/sam', bookmarks: 'resources/sams' },
  { token: 'eve', user: 'users/eve', bookmarks: 'resources/eves' },
];

/** One HTTP request, on a connection of its own. */
export function call(server: OADAServer, method: string, path: string, options: Call = {}): Promise<Reply> {
  const { token = 'sam', body } = options;
  const { hostname, port } = new URL(server.url);
  const payload = body === undefined ? '' : isRaw(body) ? body : JSON.stringify(body);
  const sentHeaders = {
    ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
    ...options.headers,
  };
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { hostname, port, method, path, headers: sentHeaders, agent: false },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const headers = response.headers as Record<string, string>;
          resolve({ status: response.statusCode ?? 0, headers, body: parsed(Buffer.concat(parts)) });
        });
      },
    );
    request.on('error', reject);
    request.end(payload);
  });
}

function isRaw(body: unknown): body is string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array;
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return bytes.toString(); // not JSON
  }
}

export interface Message {
  readonly method: string;
  readonly path?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly data?: unknown;
  readonly requestId?: string;
}

/** A frame with a change. */
export interface ChangeFrame {
  readonly requestId: readonly string[];
  readonly resourceId: string;
  readonly change: readonly Answered[];
}

/** A WebSocket: answers go to who asked, changes queue up. */
export class Wire {
  readonly socket: WebSocket;
  /** All frames in the order they came. */
  readonly frames: Answered[] = [];
  readonly closed: Promise<number>;
  #read = 0;
  #requests = 0;
  #wake: (() => void)[] = [];

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('message', (data: Buffer) => {
      this.frames.push(JSON.parse(data.toString()));
      for (const wake of this.#wake.splice(0)) wake();
    });
  }

  static open(server: OADAServer): Promise<Wire> {
    const socket = new WebSocket(server.url.replace('http', 'ws'));
    return new Promise((resolve, reject) => {
      const wire = new Wire(socket);
      socket.on('error', reject);
      socket.on('open', () => resolve(wire));
    });
  }

  send(message: Message): string {
    const { method, path = '/', token = 'sam', headers, data } = message;
    const requestId = message.requestId ?? `r${String((this.#requests += 1))}`;
    const all = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers };
    this.socket.send(JSON.stringify({ requestId, method, path, headers: all, data }));
    return requestId;
  }

  /** The answer to the message; the last one where several come. */
  async ask(message: Message): Promise<Answered> {
    const from = this.frames.length;
    const requestId = this.send(message);
    const isAnswer = (frame: Answered): boolean =>
      frame.requestId === requestId && frame.headers !== undefined;
    await this.until(() =>
      this.frames
        .slice(from)
        .some(
          (frame) =>
            isAnswer(frame) ||
            (frame.requestId === requestId && ['ping', 'unwatch'].includes(message.method)),
        ),
    );
    return this.frames.slice(from).findLast((frame) => frame.requestId === requestId);
  }

  /** The next frame with a change that was not looked at yet. */
  async change(): Promise<ChangeFrame> {
    for (;;) {
      for (; this.#read < this.frames.length; this.#read += 1) {
        const frame = this.frames[this.#read];
        if (frame.change === undefined) continue;
        this.#read += 1;
        return frame;
      }
      await this.until(() => this.#read < this.frames.length);
    }
  }

  /** The changes that are here and not looked at yet, after all that was on its way has come. */
  async rest(): Promise<ChangeFrame[]> {
    await this.ask({ method: 'ping' });
    const left = this.frames.slice(this.#read).filter(({ change }) => change !== undefined);
    this.#read = this.frames.length;
    return left;
  }

  async until(isDone: () => boolean): Promise<void> {
    while (!isDone()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  close(): Promise<number> {
    this.socket.close();
    return this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }
}

/** A server in a process of its own (see process.ts); the lines it says go to `hear`. */
export function serverProcess(path: string, mode: string, hear: (line: string) => void): ChildProcess {
  const script = fileURLToPath(new URL('process.ts', import.meta.url));
  const started = spawn(process.execPath, ['--import', 'tsx', script, path, mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  createInterface({ input: started.stdout }).on('line', hear);
  return started;
}
