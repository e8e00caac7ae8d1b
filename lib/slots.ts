import type { Worker } from './worker.js';

/** How many jobs may be on their way into the day-index before no more are begun. */
const MOST_FILING = 50;

/** The slots of a service, with the limits that its workers have of their own. */
export function slotsFor(count: number, workers: ReadonlyMap<string, Worker>): Slots {
  const limitOf = (type: string): number => {
    const worker = workers.get(type);
    return worker?.batches?.room ?? worker?.concurrency ?? Infinity;
  };
  const apart: Apart = {
    has: (type) => workers.get(type)?.batches !== undefined,
    *[Symbol.iterator]() {
      for (const [type, { batches }] of workers) if (batches !== undefined) yield type;
    },
  };
  return new Slots(count, limitOf, apart);
}

/** The types that do not count among all: a set that may change. */
type Apart = Pick<ReadonlySet<string>, 'has'> & Iterable<string>;

/**
 * How many jobs may run at once: of all queues of a service together, and of each type. The jobs of some types stand
 * apart: only the limit of the type holds for them. Queues take turns. A job that is being filed has no slot any more.
 */
export class Slots {
  #free: number;
  readonly #limitOf: (type: string) => number;
  readonly #apart: Apart;
  readonly #running = new Map<string, number>();
  /** How many of each type were taken apart. */
  readonly #runningApart = new Map<string, number>();
  readonly #waiting = new Set<() => void>();
  #filing = 0;

  /**
   * @param limitOf how many of a type may run at once; it may change at any time, see {@link Slots.wake}
   */
  constructor(count: number, limitOf: (type: string) => number, apart: Apart = new Set<string>()) {
    this.#free = count;
    this.#limitOf = limitOf;
    this.#apart = apart;
  }

  /** May no job run, of whatever type? */
  get areTaken(): boolean {
    if (this.#isBehind) return true;
    if (this.#free > 0) return false;
    for (const type of this.#apart) if (!this.#hasAll(type)) return false;
    return true;
  }

  mayRun(type: string): boolean {
    return !this.#isBehind && (this.#free > 0 || this.#apart.has(type)) && !this.#hasAll(type);
  }

  /** Can others run, but none of this type? */
  isFull(type: string): boolean {
    return this.#hasAll(type) || (this.#free === 0 && !this.#apart.has(type) && !this.areTaken);
  }

  take(type: string): SlotLease {
    this.reclaim(type);
    return new SlotLease(this, type);
  }

  /** As {@link Slots.take}, for a lease that has lent its slot. */
  reclaim(type: string): void {
    if (this.#apart.has(type)) add(this.#runningApart, type, 1);
    else this.#free--;
    add(this.#running, type, 1);
  }

  release(type: string): void {
    // As it was taken: the type may have got another worker since.
    if (this.#runningApart.has(type)) add(this.#runningApart, type, -1);
    else this.#free++;
    add(this.#running, type, -1);
    this.wake();
  }

  /** One more job is being filed. */
  beginFiling(): void {
    this.#filing++;
  }

  endFiling(): void {
    this.#filing--;
    this.wake();
  }

  /** To be called when a type has got more room without a slot having been released. */
  wake(): void {
    // Who is called may have nothing left to do, or its slot free again: the next in line is called then.
    let turns = this.#waiting.size; // one each: who waits again has had its turn
    for (const callback of this.#waiting) {
      if (turns-- === 0 || this.areTaken) return;
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

  /** Are so many being filed that they have to be waited for? */
  get #isBehind(): boolean {
    return this.#filing >= MOST_FILING;
  }

  /** Do as many of the type run as may? */
  #hasAll(type: string): boolean {
    return (this.#running.get(type) ?? 0) >= this.#limitOf(type);
  }
}

function add(counts: Map<string, number>, type: string, count: number): void {
  const sum = (counts.get(type) ?? 0) + count;
  if (sum === 0) counts.delete(type);
  else counts.set(type, sum);
}

/** The slot of one run, which it lends to others while it only waits. */
export class SlotLease {
  readonly #slots: Slots;
  readonly #type: string;
  #isHeld = true;
  #isOver = false;
  #isFiling = false;
  /** How many waits it is lent for. */
  #waits = 0;

  /** @param type of a job whose slot is taken */
  constructor(slots: Slots, type: string) {
    this.#slots = slots;
    this.#type = type;
  }

  /**
   * Others may have the slot while the work goes on; then it is waited for until there is one again.
   *
   * @param signal ends that wait: a run that is to end is not kept from it, and has little left to do
   */
  async lent<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#waits++ === 0) this.#release();
    try {
      return await work();
    } finally {
      if (--this.#waits === 0) await this.#reclaim(signal);
    }
  }

  get isFiling(): boolean {
    return this.#isFiling;
  }

  /** The job has come to its end, and only has to be filed: others may run meanwhile. */
  toFiling(): void {
    this.#isFiling = true;
    this.#isOver = true;
    this.#slots.beginFiling();
    this.#release();
  }

  /** The run is over. */
  end(): void {
    this.#isOver = true;
    this.#release();
    if (this.#isFiling) this.#slots.endFiling();
  }

  #release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#slots.release(this.#type);
  }

  /** Takes the slot in the very call that offers it: whoever is asked next would have it a moment later. */
  #reclaim(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#slots.forget(attempt);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const attempt = (): void => {
        const isWanted = !this.#isHeld && !this.#isOver && this.#waits === 0 && !signal.aborted;
        if (isWanted && !this.#slots.mayRun(this.#type)) {
          this.#slots.whenFree(attempt);
          return;
        }
        if (isWanted) {
          this.#slots.reclaim(this.#type);
          this.#isHeld = true;
        }
        done();
      };
      signal.addEventListener('abort', done, { once: true });
      attempt();
    });
  }
}
