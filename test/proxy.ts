import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

import { onTestFinished } from 'vitest';

export interface Proxy {
  readonly url: string;
  /** How many connections go through it now. */
  open(): number;
  /** How many have ever been made. */
  made(): number;
  /** Ends all connections at once, whatever is on its way. */
  cut(): void;
  /** Lets nothing through any more, in either direction, and tells nobody; what is on its way is lost. */
  stall(): void;
  /** Lets new connections through again. */
  resume(): void;
}

/** A way to a server that can be broken. */
export async function startProxy(target: string): Promise<Proxy> {
  const { port: targetPort } = new URL(target);
  const sockets = new Set<Socket>();
  let made = 0;
  let stalled = false;
  const server = createServer((near) => {
    made++;
    const far = connect(Number(targetPort), '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.on('data', (data) => {
        if (!stalled) other.write(data);
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(near);
        other.destroy();
      });
    }
    sockets.add(near);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(() => {
    cut();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    open: () => sockets.size,
    made: () => made,
    cut,
    stall: () => {
      stalled = true;
    },
    resume: () => {
      stalled = false;
    },
  };
}
