import type { Clock } from '../clock.js';
import type { StoreAddress } from '../oada/address.js';
import { checkAddress } from '../operator/queues.js';
import type { QueueEntry, QueueHealth } from '../operator/queues.js';
import type { QueueView } from './api.js';

/** How many stores are asked at once. */
const AT_ONCE = 5;
/** How long an answer is told again: whoever may look may have the dashboard ask. */
const KEPT_MS = 15_000;

interface KeptHealth {
  readonly health: Promise<QueueHealth>;
  readonly since: number;
}

/** What the stores of queues answer, asked now and then. */
export class QueueHealths {
  readonly #clock: Clock;
  readonly #check: (clock: Clock, address: StoreAddress) => Promise<QueueHealth>;
  readonly #kept = new Map<string, KeptHealth>();
  /** Those that are being asked, and those who wait until one of them has answered. */
  #asked = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(clock: Clock, check: typeof checkAddress = checkAddress) {
    this.#clock = clock;
    this.#check = check;
  }

  async viewsOf(entries: readonly QueueEntry[]): Promise<QueueView[]> {
    const now = this.#clock.monotonic();
    for (const [key, { since }] of this.#kept) if (now - since >= KEPT_MS) this.#kept.delete(key);
    return await Promise.all(
      entries.map(async ({ summary, address }): Promise<QueueView> => {
        if (address !== undefined) return { ...summary, health: await this.#healthOf(address, now) };
        const { problem = 'it cannot be read' } = summary;
        return { ...summary, health: { ok: false, problem, took: 0 } };
      }),
    );
  }

  #healthOf(address: StoreAddress, now: number): Promise<QueueHealth> {
    const key = JSON.stringify([address.domain, address.token]);
    const { health } = this.#kept.get(key) ?? { health: this.#ask(address) };
    if (!this.#kept.has(key)) this.#kept.set(key, { health, since: now });
    return health;
  }

  async #ask(address: StoreAddress): Promise<QueueHealth> {
    if (this.#asked >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#asked++;
    try {
      return await this.#check(this.#clock, address);
    } finally {
      const next = this.#waiting.shift(); // its turn is handed on
      if (next === undefined) this.#asked--;
      else next();
    }
  }
}
