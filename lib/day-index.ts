import type { Json } from './json.js';
import type { Store } from './oada/store.js';
import type { Paths } from './paths.js';

/** How many lists are remembered to be there: failure types may be many. */
const MOST_ENSURED = 1000;

interface Batch {
  readonly links: Map<string, Json>;
  readonly written: Promise<void>;
}

/** Writes the links of the day-indexes. What comes while a write is on its way goes together in the next. */
export class DayIndex {
  readonly #store: Store;
  readonly #paths: Paths;
  readonly #ensured = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, Batch>();
  readonly #writing = new Map<string, Promise<void>>();

  constructor(store: Store, paths: Paths) {
    this.#store = store;
    this.#paths = paths;
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
    await Promise.allSettled([current, this.#ensure(path)]);
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
    await this.#ensure(path); // fails here where it failed before
    const { location } = await this.#store.put(path, Object.fromEntries(links));
    const inline = inlinePart(location);
    if (inline === undefined) return;
    // Somebody has deleted the list since: what was written has become a part of what is above it.
    this.#ensured.delete(path);
    await this.#store.delete(inline);
    await this.#ensure(path);
    await this.#store.put(path, Object.fromEntries(links));
  }

  /** Makes the list of the day, once. */
  #ensure(path: string): Promise<void> {
    let ensured = this.#ensured.get(path);
    if (ensured === undefined) {
      if (this.#ensured.size >= MOST_ENSURED) this.#ensured.clear();
      ensured = this.#store.ensure(path, this.#paths.tree).catch((error: unknown) => {
        this.#ensured.delete(path);
        throw error;
      });
      this.#ensured.set(path, ensured);
    }
    return ensured;
  }
}

/** Where a write did not end at a resource, but within one: the path of what it made there. */
function inlinePart(location: string | undefined): string | undefined {
  return /^(\/resources\/[^/]+\/[^/]+)/.exec(location ?? '')?.[1];
}
