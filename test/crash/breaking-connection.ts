import { OADAClient } from '@oada/client';
import type { ConnectionRequest } from '@oada/client';

import { systemClock } from '../../lib/clock.js';
import { SocketConnection } from '../../lib/oada/connection.js';

type Answer = ReturnType<SocketConnection['request']>;

/**
 * Where a service is cut off from its store. `answer`: its last request is done, but the service does not hear of it.
 * `request`: it is not done.
 */
export type Lost = 'answer' | 'request';

/** Counts what is asked of a store, and does as it is told with each request. */
export class CountingConnection extends SocketConnection {
  #count = 0;
  readonly #around: (count: number, send: () => Answer) => Answer;

  constructor(domain: string, around: (count: number, send: () => Answer) => Answer) {
    super(new URL(domain), { clock: systemClock, timeout: 10_000 });
    this.#around = around;
  }

  get count(): number {
    return this.#count;
  }

  override request(request: ConnectionRequest, options?: { timeout?: number }): Answer {
    // To let go of a watch asks for nothing; nobody waits for it.
    if (request.method === 'unwatch') return super.request(request, options);
    return this.#around(++this.#count, () => super.request(request, options));
  }
}

/** A client of a service that is cut off from its store at some request. */
export class BreakingClient {
  readonly client: OADAClient;
  /** Resolves when the service is cut off. */
  readonly broken: Promise<void>;
  readonly #connection: CountingConnection;
  #last: { readonly count: number; readonly lost: Lost } | undefined;

  constructor(domain: string, token: string) {
    let tell: () => void;
    this.broken = new Promise((resolve) => {
      tell = resolve;
    });
    this.#connection = new CountingConnection(domain, async (count, send) => {
      const last = this.#last;
      if (last === undefined || count < last.count) return await send();
      if (count === last.count && last.lost === 'answer') await send().catch(() => undefined);
      tell();
      // Nothing that is tried again: what is cut off is not to wait for better times.
      throw Object.assign(new Error('cut off'), { code: '400' });
    });
    this.client = new OADAClient({ domain, token, connection: this.#connection });
  }

  /** How much was asked so far. */
  get count(): number {
    return this.#connection.count;
  }

  /** @param requests from now on, that are still made; the last of them with a loss */
  breakAfter(requests: number, lost: Lost): void {
    this.#last = { count: this.count + requests, lost };
  }

  async disconnect(): Promise<void> {
    await this.#connection.disconnect();
  }
}
