import type { Clock } from '../clock.js';

/** Has something done when it is asked for, but not more often than once in a while: what comes meanwhile is done together. */
export class Paced {
  readonly #clock: Clock;
  readonly #interval: number;
  readonly #act: () => void;
  #last = -Infinity;
  #cancel: (() => void) | undefined;

  /** @param interval in milliseconds */
  constructor(clock: Clock, interval: number, act: () => void) {
    this.#clock = clock;
    this.#interval = interval;
    this.#act = act;
  }

  ask(): void {
    if (this.#cancel !== undefined) return;
    const wait = Math.max(0, this.#last + this.#interval - this.#clock.monotonic());
    this.#cancel = this.#clock.setTimer(() => {
      this.#cancel = undefined;
      this.#last = this.#clock.monotonic();
      this.#act();
    }, wait);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
