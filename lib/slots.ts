/** How many jobs may run at once, shared by all queues of a service. Queues that want more take turns. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** @returns false where none is free */
  take(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  release(): void {
    this.#free++;
    // Who is called may have nothing left to do, or its slot free again: the next in line is called then.
    for (const callback of this.#waiting) {
      if (this.#free === 0) return;
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
