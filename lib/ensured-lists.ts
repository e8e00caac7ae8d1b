import type { Store } from './oada/store.js';
import type { Tree } from './paths.js';

/** How many lists are remembered to be there: failure types may be many. */
const MOST_ENSURED = 1000;

/** Makes lists where they are missing, each once. */
export class EnsuredLists {
  readonly #store: Pick<Store, 'ensure'>;
  readonly #tree: Tree;
  readonly #ensured = new Map<string, Promise<void>>();

  constructor(store: Pick<Store, 'ensure'>, tree: Tree) {
    this.#store = store;
    this.#tree = tree;
  }

  /** Resolves when the list is there. One that could not be made is tried again the next time. */
  ensure(path: string): Promise<void> {
    let ensured = this.#ensured.get(path);
    if (ensured === undefined) {
      if (this.#ensured.size >= MOST_ENSURED) this.#ensured.clear();
      ensured = this.#store.ensure(path, this.#tree).catch((error: unknown) => {
        this.#ensured.delete(path);
        throw error;
      });
      this.#ensured.set(path, ensured);
    }
    return ensured;
  }

  /** Somebody has deleted it since. */
  forget(path: string): void {
    this.#ensured.delete(path);
  }
}
