import { setImmediate } from 'node:timers/promises';

import type { Clock } from '../lib/clock.js';

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  #time = 0;
  #keys = 0;
  readonly #timers = new Set<Timer>();

  now(): Date {
    return new Date(Date.UTC(2024, 0, 1) + this.#time);
  }

  monotonic(): number {
    return this.#time;
  }

  setTimer(callback: () => void, milliseconds: number): () => void {
    const timer = { due: this.#time + milliseconds, callback };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  busy(): () => void {
    return () => undefined;
  }

  random(): number {
    return 0.5;
  }

  key(): string {
    return String(++this.#keys).padStart(27, '0');
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Milliseconds until something is due; undefined: nothing will be. */
  get untilNext(): number | undefined {
    if (this.#timers.size === 0) return undefined;
    return Math.min(...[...this.#timers].map(({ due }) => due)) - this.#time;
  }

  /** Lets what is due happen, one after another, each with all that follows from it at once. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#time + milliseconds;
    for (;;) {
      await setImmediate();
      const [next] = [...this.#timers].toSorted((one, other) => one.due - other.due);
      if (next === undefined || next.due > end) break;
      this.#timers.delete(next);
      this.#time = next.due;
      next.callback();
    }
    this.#time = end;
    await setImmediate();
  }
}
