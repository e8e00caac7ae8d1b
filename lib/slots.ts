/** How many jobs may run at once: of all queues of a service together, and of each type. Queues take turns. */
export class Slots {
  #free: number;
  readonly #limitOf: (type: string) => number;
  readonly #running = new Map<string, number>();
  readonly #waiting = new Set<() => void>();

  /** @param limitOf how many of a type may run at once */
  constructor(count: number, limitOf: (type: string) => number) {
    this.#free = count;
    this.#limitOf = limitOf;
  }

  get areTaken(): boolean {
    return this.#free === 0;
  }

  mayRun(type: string): boolean {
    return this.#free > 0 && !this.isFull(type);
  }

  /** Do as many of the type run as may? */
  isFull(type: string): boolean {
    return (this.#running.get(type) ?? 0) >= this.#limitOf(type);
  }

  take(type: string): void {
    this.#free--;
    this.#running.set(type, (this.#running.get(type) ?? 0) + 1);
  }

  release(type: string): void {
    this.#free++;
    const left = (this.#running.get(type) ?? 1) - 1;
    if (left === 0) this.#running.delete(type);
    else this.#running.set(type, left);
    // Who is called may have nothing left to do, or its slot free again: the next in line is called then.
    let turns = this.#waiting.size; // one each: who waits again has had its turn
    for (const callback of this.#waiting) {
      if (this.#free === 0 || turns-- === 0) return;
      this.#waiting.delete(callback);
      callback();
    }
  }

  /** Calls back, once, when a slot is free. */
  whenFree(callback: () => void): void {
    this.#waiting.add(callback);
  }

  forget(callback: () => void): void {
    this.#waiting.delete(callback);
  }
}
