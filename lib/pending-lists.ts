import { backoff, sleep } from './clock.js';
import type { Clock } from './clock.js';
import { toError, unlessMissing } from './errors.js';
import { isJsonObject } from './json.js';
import type { Json } from './json.js';
import type { Store } from './oada/store.js';
import type { LayoutOption } from './options.js';
import { isEntryKey, isJobKey, linkedId, NESTED_PENDING } from './paths.js';
import type { Layout, Paths } from './paths.js';
import { WatchedList } from './watched-list.js';
import type { ListObserver } from './watched-list.js';

/** Told of what is in the pending lists; as a {@link ListObserver} is, with the layout that a list is of. */
export interface PendingObserver {
  listed(layout: Layout, entries: ReadonlyMap<string, Json>): void;
  changed(layout: Layout, key: string, written: Json): void;
  removed(layout: Layout, key: string): void;
  lost(error: Error, retryIn: number): void;
}

export interface PendingListsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly paths: Paths;
  readonly checkInterval: number;
  readonly layout: LayoutOption;
  /** Whether the nested list is made where neither layout is in use yet. */
  readonly prefersNested: boolean;
  /** Whether lists are only looked at: then none is made, and what is not there is an error. @defaultValue false */
  readonly isOnlooker?: boolean;
  readonly observer: PendingObserver;
}

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 15_000;

/**
 * Keeps the pending lists of a service in view: that of one layout, or by default the classic one and, whenever it is
 * there, the nested one that stands in it. A producer may have put the nested one there inline, as a part of the classic
 * list and not as a resource of its own (`@oada/client/jobs` does where no service has been before): then it is read there.
 */
export class PendingLists {
  readonly #options: PendingListsOptions;
  /** The one that is watched in any case. */
  readonly #list: WatchedList;
  /** The nested one, where it is found in the classic one, and what it is linked as. */
  #nested: { readonly id: string; readonly list: WatchedList } | undefined;
  /** Resolves when it has been read, or that has failed for the first time. */
  #opened: Promise<void> | undefined;
  readonly #stopping = new AbortController();

  constructor(options: PendingListsOptions) {
    this.#options = options;
    const { paths, layout } = options;
    this.#list = layout === 'nested' ? this.#watch(paths.nested) : this.#watchClassic();
  }

  /** Resolves when all lists have been read once. Rejects when that fails. */
  async start(): Promise<void> {
    if (this.#options.isOnlooker !== true) await this.#ensure();
    await this.#list.start();
    await this.#opened;
  }

  async #ensure(): Promise<void> {
    const { store, paths, layout } = this.#options;
    const isNested = layout === 'nested' || (layout === 'auto' && (await this.#isNestedWanted()));
    if (isNested) await store.ensure(paths.nested.pending, paths.tree);
    else await store.ensure(paths.classic.pending, paths.tree);
  }

  stop(): void {
    this.#stopping.abort();
    this.#list.stop();
    this.#nested?.list.stop();
  }

  /** Reads the lists now, should they have changed unheard. */
  async refresh(): Promise<void> {
    await Promise.all([this.#list.refresh(), this.#nested?.list.refresh()]);
  }

  /** Is it to be made? Where the classic list is there alone, a service of 2.x may watch it, and would take the key for a job's. */
  async #isNestedWanted(): Promise<boolean> {
    const { store, paths, prefersNested } = this.#options;
    if (!prefersNested) return false;
    return (await unlessMissing(store.head(paths.classic.pending))) === undefined;
  }

  #watch(layout: Layout, observer: Partial<ListObserver> = {}): WatchedList {
    const { store, clock, checkInterval, observer: told } = this.#options;
    return new WatchedList({
      ...{ store, clock, checkInterval, path: layout.pending },
      observer: {
        listed: (entries) => {
          told.listed(layout, entries);
        },
        changed: (key, written) => {
          told.changed(layout, key, written);
        },
        removed: (key) => {
          told.removed(layout, key);
        },
        lost: (error, retryIn) => {
          told.lost(error, retryIn);
        },
        ...observer,
      },
    });
  }

  /** The lists of the nested layout stand among the classic jobs. */
  #watchClassic(): WatchedList {
    const { paths, observer } = this.#options;
    return this.#watch(paths.classic, {
      listed: (entries) => {
        observer.listed(paths.classic, new Map([...entries].filter(([key]) => isJobKey(key))));
        this.#nestedListed(entries.get(NESTED_PENDING));
      },
      changed: (key, written) => {
        if (isJobKey(key)) observer.changed(paths.classic, key, written);
        else if (key === NESTED_PENDING) this.#nestedChanged(written);
      },
      removed: (key) => {
        if (isJobKey(key)) observer.removed(paths.classic, key);
        else if (key === NESTED_PENDING) this.#nestedListed(undefined);
      },
    });
  }

  /** What stands in the classic list where the nested one belongs. */
  #nestedListed(entry: Json | undefined): void {
    const { layout, paths, observer } = this.#options;
    if (layout !== 'auto') return;
    const id = linkedId(entry);
    if (id !== undefined && id === this.#nested?.id) return;
    this.#nested?.list.stop();
    this.#nested = undefined;
    if (id !== undefined) {
      this.#nested = { id, list: this.#watch(paths.nested) };
      this.#opened = this.#open(this.#nested.list, 1);
      return;
    }
    const entries = isJsonObject(entry) ? Object.entries(entry) : [];
    const jobs = entries.flatMap(([key, value]): [string, Json][] =>
      isEntryKey(key) && value !== undefined && value !== null ? [[key, value]] : [],
    );
    observer.listed(paths.nested, new Map(jobs));
  }

  #nestedChanged(written: Json): void {
    const { layout, paths, observer } = this.#options;
    if (layout !== 'auto' || !isJsonObject(written)) return;
    if (linkedId(written) !== undefined) this.#nestedListed(written);
    if (this.#nested !== undefined) return; // its own watch tells of what is in it
    for (const [key, value] of Object.entries(written)) {
      if (!isEntryKey(key)) continue;
      if (value === undefined || value === null) observer.removed(paths.nested, key);
      else observer.changed(paths.nested, key, value);
    }
  }

  async #open(list: WatchedList, attempt: number): Promise<void> {
    const { store, paths, clock, checkInterval, observer } = this.#options;
    try {
      const { data } = await store.get(paths.nested.pending);
      if (isListOfJobs(data)) await list.start();
      else
        observer.lost(
          new Error(`${paths.nested.pending} is no list of jobs, and is left alone`),
          checkInterval,
        );
    } catch (error) {
      const retryIn = backoff(clock, attempt, FIRST_WAIT_MS, LONGEST_WAIT_MS);
      observer.lost(toError(error), retryIn);
      void this.#openLater(list, attempt + 1, retryIn);
    }
  }

  async #openLater(list: WatchedList, attempt: number, wait: number): Promise<void> {
    await sleep(this.#options.clock, wait, this.#stopping.signal);
    if (!this.#stopping.signal.aborted && this.#nested?.list === list) await this.#open(list, attempt);
  }
}

/** Under the key of the list there may stand anything: a job of that key, or a link to something else. */
function isListOfJobs(data: Json | undefined): boolean {
  if (!isJsonObject(data)) return false;
  const { _type, service, type } = data;
  return (
    typeof _type === 'string' &&
    _type.includes('vnd.oada.service.jobs') &&
    typeof service !== 'string' &&
    typeof type !== 'string'
  );
}
