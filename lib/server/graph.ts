import { isResourceId, mergeInto, remove, versionedTarget } from './document.js';
import type { Json, JsonObject, Node } from './json.js';
import { isObject, nest } from './json.js';
import { absentResource, withoutServersOwn } from './resource.js';
import type { Resource } from './resource.js';
import type { Storage } from './storage.js';
import { stamped, Transaction } from './transaction.js';
import { changeDocument, Feed, Watches } from './watches.js';
import type { Change } from './watches.js';

/** How many resources are kept in memory when there is a disk to read them from again. */
const CACHED_RESOURCES = 20_000;

/** How many resources are read from disk at a time. */
const READS_AT_A_TIME = 64;

/** A step of a write found that resources have to be read first. */
class NotLoaded extends Error {
  readonly ids: readonly string[];

  constructor(ids: readonly string[]) {
    super(`${ids.join(', ')} not in memory`);
    this.ids = ids;
  }
}

export interface Written {
  readonly rev: number;
  /** Settles when the write is stored; undefined when it is. */
  readonly stored: Promise<void> | undefined;
}

/**
 * The resources and the links between them. What reads or writes is done in one go, inside {@link Graph.run}, on
 * resources in memory; so each write is atomic, and writes to a resource are made in the order they came.
 */
export class Graph {
  readonly watches: Watches = new Watches();
  readonly #storage: Storage;
  readonly #evicts: boolean;
  readonly #now: () => number;
  readonly #resources = new Map<string, Resource>();
  #evictAt = CACHED_RESOURCES * 1.25;
  readonly #loading = new Map<string, Promise<void>>();
  readonly #pins = new Set<ReadonlySet<string>>();
  /** The writes of these resources that are not stored yet. */
  readonly #unstored = new Map<string, Promise<void>>();

  /** @param now seconds since 1970 */
  constructor(storage: Storage, { evicts, now }: { evicts: boolean; now: () => number }) {
    this.#storage = storage;
    this.#evicts = evicts;
    this.#now = now;
  }

  /** Runs the step, again after the resources that it turned out to need and that have to be read from disk first. */
  async run<T>(step: () => T): Promise<T> {
    this.#evict();
    try {
      return step();
    } catch (error) {
      if (!(error instanceof NotLoaded)) throw error;
      return await this.#runLoading(step, error);
    }
  }

  /** What was read for the step stays in memory until it is done, however much that is. */
  async #runLoading<T>(step: () => T, missing: NotLoaded): Promise<T> {
    const pinned = new Set<string>();
    this.#pins.add(pinned);
    try {
      for (let { ids } = missing; ;) {
        for (const id of ids) pinned.add(id);
        for (let at = 0; at < ids.length; at += READS_AT_A_TIME) {
          await Promise.all(ids.slice(at, at + READS_AT_A_TIME).map((id) => this.#load(id)));
        }
        try {
          return step();
        } catch (error) {
          if (!(error instanceof NotLoaded)) throw error;
          ({ ids } = error);
        }
      }
    } finally {
      this.#pins.delete(pinned);
    }
  }

  /** The resource, whether it exists or not. Only to be called inside {@link Graph.run}. */
  need(id: string): Resource {
    const resource = this.#resources.get(id);
    if (resource !== undefined) {
      resource.recent = true;
      return resource;
    }
    if (this.#evicts) throw new NotLoaded([id]);
    const absent = absentResource(id);
    this.#resources.set(id, absent);
    return absent;
  }

  /** How many resources are in memory. */
  get size(): number {
    return this.#resources.size;
  }

  /** Settles when all that a reader of the resource has seen is stored. */
  stored(id: string): Promise<void> | undefined {
    return this.#unstored.get(id);
  }

  /** Merges the patch into the resource, and creates it where it does not exist. */
  put(resource: Resource, patch: JsonObject, by: string, type: string): Written {
    this.needFor(resource, patch);
    const write = new Transaction(this.#now(), this);
    const own = withoutServersOwn(patch);
    const bodyType = typeof patch['_type'] === 'string' ? patch['_type'] : undefined;
    const body = write.begin(
      resource,
      by,
      bodyType ?? (resource.header.exists ? resource.header.type : type),
    );
    if (resource.header.binary && Object.keys(own).some((key) => key !== '_meta'))
      write.bytes(resource, undefined);
    mergeInto(resource.document, own, [], write.changesOf(resource));
    write.change(resource, { type: 'merge', body: stamped(patch, body), nested: [] });
    return this.#finish(write, resource);
  }

  /** Replaces what the resource holds by bytes. */
  putBytes(resource: Resource, bytes: Uint8Array, by: string, type: string): Written {
    this.#needAncestors(resource);
    this.#needLinked(resource.document);
    const write = new Transaction(this.#now(), this);
    const body = write.begin(resource, by, type);
    write.bytes(resource, bytes);
    write.change(resource, { type: 'merge', body, nested: [] });
    return this.#finish(write, resource);
  }

  /** Deletes the key at the path, which has to be there. */
  delete(resource: Resource, path: readonly string[], by: string): Written {
    const parent = path.slice(0, -1).reduce<Node | undefined>(childOf, resource.document);
    const key = path.at(-1);
    if (!(parent instanceof Map) || key === undefined) throw new TypeError('There is nothing at this path');
    this.#needLinked(parent.get(key));
    this.#needAncestors(resource);
    const write = new Transaction(this.#now(), this);
    const body = write.begin(resource, by, resource.header.type);
    remove(parent, key, path, write.changesOf(resource));
    write.change(resource, { type: 'delete', body: stamped(nest(path, null), body), nested: [] });
    return this.#finish(write, resource);
  }

  /** Deletes the resource itself. Its change log stays, the links to it too; the deletion is in no log. */
  destroy(resource: Resource): Written {
    this.#needLinked(resource.document);
    this.#needAncestors(resource);
    const write = new Transaction(this.#now(), this);
    write.destroy(resource);
    const { stored } = this.#finish(write, resource);
    return { rev: 0, stored };
  }

  /** Starts to listen to the resource, for the changes after the revision `since`. */
  feed(id: string, user: string, since: number): Feed {
    return new Feed(this.watches, id, user, since, () => this.#missed(id, user, since));
  }

  async *#missed(id: string, user: string, since: number): AsyncGenerator<[number, Change[]]> {
    const { owner, rev, hiddenUpTo } = await this.run(() => this.need(id).header);
    if (owner !== user) return; // it was deleted a moment ago, and made anew by somebody else
    await this.stored(id);
    for (let at = Math.max(since, hiddenUpTo) + 1; at <= rev; at++) yield [at, await this.change(id, at)];
  }

  /** The change document of one revision; empty where there is none. */
  async change(id: string, rev: number): Promise<Change[]> {
    const document = changeDocument(id, rev);
    let step = document.next();
    while (step.done !== true) step = document.next(await this.#storage.change(...step.value));
    return step.value;
  }

  revisions(id: string): Promise<number[]> {
    return this.#storage.revisions(id);
  }

  async #load(id: string): Promise<void> {
    if (this.#resources.has(id)) return; // another step has had it read, and perhaps written to, meanwhile
    const loading = this.#loading.get(id) ?? this.#read(id);
    this.#loading.set(id, loading);
    await loading;
  }

  async #read(id: string): Promise<void> {
    try {
      this.#resources.set(id, (await this.#storage.load(id)) ?? absentResource(id));
    } finally {
      this.#loading.delete(id);
    }
  }

  /**
   * Keeps memory in bounds: what can be read again, or does not exist, is dropped, unless it was needed since the last look;
   * then it goes to the end of the line. Never while a step runs.
   */
  #evict(): void {
    if (this.#resources.size <= this.#evictAt) return;
    const pinned = new Set([...this.#pins].flatMap((ids) => [...ids]));
    for (const [id, resource] of this.#resources) {
      if (this.#resources.size <= CACHED_RESOURCES) break;
      if (resource.recent) {
        resource.recent = false;
        this.#resources.delete(id);
        this.#resources.set(id, resource);
        continue;
      }
      const { header, parents } = resource;
      const absent = !header.exists && header.rev === 0 && parents.size === 0;
      if ((this.#evicts || absent) && !this.#unstored.has(id) && !pinned.has(id)) this.#resources.delete(id);
    }
    this.#evictAt = Math.max(CACHED_RESOURCES, this.#resources.size) * 1.25;
  }

  /** All that a write touches has to be in memory before the first change is made: a write is never done by half. */
  needFor(resource: Resource, patch: JsonObject): void {
    const targets = new Set<string>();
    addTargets(resource.document, patch, targets);
    this.#needAll(targets);
    this.#needAncestors(resource);
  }

  #needLinked(node: Node | undefined): void {
    const targets = new Set<string>();
    addLinked(node, targets);
    this.#needAll(targets);
  }

  /** Level by level: the way up may be long. */
  #needAncestors(resource: Resource): void {
    const seen = new Set([resource.id]);
    let level = [resource];
    while (level.length > 0) {
      const parents = new Set<string>();
      for (const child of level) {
        for (const { parent } of child.parents.values()) if (!seen.has(parent)) parents.add(parent);
      }
      this.#needAll(parents);
      level = [];
      for (const id of parents) {
        seen.add(id);
        level.push(this.need(id));
      }
    }
  }

  /** Like {@link Graph.need}; what is not in memory is read together. */
  #needAll(ids: ReadonlySet<string>): void {
    if (!this.#evicts) return;
    const missing = [...ids].filter((id) => !this.#resources.has(id));
    if (missing.length > 0) throw new NotLoaded(missing);
  }

  #finish(write: Transaction, resource: Resource): Written {
    write.climb(resource);
    const stored = this.#storage.commit(write.operations);
    if (stored === undefined) {
      write.announce(this.watches);
      return { rev: resource.header.rev, stored };
    }
    const settled = stored.then(
      () => {
        write.announce(this.watches);
      },
      (error: unknown) => {
        this.#resources.clear(); // memory is ahead of the disk: read anew
        throw error;
      },
    );
    for (const id of write.touched) this.#unstored.set(id, settled);
    const forgetPromise = (): void => {
      for (const id of write.touched) if (this.#unstored.get(id) === settled) this.#unstored.delete(id);
    };
    settled.then(forgetPromise, forgetPromise);
    return { rev: resource.header.rev, stored: settled };
  }
}

/** Adds the resources at the end of versioned links that the patch makes or breaks. */
function addTargets(node: Node | undefined, patch: Json, targets: Set<string>): void {
  if (!isObject(patch)) {
    addLinked(node, targets);
    return;
  }
  const old = node instanceof Map ? node : undefined;
  const before = versionedTarget(old);
  if (before !== undefined) targets.add(before);
  const target = Object.hasOwn(patch, '_id') ? patch['_id'] : old?.get('_id');
  if (typeof target === 'string' && isResourceId(target) && Object.hasOwn(patch, '_rev')) targets.add(target);
  for (const [key, value] of Object.entries(patch)) addTargets(old?.get(key), value, targets);
}

/** Adds the resources at the end of versioned links below the node. */
function addLinked(node: Node | undefined, targets: Set<string>): void {
  if (!(node instanceof Map)) return;
  const target = versionedTarget(node);
  if (target !== undefined) targets.add(target);
  for (const child of node.values()) addLinked(child, targets);
}

function childOf(node: Node | undefined, key: string): Node | undefined {
  return node instanceof Map ? node.get(key) : undefined;
}
