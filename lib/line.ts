import type { Clock } from './clock.js';

/** How many jobs are read ahead of their turn, so that priority counts. */
const AHEAD = 100;
/** The same, where others are faster with what was read: the longer ago, the more of it is theirs by now. */
const AHEAD_AMONG_OTHERS = 10;
/** How many places from the front the next is taken at most. */
const WIDEST = 1000;
/** By how much the width grows with a job that another instance was faster with, and shrinks with one that was ours. */
const GROWTH = 2;
const DECAY = 0.98;
/** How much of what waits no more may stay in the array, over and above as many as wait. */
const MOST_STALE = 1000;

/**
 * What waits for its turn: first come, first served, while an instance is alone. Where others are faster with what it tries
 * to claim, the next is any of the first so many, so that instances get into each other's way less.
 */
export class Line<Item extends { readonly id: string }> {
  readonly #clock: Pick<Clock, 'random'>;
  /** What waits. */
  readonly #items = new Map<string, Item>();
  /** The same, those first that come before all others; among them is what has been deleted since. */
  readonly #urgent: Item[] = [];
  #order: Item[] = [];
  /** Where the front is: an array is not moved with each that is taken. */
  #front = 0;
  #width = 1;

  constructor(clock: Pick<Clock, 'random'>) {
    this.#clock = clock;
  }

  /** How many it is worth to take before they can be begun. */
  get ahead(): number {
    return this.#width < 2 ? AHEAD : AHEAD_AMONG_OTHERS;
  }

  /** At the end. What waits already under its id goes. */
  add(item: Item): void {
    this.#items.set(item.id, item);
    this.#order.push(item);
  }

  /** Before those that were added at the end. */
  addUrgent(item: Item): void {
    this.#items.set(item.id, item);
    this.#urgent.push(item);
  }

  delete(id: string): void {
    this.#items.delete(id);
    this.#sweep(); // others may work off all that we find, for hours
  }

  /** Takes the next out. */
  next(): Item | undefined {
    for (;;) {
      const item = this.#urgent.shift() ?? this.#draw();
      if (item === undefined || this.#items.get(item.id) === item) {
        if (item !== undefined) this.#items.delete(item.id);
        return item;
      }
    }
  }

  /** The one at the front takes the place of that which is drawn. */
  #draw(): Item | undefined {
    const width = Math.min(Math.floor(this.#width), this.#order.length - this.#front);
    const place = this.#front + Math.floor(this.#clock.random() * width);
    const item = this.#order[place];
    const first = this.#order[this.#front];
    if (first === undefined) return undefined;
    this.#order[place] = first;
    this.#front++;
    this.#sweep();
    return item;
  }

  #sweep(): void {
    if (this.#order.length <= 2 * this.#items.size + MOST_STALE) return;
    this.#order = this.#order.slice(this.#front).filter((item) => this.#items.get(item.id) === item);
    this.#front = 0;
  }

  /** Another instance was faster with one of them. */
  lost(): void {
    this.#width = Math.min(WIDEST, this.#width * GROWTH);
  }

  won(): void {
    this.#width = Math.max(1, this.#width * DECAY);
  }
}
