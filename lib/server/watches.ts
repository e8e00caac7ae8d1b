import type { JsonObject } from './json.js';
import type { ChangeRecord } from './storage.js';

/** One element of a change document, as it stands at `_meta/_changes/<rev>`. */
export interface Change {
  readonly resource_id: string;
  readonly path: string;
  readonly body: JsonObject | null;
  readonly type: 'merge' | 'delete';
}

export interface Watcher {
  /** Only changes of this user's resources are told. */
  readonly user: string;
  notify(resource: string, rev: number, change: readonly Change[]): void;
}

/** Who wants to hear of which resource. A watch outlives the resource: made anew, it is watched again. */
export class Watches {
  readonly #watchers = new Map<string, Set<Watcher>>();

  /** How many resources are watched. */
  get size(): number {
    return this.#watchers.size;
  }

  /** @returns the function that ends the watch */
  add(resource: string, watcher: Watcher): () => void {
    let watchers = this.#watchers.get(resource);
    if (watchers === undefined) this.#watchers.set(resource, (watchers = new Set()));
    watchers.add(watcher);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#watchers.get(resource) === watchers) this.#watchers.delete(resource);
    };
  }

  /** @param change is only made when somebody listens */
  notify(resource: string, owner: string, rev: number, change: () => readonly Change[]): void {
    const watchers = [...(this.#watchers.get(resource) ?? [])].filter(({ user }) => user === owner);
    if (watchers.length === 0) return;
    const made = change();
    for (const watcher of watchers) watcher.notify(resource, rev, made);
  }
}

/** The change document of one revision: its own element, then those of the linked resources, level by level. */
export function* changeDocument(
  id: string,
  rev: number,
): Generator<[string, number], Change[], ChangeRecord | undefined> {
  const document: Change[] = [];
  let level = [{ id, rev, path: '' }];
  while (level.length > 0) {
    const next: typeof level = [];
    for (const at of level) {
      const record = yield [at.id, at.rev];
      if (record === undefined) continue;
      document.push({ resource_id: at.id, path: at.path, body: record.body, type: record.type });
      for (const nested of record.nested) next.push({ ...nested, path: at.path + nested.path });
    }
    level = next.sort((one, other) => one.rev - other.rev);
  }
  return document;
}

/**
 * The changes of one resource from a revision on, each once and in order: first those that were missed, then those
 * that came while the missed ones were read.
 */
export class Feed {
  readonly #stop: () => void;
  readonly #missed: () => AsyncGenerator<[number, Change[]]>;
  readonly #held: [number, readonly Change[]][] = [];
  #told: number;

  constructor(
    watches: Watches,
    resource: string,
    user: string,
    since: number,
    missed: () => AsyncGenerator<[number, Change[]]>,
  ) {
    this.#told = since;
    this.#missed = missed;
    this.#stop = watches.add(resource, {
      user,
      notify: (_resource, rev, change) => this.#held.push([rev, change]),
    });
  }

  async *missed(): AsyncGenerator<readonly Change[]> {
    let all = false;
    try {
      for await (const [rev, change] of this.#missed()) {
        this.#told = rev;
        if (change.length > 0) yield change;
      }
      all = true;
    } finally {
      if (!all) this.#stop(); // whoever asked has gone, or the disk cannot be read
    }
  }

  /** Stops to listen; returns what came meanwhile. A deletion has revision 0. */
  end(): (readonly Change[])[] {
    this.#stop();
    return this.#held.filter(([rev]) => rev === 0 || rev > this.#told).map(([, change]) => change);
  }
}

/** The revision that a client has already, from the header `x-oada-rev` of its watch; what is no number is ignored. */
export function resumedRevision(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}
