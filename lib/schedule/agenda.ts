interface Entry {
  readonly key: string;
  /** In milliseconds since the epoch. */
  readonly time: number;
}

/** What is to be looked at, and when, in the order of time. What is not due costs nothing. */
export class Agenda {
  readonly #entries: Entry[] = [];
  readonly #timeOf = new Map<string, number>();

  get size(): number {
    return this.#entries.length;
  }

  /** When something is due; undefined: nothing will be. */
  get next(): number | undefined {
    return this.#entries[0]?.time;
  }

  /** In place of what was noted for the key before; undefined: not at all. */
  set(key: string, time: Date | undefined): void {
    const before = this.#timeOf.get(key);
    if (before === time?.getTime()) return;
    if (before !== undefined) {
      this.#entries.splice(this.#indexOf({ key, time: before }), 1);
      this.#timeOf.delete(key);
    }
    if (time === undefined) return;
    const entry = { key, time: time.getTime() };
    this.#entries.splice(this.#indexOf(entry), 0, entry);
    this.#timeOf.set(key, entry.time);
  }

  /** Takes out what is due. */
  take(now: Date): string[] {
    const end = this.#entries.findIndex(({ time }) => time > now.getTime());
    const due = this.#entries.splice(0, end === -1 ? this.#entries.length : end).map(({ key }) => key);
    for (const key of due) this.#timeOf.delete(key);
    return due;
  }

  /** Where an entry is, or belongs. */
  #indexOf(entry: Entry): number {
    let from = 0;
    let to = this.#entries.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const other = this.#entries[middle];
      if (other !== undefined && isBefore(other, entry)) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.time < other.time || (one.time === other.time && one.key < other.key);
}
