/** What a backlog has to know of what it keeps. */
export interface BacklogItem {
  readonly key: string;
  readonly type: string;
  /** Higher goes first. */
  readonly priority: number;
}

/** What can be run, and waits for a slot: by priority, and first come, first served within one. */
export class Backlog<Item extends BacklogItem> {
  readonly #byPriority = new Map<number, Map<string, Item>>();
  readonly #priorityOf = new Map<string, number>();

  get size(): number {
    return this.#priorityOf.size;
  }

  /** @param first before the others of its priority */
  add(item: Item, first = false): void {
    const items = this.#byPriority.get(item.priority) ?? new Map<string, Item>();
    this.#byPriority.set(
      item.priority,
      first ? new Map([[item.key, item], ...items]) : items.set(item.key, item),
    );
    this.#priorityOf.set(item.key, item.priority);
  }

  remove(key: string): Item | undefined {
    const priority = this.#priorityOf.get(key);
    const items = priority === undefined ? undefined : this.#byPriority.get(priority);
    const item = items?.get(key);
    if (priority === undefined || items === undefined) return undefined;
    items.delete(key);
    if (items.size === 0) this.#byPriority.delete(priority);
    this.#priorityOf.delete(key);
    return item;
  }

  /** Takes out the first whose type may run. */
  take(mayRun: (type: string) => boolean): Item | undefined {
    for (const priority of [...this.#byPriority.keys()].toSorted((one, other) => other - one)) {
      const refused = new Set<string>();
      for (const item of this.#byPriority.get(priority)?.values() ?? []) {
        if (refused.has(item.type)) continue;
        if (mayRun(item.type)) return this.remove(item.key);
        refused.add(item.type);
      }
    }
    return undefined;
  }

  clear(): void {
    this.#byPriority.clear();
    this.#priorityOf.clear();
  }
}
