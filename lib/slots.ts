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

  take(type: string): SlotLease {
    this.reclaim(type);
    return new SlotLease(this, type);
  }

  /** As {@link Slots.take}, for a lease that has lent its slot. */
  reclaim(type: string): void {
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

/** The slot of one run, which it lends to others while it only waits. */
export class SlotLease {
  readonly #slots: Slots;
  readonly #type: string;
  #isHeld = true;
  #isOver = false;
  /** How many waits it is lent for. */
  #waits = 0;

  /** @param type of a job whose slot is taken */
  constructor(slots: Slots, type: string) {
    this.#slots = slots;
    this.#type = type;
  }

  /** Others may have the slot while the work goes on; then it is waited for until there is one again. */
  async lent<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waits++ === 0) this.#release();
    try {
      return await work();
    } finally {
      if (--this.#waits === 0) await this.#reclaim();
    }
  }

  /** The run is over. */
  end(): void {
    this.#isOver = true;
    this.#release();
  }

  #release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#slots.release(this.#type);
  }

  async #reclaim(): Promise<void> {
    while (!this.#isHeld && !this.#isOver && this.#waits === 0) {
      if (this.#slots.mayRun(this.#type)) {
        this.#slots.reclaim(this.#type);
        this.#isHeld = true;
        return;
      }
      await new Promise<void>((resolve) => {
        this.#slots.whenFree(resolve);
      });
    }
  }
}
