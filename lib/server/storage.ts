import type { Leaf } from './document.js';
import type { Json, JsonObject } from './json.js';
import type { Edge, Resource } from './resource.js';

/** What one revision of a resource changed. Changes of linked resources are named, not copied. */
export interface ChangeRecord {
  readonly type: 'merge' | 'delete';
  readonly body: JsonObject | null;
  readonly nested: readonly NestedChange[];
}

export interface NestedChange {
  readonly path: string;
  readonly id: string;
  readonly rev: number;
}

/** One step of a write; the steps of a write are stored all together or not at all. */
export type Operation =
  /** The resource has a new header, and may have a new document: the leaves among the operations are the difference. */
  | { readonly kind: 'resource'; readonly resource: Resource }
  | {
      readonly kind: 'leaf';
      readonly resource: Resource;
      readonly path: readonly string[];
      readonly leaf: Leaf | undefined;
    }
  | { readonly kind: 'bytes'; readonly id: string; readonly bytes: Uint8Array | undefined }
  | { readonly kind: 'edge'; readonly child: string; readonly edge: Edge; readonly present: boolean }
  | { readonly kind: 'change'; readonly id: string; readonly rev: number; readonly change: ChangeRecord }
  | { readonly kind: 'setting'; readonly key: string; readonly value: Json };

/** Where resources and their changes are kept. */
export interface Storage {
  /** Reads a resource; undefined where nothing was ever stored under the id. */
  load(id: string): Promise<Resource | undefined>;
  change(id: string, rev: number): Promise<ChangeRecord | undefined>;
  /** The revisions with a change, in rising order. */
  revisions(id: string): Promise<number[]>;
  setting(key: string): Promise<Json | undefined>;
  /**
   * Stores the operations as one; commits are stored in the order of the calls. Undefined when it is done already.
   * Resources are stored as they are at the call, whatever becomes of them while it lasts.
   *
   * @throws nothing; the promise rejects where the operations, and all that were given later, are not stored
   */
  commit(operations: readonly Operation[]): Promise<void> | undefined;
  close(): Promise<void>;
}

/** Keeps everything in the memory of the process: the graph keeps the resources, this keeps the rest. */
export class MemoryStorage implements Storage {
  readonly #changes = new Map<string, Map<number, ChangeRecord>>();
  readonly #settings = new Map<string, Json>();

  load(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  change(id: string, rev: number): Promise<ChangeRecord | undefined> {
    return Promise.resolve(this.#changes.get(id)?.get(rev));
  }

  revisions(id: string): Promise<number[]> {
    return Promise.resolve([...(this.#changes.get(id)?.keys() ?? [])]);
  }

  setting(key: string): Promise<Json | undefined> {
    return Promise.resolve(this.#settings.get(key));
  }

  commit(operations: readonly Operation[]): undefined {
    for (const operation of operations) {
      if (operation.kind === 'change') this.#changesOf(operation.id).set(operation.rev, operation.change);
      if (operation.kind === 'setting') this.#settings.set(operation.key, operation.value);
    }
  }

  #changesOf(id: string): Map<number, ChangeRecord> {
    const known = this.#changes.get(id);
    if (known !== undefined) return known;
    const changes = new Map<number, ChangeRecord>();
    this.#changes.set(id, changes);
    return changes;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
