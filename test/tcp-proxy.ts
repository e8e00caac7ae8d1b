import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

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
  /** Lets things through again. */
  resume(): void;
  /** Lets nothing through the connections of now ever again, and tells nobody; new ones are as good as before. */
  halfOpen(): void;
  /** Lets everything through so much later, in ms. */
  delay(milliseconds: number): void;
  /** Takes no more connections, and ends those that are there. */
  close(): void;
}

/** A way to a server that can be broken. */
export async function openProxy(target: string): Promise<Proxy> {
  const { port: targetPort } = new URL(target);
  const sockets = new Set<Socket>();
  const dead = new WeakSet<Socket>();
  let made = 0;
  let stalled = false;
  let late = 0;
  const server = createServer({ noDelay: true }, (near) => {
    made++;
    const far = connect({ port: Number(targetPort), host: '127.0.0.1', noDelay: true });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      let last = 0; // when what was read before is let through: the order is kept
      socket.on('data', (data) => {
        const pass = (): void => {
          if (!stalled && !dead.has(near)) other.write(data);
        };
        const now = performance.now();
        last = Math.max(last, now + late);
        if (last > now) setTimeout(pass, last - now);
        else pass();
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
    halfOpen: () => {
      for (const socket of sockets) dead.add(socket);
    },
    delay: (milliseconds) => {
      late = milliseconds;
    },
    close: () => {
      cut();
      server.close();
    },
  };
}
