import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';

import { WebSocket, WebSocketServer } from 'ws';

/** How a request is answered in place of the server. */
export interface WrongAnswer {
  readonly status: number;
  /** Whether the server is asked all the same: it is done, and the answer says that it is not. */
  readonly done: boolean;
}

export interface Request {
  readonly requestId: string;
  readonly method: string;
  readonly isConditional: boolean;
}

export interface AnswerProxy {
  readonly url: string;
  /** From now on this decides. */
  setAnswers(choose: (request: Request) => WrongAnswer | undefined): void;
  close(): void;
}

/** Passes an OADA server's HTTP and WebSockets on, and answers some of the requests wrongly. */
export async function openAnswerProxy(target: string): Promise<AnswerProxy> {
  let choose: (request: Request) => WrongAnswer | undefined = () => undefined;
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    const far = httpRequest(new URL(url ?? '', target), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    far.on('error', () => response.destroy());
    request.pipe(far);
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (near) => {
    connectThrough(near, target, (request) => choose(request));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    setAnswers: (other) => {
      choose = other;
    },
    close: () => {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
      server.closeAllConnections();
    },
  };
}

function connectThrough(
  near: WebSocket,
  target: string,
  choose: (request: Request) => WrongAnswer | undefined,
): void {
  const far = new WebSocket(target.replace('http', 'ws'), { perMessageDeflate: false });
  /** What the server answers to these is told otherwise. */
  const replaced = new Map<string, number>();
  const early: string[] = [];
  near.on('message', (data: Buffer) => {
    const text = data.toString();
    const request = parse(text);
    const wrong = choose(request);
    if (wrong !== undefined && !wrong.done) {
      near.send(answerOf(request.requestId, wrong.status));
      return;
    }
    if (wrong !== undefined) replaced.set(request.requestId, wrong.status);
    if (far.readyState === WebSocket.OPEN) far.send(text);
    else early.push(text);
  });
  far.on('open', () => {
    for (const text of early) far.send(text);
  });
  far.on('message', (data: Buffer) => {
    const text = data.toString();
    if (replaced.size > 0) {
      const { requestId } = parse(text);
      const status = replaced.get(requestId);
      if (status !== undefined) {
        replaced.delete(requestId);
        near.send(answerOf(requestId, status));
        return;
      }
    }
    near.send(text);
  });
  for (const socket of [near, far]) {
    socket.on('error', () => undefined);
    socket.on('close', () => {
      near.terminate();
      far.terminate();
    });
  }
}

function parse(text: string): Request {
  const { requestId, method, headers } = JSON.parse(text) as {
    requestId?: unknown;
    method?: unknown;
    headers?: object;
  };
  const names = Object.keys(headers ?? {}).map((name) => name.toLowerCase());
  return {
    requestId: String(requestId),
    method: String(method),
    isConditional: names.includes('if-match'),
  };
}

function answerOf(requestId: string, status: number): string {
  return JSON.stringify({
    requestId,
    status,
    statusText: 'Chaos',
    headers: {},
    data: { message: 'Chaos reigns' },
  });
}
