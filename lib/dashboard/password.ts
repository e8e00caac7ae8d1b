import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

import type { Clock } from '../clock.js';
import { Refusal } from './problem.js';

const WINDOW_MS = 60_000;
/** Wrong passwords within that, from one address and from all together. */
const MOST_TRIES = 5;
const MOST_TRIES_OF_ALL = 50;
/** How many are looked at at once: each takes some memory, and a while. */
const AT_ONCE = 4;

/** What people sign in with. Kept as its hash; wrong tries are counted, and then refused for a while. */
export class Password {
  readonly #clock: Clock;
  readonly #salt = randomBytes(16);
  readonly #hash: Promise<Buffer>;
  /** When, and from where, wrong ones came within the last minute. */
  #wrong: { readonly time: number; readonly address: string }[] = [];
  #looking = 0;

  constructor(password: string, clock: Clock) {
    this.#clock = clock;
    this.#hash = hashOf(password, this.#salt);
  }

  /**
   * @param address of who tries
   * @throws {Refusal} it is wrong, or there were too many tries
   */
  async check(given: string, address: string): Promise<void> {
    const now = this.#clock.monotonic();
    this.#wrong = this.#wrong.filter(({ time }) => now - time < WINDOW_MS);
    const tries = this.#wrong.filter((wrong) => wrong.address === address).length;
    const isTooMany = tries >= MOST_TRIES || this.#wrong.length >= MOST_TRIES_OF_ALL;
    if (isTooMany || this.#looking >= AT_ONCE)
      throw new Refusal('OADA_JOBS_DASHBOARD_TRIES', 'Too many passwords were tried: wait a minute.');
    const wrong = { time: now, address };
    this.#wrong.push(wrong); // until it is known to be right: tries at the same time count as well
    this.#looking++;
    try {
      const isRight = timingSafeEqual(await hashOf(given, this.#salt), await this.#hash);
      if (!isRight) throw new Refusal('OADA_JOBS_DASHBOARD_PASSWORD', 'The password is wrong.');
      this.#wrong = this.#wrong.filter((one) => one !== wrong);
    } finally {
      this.#looking--;
    }
  }
}

function hashOf(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, 32, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}
