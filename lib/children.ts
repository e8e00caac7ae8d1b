import { createHash } from 'node:crypto';

import type { Clock } from './clock.js';
import { unlessMissing } from './errors.js';
import { isFinalDocument, isEmptyDocument } from './job.js';
import type { Job } from './job.js';
import { isJsonObject, toJson } from './json.js';
import type { Json, JsonObject } from './json.js';
import type { Store } from './oada/store.js';
import { expected } from './options.js';
import { isEntryKey, isServiceName, JOB_TYPE, link, linkedId, pathsOf } from './paths.js';
import type { LayoutName } from './paths.js';
import { layoutInUse } from './producer.js';
import type { Progress } from './progress.js';
import { traced } from './tracing.js';
import type { TracedPart } from './tracing.js';
import { waitOn } from './wait.js';

export interface SpawnOptions {
  /**
   * What it is known by among its parent's children: run again after a crash, the parent finds it by that. By default its
   * type and how many of that type were spawned before: then the order of the calls has to be the same each time.
   */
  readonly name?: string;
  /** The service that is to do it. @defaultValue that of the parent */
  readonly service?: string;
  /** Higher goes first. @defaultValue that of the parent */
  readonly priority?: number;
}

/** A job that another has spawned. */
export interface Child {
  readonly name: string;
  /** Its resource, like `resources/abc`. */
  readonly _id: string;
  readonly service: string;
  readonly type: string;
}

/** A child as its document stands. */
export interface ChildState {
  readonly name: string;
  readonly _id: string;
  /** Empty where it is not written yet. */
  readonly document: JsonObject;
}

export interface ChildrenDeps {
  readonly job: Job;
  /** Tells the runs of the parent from each other, but for those after a crash. */
  readonly generation: number;
  readonly service: string;
  readonly layout: LayoutName;
  readonly store: Store;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Writes to the parent's document. */
  write(patch: JsonObject): Promise<void>;
  /** While it waits, others may have the parent's slot. */
  lent<T>(work: () => Promise<T>): Promise<T>;
}

const MAX_CONFIG_BYTES = 10 * 1024 * 1024;
/** How many children are waited for, or read, at once. */
const AT_ONCE = 100;
/** How often a child's revision is looked at, should a notification get lost. */
const CHECK_MS = 30_000;

/** The child jobs of a run: each a job of its own, which only its runner writes to. */
export class Children {
  readonly #deps: ChildrenDeps;
  readonly #counts = new Map<string, number>();
  readonly #spawned = new Map<string, Child>();
  readonly #over = new Set<string>();
  readonly #lists = new Map<string, Promise<string>>();
  #linking: { readonly links: Record<string, Json>; readonly written: Promise<void> } | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(deps: ChildrenDeps) {
    this.#deps = deps;
  }

  /**
   * Has another job done. It is submitted once, also when the parent is run again after a crash.
   *
   * @throws {ConfigError}
   * @throws {StoreError}
   */
  async spawn(type: string, config: object = {}, options: SpawnOptions = {}): Promise<Child> {
    this.#deps.signal.throwIfAborted();
    const { service = this.#deps.service, priority = this.#deps.job.priority } = options;
    const child = { name: this.#nameOf(type, options.name), service, type };
    checkChild(child);
    return await traced({ service, type }, (part) => this.#submit(child, config, { priority, part }));
  }

  async #submit(
    child: Omit<Child, '_id'>,
    config: object,
    { priority, part }: { readonly priority: number; readonly part: TracedPart },
  ): Promise<Child> {
    const { service, type } = child;
    const key = this.#keyOf(child.name);
    const _id = `resources/${key}`;
    const { job, store } = this.#deps;
    const document = {
      ...{ service, type, config: toJson(config, MAX_CONFIG_BYTES) ?? {} },
      ...(priority !== 0 && { priority }),
      ...(job.owner !== undefined && { owner: job.owner }),
      ...{ parent: link(job._id), startedBy: { job: job._id }, ...part },
    };
    this.#spawned.set(child.name, { ...child, _id });
    const [list, found] = await Promise.all([this.#listOf(service), documentAt(store, _id)]);
    const isThere = found !== undefined && !isEmptyDocument(found);
    await Promise.all([
      this.#link(child.name, _id),
      isThere ? undefined : store.put(`/${_id}`, document, { type: JOB_TYPE }),
    ]);
    // One that is over was in the list; for one that is not, a crash may have come in between.
    if (!isFinalDocument(found)) await store.put(list, { [key]: link(_id) });
    return { ...child, _id };
  }

  /** The children of the parent, those of earlier runs included. */
  async states(): Promise<ChildState[]> {
    const { job, store } = this.#deps;
    const data = await documentAt(store, job._id);
    return await childStates(data, store);
  }

  /**
   * Waits for children to be over; others may have the parent's slot meanwhile.
   *
   * @returns their results, in the order of the children
   * @throws {JobError} the first that fails; the others go on, unless the parent fails as well
   */
  async all(children: readonly Child[] = [...this.#spawned.values()]): Promise<(Json | undefined)[]> {
    return await this.#deps.lent(
      async () => await this.#each(children, (child) => this.#result(child, children.length)),
    );
  }

  /** As {@link Children.all}, but waits for all of them, and tells of each how it ended. */
  async allSettled(
    children: readonly Child[] = [...this.#spawned.values()],
  ): Promise<PromiseSettledResult<Json | undefined>[]> {
    const settled = async (child: Child): Promise<PromiseSettledResult<Json | undefined>> => {
      const [result] = await Promise.allSettled([this.#result(child, children.length)]);
      this.#deps.signal.throwIfAborted();
      return result;
    };
    return await this.#deps.lent(async () => await this.#each(children, settled));
  }

  /** The parent has come to a bad end: those that are not over are of no use any more. */
  async cancel(): Promise<void> {
    const { store, clock } = this.#deps;
    const time = clock.now().toISOString();
    const byService = new Map<string, Record<string, Json>>();
    for (const { name, service, _id } of this.#spawned.values()) {
      if (this.#over.has(name)) continue;
      const requests = byService.get(service) ?? {};
      byService.set(service, requests);
      requests[_id.slice('resources/'.length)] = { time };
    }
    for (const [service, requests] of byService) {
      const paths = pathsOf(service);
      await store.ensure(paths.controls, paths.tree);
      await store.put(paths.controls, { cancel: requests });
    }
  }

  async #each<T>(children: readonly Child[], work: (child: Child) => Promise<T>): Promise<T[]> {
    const results: T[] = [];
    let next = 0;
    let hasFailed = false;
    const take = async (): Promise<void> => {
      for (let index = next++; index < children.length && !hasFailed; index = next++) {
        const child = children[index];
        if (child !== undefined) results[index] = await work(child);
      }
    };
    const takers = Array.from({ length: Math.min(AT_ONCE, children.length) }, take);
    try {
      await Promise.all(takers);
    } catch (error) {
      hasFailed = true;
      throw error;
    }
    return results;
  }

  async #result({ name, _id }: Child, total: number): Promise<Json | undefined> {
    const { store, clock, signal, progress } = this.#deps;
    try {
      const { result } = await waitOn(
        store,
        _id,
        { signal, timeout: Infinity, checkInterval: CHECK_MS },
        clock,
      );
      return result;
    } finally {
      if (!signal.aborted) {
        this.#over.add(name);
        progress.childrenOver(this.#over.size, total);
      }
    }
  }

  #nameOf(type: string, name: string | undefined): string {
    if (name !== undefined) return name;
    const count = (this.#counts.get(type) ?? 0) + 1;
    this.#counts.set(type, count);
    return `${type}-${String(count)}`;
  }

  /** Known without being looked up: run again, the parent comes to the same. */
  #keyOf(name: string): string {
    const { job, generation } = this.#deps;
    return createHash('sha256')
      .update(JSON.stringify(['child', job._id, generation, name]))
      .digest('hex');
  }

  /** The pending list that a service's jobs are put in. */
  #listOf(service: string): Promise<string> {
    let list = this.#lists.get(service);
    if (list === undefined) {
      list = this.#findList(service);
      this.#lists.set(service, list);
    }
    return list;
  }

  async #findList(service: string): Promise<string> {
    const { store, layout } = this.#deps;
    const paths = pathsOf(service);
    const { pending } = paths[service === this.#deps.service ? layout : await layoutInUse(store, paths)];
    await store.ensure(pending, paths.tree);
    return pending;
  }

  /** The links of the parent; what comes while a write is on its way goes together in the next. */
  #link(name: string, id: string): Promise<void> {
    if (this.#linking === undefined) {
      const links: Record<string, Json> = {};
      const written = this.#written
        .catch(() => undefined) // whoever waits for that was told
        .then(() => {
          this.#linking = undefined;
          return this.#deps.write({ children: links });
        });
      this.#linking = { links, written };
      this.#written = written;
    }
    this.#linking.links[name] = link(id);
    return this.#linking.written;
  }
}

/** The children that a job's document names, as they stand. */
export async function childStates(
  document: Json | undefined,
  store: Pick<Store, 'get'>,
): Promise<ChildState[]> {
  const children = isJsonObject(document) ? document['children'] : undefined;
  const links = isJsonObject(children) ? Object.entries(children) : [];
  const named = links.flatMap(([name, entry]): { name: string; _id: string }[] => {
    const _id = linkedId(entry);
    return _id === undefined ? [] : [{ name, _id }];
  });
  const states: ChildState[] = [];
  for (let index = 0; index < named.length; index += AT_ONCE) {
    const some = named.slice(index, index + AT_ONCE).map(async ({ name, _id }) => {
      const data = await documentAt(store, _id);
      return { name, _id, document: isJsonObject(data) ? data : {} };
    });
    states.push(...(await Promise.all(some)));
  }
  return states;
}

/** Undefined where there is none. */
async function documentAt(store: Pick<Store, 'get'>, id: string): Promise<Json | undefined> {
  return (await unlessMissing(store.get(`/${id}`)))?.data;
}

function checkChild({ name, service, type }: Omit<Child, '_id'>): void {
  if (typeof type !== 'string' || type === '') throw expected('type', 'the name of a job type', type);
  if (typeof name !== 'string' || name === '' || !isEntryKey(name))
    throw expected('name', 'a text that is not empty', name);
  if (!isServiceName(service)) throw expected('service', "a service's name", service);
}
