import type { Clock } from './clock.js';

/** How many places from the front the next is taken at most. */
const WIDEST = 1000;
/** By how much the width grows with a job that another instance was faster with, and shrinks with one that was ours. */
const GROWTH = 2;
const DECAY = 0.98;

/**
 * What waits for its turn: first come, first served, while an instance is alone. Where others are faster with what it tries
 * to claim, the next is any of the first so many, so that instances get into each other's way less.
 */
export class Line<Item extends { readonly id: string }> {
  readonly #clock: Pick<Clock, 'random'>;
  #items = new Map<string, Item>();
  #width = 1;

  constructor(clock: Pick<Clock, 'random'>) {
    this.#clock = clock;
  }

  add(item: Item): void {
    this.#items.set(item.id, item);
  }

  delete(id: string): void {
    this.#items.delete(id);
  }

  /** What is added meanwhile comes before those that wait. */
  inFront(add: () => void): void {
    const waiting = this.#items;
    this.#items = new Map();
    add();
    for (const item of waiting.values()) this.add(item);
  }

  /** Takes the next out. */
  next(): Item | undefined {
    let place = Math.floor(this.#clock.random() * Math.min(this.#items.size, Math.floor(this.#width)));
    for (const item of this.#items.values()) {
      if (place-- > 0) continue;
      this.#items.delete(item.id);
      return item;
    }
    return undefined;
  }

  /** Another instance was faster with one of them. */
  lost(): void {
    this.#width = Math.min(WIDEST, this.#width * GROWTH);
  }

  won(): void {
    this.#width = Math.max(1, this.#width * DECAY);
  }
}
