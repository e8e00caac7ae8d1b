import { EnsuredLists } from './ensured-lists.js';
import type { Json } from './json.js';
import type { Store } from './oada/store.js';
import type { Paths } from './paths.js';

interface Batch {
  readonly links: Map<string, Json>;
  readonly written: Promise<void>;
}

/** Writes the links of the day-indexes. What comes while a write is on its way goes together in the next. */
export class DayIndex {
  readonly #store: Store;
  readonly #lists: EnsuredLists;
  readonly #waiting = new Map<string, Batch>();
  readonly #writing = new Map<string, Promise<void>>();

  constructor(store: Store, paths: Paths) {
    this.#store = store;
    this.#lists = new EnsuredLists(store, paths.tree);
  }

  /**
   * Resolves when the link is stored. To put it again does no harm.
   *
   * @param path of the list of a day
   */
  add(path: string, key: string, link: Json): Promise<void> {
    let batch = this.#waiting.get(path);
    if (batch === undefined) {
      const links = new Map<string, Json>();
      batch = { links, written: this.#writeAfter(path, this.#writing.get(path), links) };
      this.#waiting.set(path, batch);
    }
    batch.links.set(key, link);
    return batch.written;
  }

  async #writeAfter(
    path: string,
    current: Promise<void> | undefined,
    links: Map<string, Json>,
  ): Promise<void> {
    await Promise.allSettled([current, this.#lists.ensure(path)]);
    this.#waiting.delete(path);
    const writing = this.#write(path, links);
    this.#writing.set(path, writing);
    try {
      await writing;
    } finally {
      if (this.#writing.get(path) === writing) this.#writing.delete(path);
    }
  }

  async #write(path: string, links: Map<string, Json>): Promise<void> {
    await this.#lists.ensure(path); // fails here where it failed before
    const { location } = await this.#store.put(path, Object.fromEntries(links));
    const inline = inlinePart(location);
    if (inline === undefined) return;
    // Somebody has deleted the list since: what was written has become a part of what is above it.
    this.#lists.forget(path);
    await this.#store.delete(inline);
    await this.#lists.ensure(path);
    await this.#store.put(path, Object.fromEntries(links));
  }
}

/** Where a write did not end at a resource, but within one: the path of what it made there. */
function inlinePart(location: string | undefined): string | undefined {
  return /^(\/resources\/[^/]+\/[^/]+)/.exec(location ?? '')?.[1];
}
