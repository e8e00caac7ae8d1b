import { setMaxListeners } from 'node:events';

import type { Json } from './json.js';
import type { Layout, LayoutName } from './paths.js';

/**
 * Which jobs stand in the pending lists, as far as a queue has heard: whoever waits for one of them to be filed needs no
 * watch of its own.
 */
export class Listing {
  readonly #keys: Readonly<Record<LayoutName, Set<string>>> = { classic: new Set(), nested: new Set() };
  /** Called when a job is not listed any more; by its list and key. */
  readonly #waiting = new Map<string, Set<() => void>>();

  /** The whole list as it stands. */
  listed({ name }: Layout, entries: ReadonlyMap<string, Json>): void {
    for (const key of this.#keys[name]) if (!entries.has(key)) this.#remove(name, key);
    for (const key of entries.keys()) this.#keys[name].add(key);
  }

  changed({ name }: Layout, key: string): void {
    this.#keys[name].add(key);
  }

  removed({ name }: Layout, key: string): void {
    this.#remove(name, key);
  }

  /** Resolves when a job is not listed any more, at once where it is not known to be; or when the signal is aborted. */
  async unlisted(layout: LayoutName, key: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted || !this.#keys[layout].has(key)) return;
    const name = `${layout} ${key}`;
    const waiting = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, waiting);
    setMaxListeners(0, signal); // many may be waited for at once
    await new Promise<void>((resolve) => {
      const done = (): void => {
        waiting.delete(done);
        if (waiting.size === 0) this.#waiting.delete(name);
        signal.removeEventListener('abort', done);
        resolve();
      };
      waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  #remove(layout: LayoutName, key: string): void {
    this.#keys[layout].delete(key);
    for (const done of [...(this.#waiting.get(`${layout} ${key}`) ?? [])]) done();
  }
}
