import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { onTestFinished } from 'vitest';

export interface SlowServer {
  readonly url: string;
  /** How many requests have come. */
  readonly asked: () => number;
  /** How many sockets were opened. */
  readonly made: () => number;
  /** Answers all that have come. */
  readonly answer: () => void;
}

/** A store that answers each DELETE when the test says so. */
export async function startSlowServer(): Promise<SlowServer> {
  const waiting: ServerResponse[] = [];
  let [asked, made] = [0, 0];
  const server = createServer((_request, response) => {
    asked++;
    waiting.push(response);
  });
  server.on('connection', () => made++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const answer = (): void => {
    for (const response of waiting.splice(0)) response.writeHead(204).end();
  };
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${String(port)}`, asked: () => asked, made: () => made, answer };
}
