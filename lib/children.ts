import { createHash } from 'node:crypto';

import { cancelJobs, childStates, isChild, unfinishedChildren } from './child-states.js';
import type { ChildState } from './child-states.js';
import type { Claim } from './claim.js';
import type { Clock, Stint } from './clock.js';
import { documentAt } from './document-at.js';
import { LifecycleError } from './errors.js';
import { isFinalDocument, isEmptyDocument } from './job.js';
import type { Job } from './job.js';
import { toJson } from './json.js';
import type { Json } from './json.js';
import type { Listing } from './listing.js';
import type { Store } from './oada/store.js';
import { expected } from './options.js';
import { isEntryKey, isServiceName, JOB_TYPE, link, pathsOf } from './paths.js';
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

export interface ChildrenDeps {
  readonly job: Job;
  /** Tells the runs of the parent from each other, but for those after a crash. */
  readonly generation: number;
  /** The parent's, when it was claimed. */
  readonly document: Json | undefined;
  readonly service: string;
  readonly layout: LayoutName;
  readonly listing: Pick<Listing, 'unlisted'>;
  readonly store: Store;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Interrupted while it waits. */
  readonly stint: Pick<Stint, 'waiting'>;
  readonly claim: Pick<Claim, 'add'>;
  /** While it waits, others may have the parent's slot. */
  readonly lease: { lent<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> };
}

const MAX_CONFIG_BYTES = 10 * 1024 * 1024;
/** How many children are waited for at once. */
const AT_ONCE = 100;
/** How often a child's revision is looked at, should a notification get lost. */
const CHECK_MS = 30_000;

/** The child jobs of a run: each a job of its own, which only its runner writes to. */
export class Children {
  readonly #deps: ChildrenDeps;
  readonly #counts = new Map<string, number>();
  readonly #spawned = new Map<string, Child>();
  /** What is on its way. */
  readonly #spawning = new Set<Promise<Child>>();
  readonly #over = new Set<string>();
  readonly #lists = new Map<string, Promise<string>>();
  #linking: { readonly links: Record<string, Json>; readonly written: Promise<void> } | undefined;
  #written: Promise<void> = Promise.resolve();
  readonly #ending = new AbortController();

  constructor(deps: ChildrenDeps) {
    const { signal } = deps;
    this.#deps = deps;
    const end = (): void => {
      this.#ending.abort(signal.reason);
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  }

  /**
   * Has another job done. It is submitted once, also when the parent is run again after a crash.
   *
   * @throws {ConfigError}
   * @throws {StoreError}
   */
  async spawn(type: string, config: object = {}, options: SpawnOptions = {}): Promise<Child> {
    const spawning = this.#spawn(type, config, options);
    this.#spawning.add(spawning);
    try {
      return await spawning;
    } finally {
      this.#spawning.delete(spawning);
    }
  }

  async #spawn(type: string, config: object, options: SpawnOptions): Promise<Child> {
    this.#ending.signal.throwIfAborted();
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
    const _id = this.#idOf(child.name);
    const { job, store } = this.#deps;
    const document = {
      ...{ service, type, config: toJson(config, MAX_CONFIG_BYTES) ?? {} },
      ...(priority !== 0 && { priority }),
      ...(job.owner !== undefined && { owner: job.owner }),
      ...{ parent: link(job._id), startedBy: { job: job._id }, ...part },
    };
    // None is listed before the parent has its link: one that it had no link to was not begun.
    const mayBeThere = this.#spawned.has(child.name) || isChild(this.#deps.document, { ...child, _id });
    this.#spawned.set(child.name, { ...child, _id });
    const [list, found] = await Promise.all([
      this.#listOf(service),
      mayBeThere ? documentAt(store, `/${_id}`) : undefined,
    ]);
    const isThere = found !== undefined && !isEmptyDocument(found);
    await Promise.all([
      this.#link(child.name, _id),
      isThere ? undefined : store.put(`/${_id}`, document, { type: JOB_TYPE }),
    ]);
    // One that is over was in the list; for one that is not, a crash may have come in between.
    if (!isFinalDocument(found)) await store.put(list, { [keyOf(_id)]: link(_id) });
    return { ...child, _id };
  }

  /** The children of the parent, those of earlier runs included. */
  async states(): Promise<ChildState[]> {
    const { job, store } = this.#deps;
    const data = await documentAt(store, `/${job._id}`);
    return await childStates(data, store);
  }

  /**
   * Waits for children to be over; others may have the parent's slot meanwhile.
   *
   * @returns their results, in the order of the children
   * @throws {JobError} the first that fails; the others go on, unless the parent fails as well
   */
  all(children: readonly Child[] = [...this.#spawned.values()]): Promise<(Json | undefined)[]> {
    return this.#wait(children, (child) => this.#result(child));
  }

  /** As {@link Children.all}, but waits for all of them, and tells of each how it ended. */
  allSettled(
    children: readonly Child[] = [...this.#spawned.values()],
  ): Promise<PromiseSettledResult<Json | undefined>[]> {
    return this.#wait(children, async (child) => {
      const [result] = await Promise.allSettled([this.#result(child)]);
      this.#ending.signal.throwIfAborted();
      return result;
    });
  }

  /** The run is over: nothing is waited for any more. Resolves when all that was spawned is there. */
  async settled(): Promise<void> {
    this.#ending.abort(new LifecycleError('The run is over'));
    await Promise.allSettled(this.#spawning);
  }

  /** The parent has come to a bad end: those that are not over are of no use any more, be they of an earlier run. */
  async cancel(): Promise<void> {
    const { document, store } = this.#deps;
    const spawned = [...this.#spawned.values()];
    const earlier = await unfinishedChildren(document, store, new Set(spawned.map(({ _id }) => _id)));
    const unfinished = spawned.filter(({ name }) => !this.#over.has(name));
    await cancelJobs([...earlier, ...unfinished], this.#deps);
  }

  #wait<T>(children: readonly Child[], work: (child: Child) => Promise<T>): Promise<T[]> {
    const { lease, signal, stint } = this.#deps;
    const waiting = stint.waiting(() => lease.lent(() => this.#each(children, work), signal));
    waiting.catch(() => undefined); // who has not awaited it by the end of the run does not want to know
    return waiting;
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

  async #result({ name, _id, service }: Child): Promise<Json | undefined> {
    const { store, clock, progress, layout, listing } = this.#deps;
    const { signal } = this.#ending;
    try {
      // What stands in our own list is not filed: the queue has that in view for all of them, with no watch for each.
      if (service === this.#deps.service) await listing.unlisted(layout, keyOf(_id), signal);
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
        progress.childrenOver(this.#over.size, this.#spawned.size);
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
  #idOf(name: string): string {
    const { job, generation } = this.#deps;
    const key = createHash('sha256')
      .update(JSON.stringify(['child', job._id, generation, name]))
      .digest('hex');
    return `resources/${key}`;
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
          return this.#deps.claim.add({ children: links });
        });
      this.#linking = { links, written };
      this.#written = written;
    }
    this.#linking.links[name] = link(id);
    return this.#linking.written;
  }
}

/** A child's link in the pending list has the name of its resource. */
function keyOf(id: string): string {
  return id.slice('resources/'.length);
}

function checkChild({ name, service, type }: Omit<Child, '_id'>): void {
  if (typeof type !== 'string' || type === '') throw expected('type', 'the name of a job type', type);
  if (typeof name !== 'string' || name === '' || !isEntryKey(name))
    throw expected('name', 'a text that is not empty', name);
  if (!isServiceName(service)) throw expected('service', "a service's name", service);
}
