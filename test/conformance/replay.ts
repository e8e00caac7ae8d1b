import { request as httpRequest } from 'node:http';

import { WebSocket } from 'ws';

import { difference, filled } from './matching.js';
import type { Json, Names } from './matching.js';

/** One recorded conversation with the reference server. */
export interface Vector {
  readonly name: string;
  /** `must`: what clients rely on. `quirk`: faults, races and statistics of the reference server. */
  readonly kind: 'must' | 'quirk';
  readonly note: string;
  readonly steps: readonly Step[];
}

interface Step {
  readonly request?: string | Call;
  readonly response?: Reply & { readonly statuses?: readonly number[] };
  readonly socket?: string;
  readonly send?: Json;
  readonly receive?: readonly Frame[];
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: Json;
  readonly concurrently?: number;
  readonly bodySize?: string;
}

interface Reply {
  readonly status: number;
  readonly headers?: Record<string, string | null>;
  readonly body?: Json;
}

interface Frame {
  readonly requestId?: Json;
  readonly resourceId?: string;
  readonly change?: Json;
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly data?: Json;
}

/** Headers that are compared, besides the content type. */
const HEADERS = ['content-location', 'x-oada-rev', 'x-oada-path-leftover', 'etag'];

/** How long a frame may take to come. */
const FRAME_LIMIT_MS = 1000;

/** Replays a vector; says where the server differs from the recording, undefined where it does not. */
export async function replay({ steps }: Vector, url: string): Promise<string | undefined> {
  const names: Names = new Map();
  const sockets = new Map<string, Socket>();
  try {
    for (const { socket } of steps) {
      if (socket !== undefined && !sockets.has(socket)) sockets.set(socket, await Socket.open(url));
    }
    for (const [index, step] of steps.entries()) {
      const socket = sockets.get(step.socket ?? '');
      const found =
        socket === undefined
          ? await replayRequest(step, url, names)
          : await replayMessage(step, socket, names);
      if (found !== undefined) return `step ${String(index)}: ${found}`;
    }
    return undefined;
  } finally {
    for (const socket of sockets.values()) socket.close();
  }
}

async function replayRequest(
  { request, response }: Step,
  url: string,
  names: Names,
): Promise<string | undefined> {
  if (typeof request !== 'object' || response === undefined) return undefined; // an observation, in words
  if (request.concurrently !== undefined) return replayConcurrently(request, response.statuses, url, names);
  const actual = await call(url, filled(request as unknown as Json, names) as unknown as Call);
  const found = replyDifference(response, actual, names, request.method);
  return found === undefined ? undefined : `${request.method} ${request.path}: ${found}`;
}

async function replayConcurrently(
  { concurrently = 0, ...request }: Call,
  statuses: readonly number[] | undefined,
  url: string,
  names: Names,
): Promise<string | undefined> {
  const headers = { authorization: 'Bearer god', 'content-type': 'application/json', ...request.headers };
  const calls = Array.from({ length: concurrently }, (_, index) =>
    call(url, { body: 1, ...request, headers, path: request.path.replace('<i>', String(index)) }),
  );
  const actual = (await Promise.all(calls)).map(({ status }) => status).sort();
  return statuses === undefined ? undefined : difference([...statuses].sort(), actual, names, 'statuses');
}

async function replayMessage(
  { send, receive = [] }: Step,
  socket: Socket,
  names: Names,
): Promise<string | undefined> {
  if (send !== undefined) {
    await socket.settled();
    socket.frames.length = 0;
    socket.send(typeof send === 'string' ? send : JSON.stringify(filled(send, names)));
  }
  await socket.received(receive.length);
  await socket.settled();
  return framesDifference(receive, socket.frames.splice(0), names);
}

/** Frames come in any order: each expected one has to be matched by one that came, and none may be left over. */
function framesDifference(
  expected: readonly Frame[],
  actual: readonly Frame[],
  names: Names,
): string | undefined {
  const left = [...actual];
  for (const frame of expected) {
    let why = 'it did not come';
    const match = left.findIndex((candidate) => {
      const tried: Names = new Map(names);
      const found = frameDifference(frame, candidate, tried);
      if (found === undefined) for (const [name, value] of tried) names.set(name, value);
      else why = found;
      return found === undefined;
    });
    if (match < 0) return `frame ${JSON.stringify(frame).slice(0, 200)}: ${why}`;
    left.splice(match, 1);
  }
  return left.length === 0 ? undefined : `unexpected frame ${JSON.stringify(left[0]).slice(0, 300)}`;
}

function frameDifference(expected: Frame, actual: Frame, names: Names): string | undefined {
  const found = difference(expected.requestId ?? null, actual.requestId, names, 'requestId');
  if (found !== undefined) return found;
  if (expected.change !== undefined) {
    return (
      difference(expected.resourceId ?? null, actual.resourceId, names, 'resourceId') ??
      difference(expected.change, actual.change, names, 'change')
    );
  }
  if (actual.change !== undefined) return 'expected an answer, got a change';
  return replyDifference(asReply(expected), asReply(actual), names);
}

function asReply({ status = 0, headers = {}, data }: Frame): Reply {
  return data === undefined ? { status, headers } : { status, headers, body: data };
}

/** Of an error only the status is compared: wordings are no contract. */
function replyDifference(expected: Reply, actual: Reply, names: Names, method = ''): string | undefined {
  if (expected.status !== actual.status) {
    return `expected status ${String(expected.status)}, got ${String(actual.status)}`;
  }
  if (expected.status >= 400) return undefined;
  for (const name of HEADERS) {
    const value = expected.headers?.[name];
    if (typeof value !== 'string' || value === '' || value.includes('null')) continue;
    const found = difference(value, actual.headers?.[name] ?? undefined, names, name);
    if (found !== undefined) return found;
  }
  const type = mediaType(expected.headers?.['content-type']);
  if (method === 'GET' && type !== undefined && type !== mediaType(actual.headers?.['content-type'])) {
    return `expected ${type}, got ${String(actual.headers?.['content-type'])}`;
  }
  const { body } = expected;
  return body === undefined || body === null ? undefined : difference(body, actual.body, names, 'body');
}

function mediaType(header: string | null | undefined): string | undefined {
  return header?.split(';')[0];
}

/** Plain `node:http`: it sends what it is told to, be it wrong. */
function call(url: string, { method, path, headers, body }: Call): Promise<Reply> {
  const { hostname, port } = new URL(url);
  const payload = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(payload) };
  return new Promise((resolve, reject) => {
    const options = { hostname, port, method, path, headers: { ...headers, ...length }, agent: false };
    const sent = httpRequest(options, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        const answered = {
          status: response.statusCode ?? 0,
          headers: response.headers as Record<string, string>,
        };
        resolve(text === '' ? answered : { ...answered, body: parsed(text) });
      });
    });
    sent.on('error', reject);
    sent.end(payload);
  });
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return text; // no JSON: bytes, or an error page
  }
}

class Socket {
  /** What came since it was last looked at. */
  readonly frames: Frame[] = [];
  readonly #socket: WebSocket;
  readonly #waiting = new Set<() => void>();
  #pings = 0;
  #pongs = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      const frame: Frame = JSON.parse(data.toString());
      if (typeof frame.requestId === 'string' && frame.requestId.startsWith('settled-')) this.#pongs += 1;
      else this.frames.push(frame);
      for (const wake of this.#waiting) wake();
    });
  }

  static open(url: string): Promise<Socket> {
    const socket = new WebSocket(url.replace('http', 'ws'));
    return new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('open', () => resolve(new Socket(socket)));
    });
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** Resolves when this many frames came, or when there was time enough for them. */
  received(count: number): Promise<void> {
    return this.#until(() => this.frames.length >= count);
  }

  /** Resolves when all frames that were on their way are here: those before the answer to a ping. */
  settled(): Promise<void> {
    this.#pings += 1;
    const pings = this.#pings;
    const requestId = `settled-${String(pings)}`;
    this.send(JSON.stringify({ requestId, method: 'ping', path: '/', headers: { authorization: '' } }));
    return this.#until(() => this.#pongs >= pings);
  }

  #until(isDone: () => boolean): Promise<void> {
    if (isDone()) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(limit);
        this.#waiting.delete(look);
        resolve();
      };
      const look = (): void => {
        if (isDone()) end();
      };
      const limit = setTimeout(end, FRAME_LIMIT_MS);
      this.#waiting.add(look);
    });
  }

  close(): void {
    this.#socket.terminate();
  }
}
