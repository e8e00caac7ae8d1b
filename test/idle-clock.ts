import { setImmediate } from 'node:timers/promises';

import { FakeClock } from './fake-clock.js';

/** How many turns of the event loop nothing goes on for before it is taken that nothing will. */
const QUIET_TURNS = 5;

/** What runs in it stands still while a store answers: time goes on when all is quiet. */
export class IdleClock extends FakeClock {
  readonly #isIdle: () => boolean;

  constructor(isIdle: () => boolean) {
    super();
    this.#isIdle = isIdle;
  }

  /** Resolves when nothing goes on any more. */
  async idle(): Promise<void> {
    for (let still = 0; still < QUIET_TURNS; still++) {
      await setImmediate();
      if (!this.#isIdle()) still = -1;
    }
  }

  override async advance(milliseconds: number): Promise<void> {
    for (let left = milliseconds; left > 0;) {
      await this.idle();
      const step = Math.min(left, this.untilNext ?? left);
      await super.advance(step);
      left -= step;
    }
    await this.idle();
  }
}
