import type { Json } from '../json.js';
import { byKey, linksOf } from '../operator/lists.js';
import type { ListEntry } from '../operator/lists.js';

/** The links of a list that is in view, in the order of their keys. */
export class KeptLinks {
  #entries: ListEntry[] = [];

  get entries(): readonly ListEntry[] {
    return this.#entries;
  }

  /** @returns what was not there before, and whether something that was is gone */
  replace(list: Iterable<readonly [string, Json]>): {
    readonly added: readonly ListEntry[];
    readonly isLess: boolean;
  } {
    const before = this.#entries;
    this.#entries = linksOf(list);
    const added: ListEntry[] = [];
    let at = 0;
    let kept = 0;
    for (const entry of this.#entries) {
      while (keyAt(before, at) < entry.key && at < before.length) at++;
      if (at < before.length && keyAt(before, at) === entry.key) kept++;
      else added.push(entry);
    }
    return { added, isLess: kept < before.length };
  }

  /** @returns the entry, where it was not there before */
  put(key: string, written: Json): ListEntry | undefined {
    const [entry] = linksOf([[key, written]]);
    if (entry === undefined) return undefined;
    const last = this.#entries.at(-1);
    if (last === undefined || last.key < key) {
      this.#entries.push(entry); // as most come
      return entry;
    }
    const at = this.#find(key);
    const isThere = keyAt(this.#entries, at) === key;
    this.#entries.splice(at, isThere ? 1 : 0, entry);
    return isThere ? undefined : entry;
  }

  /** @returns whether it was there */
  remove(key: string): boolean {
    const at = this.#find(key);
    if (at === this.#entries.length || keyAt(this.#entries, at) !== key) return false;
    this.#entries.splice(at, 1);
    return true;
  }

  /** Where the key is, or would be. */
  #find(key: string): number {
    const wanted = { key, id: '' };
    let from = 0;
    let to = this.#entries.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const entry = this.#entries[middle];
      if (entry !== undefined && byKey(entry, wanted) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

function keyAt(entries: readonly ListEntry[], index: number): string {
  return entries[index]?.key ?? '';
}
