import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { OADAClient } from '@oada/client';
import type { OADAServer } from '@oada/jobs/server';
import { onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { RawData } from 'ws';

/** What the embedded server says of itself, and the reference server does not. */
const OURS = 'x-oada-delete-keeps-watches';

interface Frame {
  readonly method?: string;
  readonly path?: string;
  readonly resourceId?: string;
  readonly headers?: Record<string, string>;
}

/** A way to a server on which it behaves as the reference server does. */
export interface Reference {
  readonly url: string;
  /** The resources whose watches have ended, since a link to them was deleted over a socket. */
  readonly silenced: ReadonlySet<string>;
}

/** There, a DELETE of a link that is sent over a socket ends every watch on what it leads to, whosever it is. */
export async function asReference(server: OADAServer): Promise<Reference> {
  const silenced = new Set<string>();
  const oada = server.client();
  const http = createServer((incoming, outgoing) => {
    const { method, headers, url } = incoming;
    const forwarded = request(server.url + (url ?? ''), { method, headers }, (answer) => {
      const { [OURS]: _ours, ...rest } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 500, rest);
      answer.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  const sockets = new WebSocketServer({ server: http });
  sockets.on('connection', (client) => {
    join(client, new WebSocket(server.url.replace(/^http/, 'ws')), { silenced, oada });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const client of sockets.clients) client.terminate();
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });
  return { url: `http://127.0.0.1:${String((http.address() as AddressInfo).port)}`, silenced };
}

interface Joined {
  readonly silenced: Set<string>;
  readonly oada: OADAClient;
}

function join(client: WebSocket, upstream: WebSocket, { silenced, oada }: Joined): void {
  const open = new Promise((resolve) => upstream.once('open', resolve));
  let before: Promise<unknown> = open;
  client.on('message', (data) => {
    const frame = parse(data);
    // One after another, so that the link is still there to be looked at.
    before = before.then(async () => {
      const target = frame.method === 'delete' ? await linked(oada, frame.path ?? '') : undefined;
      if (target !== undefined) silenced.add(target);
      upstream.send(textOf(data));
    });
  });
  upstream.on('message', (data) => {
    const frame = parse(data);
    if (frame.resourceId !== undefined && silenced.has(frame.resourceId)) return;
    const { [OURS]: _ours, ...headers } = frame.headers ?? {};
    client.send(frame.headers === undefined ? textOf(data) : JSON.stringify({ ...frame, headers }));
  });
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.on('close', () => {
      other.terminate();
    });
    one.on('error', () => {
      other.terminate();
    });
  }
}

function textOf(data: RawData): string {
  return (data as Buffer).toString();
}

function parse(data: RawData): Frame {
  return JSON.parse(textOf(data)) as Frame;
}

/** The resource that a link leads to; undefined where there is none. */
async function linked(oada: OADAClient, path: string): Promise<string | undefined> {
  const location = await oada.head({ path }).then(
    ({ headers }) => headers['content-location'],
    () => undefined,
  );
  return /^\/(resources\/[^/]+)$/.exec(location ?? '')?.[1];
}
