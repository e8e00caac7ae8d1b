/** How many jobs are known ahead of their turn at most, with those of types that are full. */
const MOST_AHEAD = 2000;

/** What a backlog has to know of what it keeps. */
export interface BacklogItem {
  /** Tells it from all others. */
  readonly id: string;
  readonly type: string;
  /** Higher goes first. */
  readonly priority: number;
}

/** What can be run, and waits for a slot: by priority, and first come, first served within one. */
export class Backlog<Item extends BacklogItem> {
  readonly #byPriority = new Map<number, Map<string, Item>>();
  readonly #priorityOf = new Map<string, number>();
  readonly #countOf = new Map<string, number>();

  get size(): number {
    return this.#priorityOf.size;
  }

  /** @param first before the others of its priority */
  add(item: Item, first = false): void {
    const items = this.#byPriority.get(item.priority) ?? new Map<string, Item>();
    this.#byPriority.set(
      item.priority,
      first ? new Map([[item.id, item], ...items]) : items.set(item.id, item),
    );
    this.#priorityOf.set(item.id, item.priority);
    this.#countOf.set(item.type, (this.#countOf.get(item.type) ?? 0) + 1);
  }

  /**
   * Are enough known for the priority of each to count? Those of a type that is full wait for their own kind, and must
   * not keep others from being found.
   *
   * @param ahead as many as are enough
   */
  hasEnough(ahead: number, isFull: (type: string) => boolean): boolean {
    if (this.size < ahead) return false;
    if (this.size >= MOST_AHEAD) return true;
    let count = 0;
    for (const [type, ofType] of this.#countOf) if (!isFull(type)) count += ofType;
    return count >= ahead;
  }

  remove(id: string): Item | undefined {
    const priority = this.#priorityOf.get(id);
    const items = priority === undefined ? undefined : this.#byPriority.get(priority);
    const item = items?.get(id);
    if (priority === undefined || items === undefined || item === undefined) return undefined;
    const left = (this.#countOf.get(item.type) ?? 1) - 1;
    if (left === 0) this.#countOf.delete(item.type);
    else this.#countOf.set(item.type, left);
    items.delete(id);
    if (items.size === 0) this.#byPriority.delete(priority);
    this.#priorityOf.delete(id);
    return item;
  }

  /** Takes out the first whose type may run. */
  take(mayRun: (type: string) => boolean): Item | undefined {
    for (const priority of [...this.#byPriority.keys()].toSorted((one, other) => other - one)) {
      const refused = new Set<string>();
      for (const item of this.#byPriority.get(priority)?.values() ?? []) {
        if (refused.has(item.type)) continue;
        if (mayRun(item.type)) return this.remove(item.id);
        refused.add(item.type);
      }
    }
    return undefined;
  }
}
