import type { Clock } from './clock.js';

/** How many places from the front of the line a job is taken at most. */
const WIDEST = 1000;
/** By how much the width grows with a job that another instance was faster with, and shrinks with one that it was not. */
const GROWTH = 2;
const DECAY = 0.98;

/**
 * Where in the line an instance takes its next job: at the front while it is alone. Where others are faster with what it
 * tries to claim, anywhere among the first so many, so that they get into each other's way less.
 */
export class Spread {
  readonly #clock: Pick<Clock, 'random'>;
  #width = 1;

  constructor(clock: Pick<Clock, 'random'>) {
    this.#clock = clock;
  }

  /** Another instance was faster. */
  lost(): void {
    this.#width = Math.min(WIDEST, this.#width * GROWTH);
  }

  won(): void {
    this.#width = Math.max(1, this.#width * DECAY);
  }

  pick<T>(line: ReadonlyMap<unknown, T>): T | undefined {
    let place = Math.floor(this.#clock.random() * Math.min(line.size, Math.floor(this.#width)));
    for (const one of line.values()) if (place-- === 0) return one;
    return undefined;
  }
}
