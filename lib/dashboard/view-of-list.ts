import { isMissing, StoreError } from '../errors.js';
import type { Json } from '../json.js';
import { WatchedList } from '../watched-list.js';
import type { ListObserver } from '../watched-list.js';
import { Opening } from './opening.js';
import type { OperatorDeps } from '../operator/operator-deps.js';

export interface ViewOptions {
  readonly path: string;
  readonly observer: ListObserver;
  /** What is to be there first. */
  readonly after?: Promise<void>;
  /** It was looked for, and is not there. */
  readonly missing?: () => void;
}

/** How often a list is compared with what has been seen of it. */
export const CHECK_MS = 30_000;

/**
 * Keeps a list in view that may not be there yet, or be deleted: it is empty then. One that is a part of another resource
 * has no revision of its own, and is not kept.
 */
export class ViewOfList {
  readonly #list: WatchedList;
  readonly #opening: Opening;
  #isKept = false;

  constructor(
    { store, clock }: Pick<OperatorDeps, 'store' | 'clock'>,
    { path, observer, after, missing }: ViewOptions,
  ) {
    const listed = (entries: ReadonlyMap<string, Json>): void => {
      this.#isKept = true;
      observer.listed(entries);
    };
    const lost = (error: Error, retryIn: number): void => {
      if (isMissing(error)) listed(new Map());
      else observer.lost(error, retryIn);
    };
    const list = new WatchedList({
      ...{ store, clock, path, checkInterval: CHECK_MS },
      observer: { ...observer, listed, lost },
    });
    this.#list = list;
    this.#opening = new Opening({
      clock,
      open: async () => {
        await after;
        const { location } = await store.head(path);
        if (location !== undefined && !/^\/?resources\/[^/]+\/?$/.test(location))
          throw new StoreError('OADA_JOBS_STORE_NOT_FOUND', `${path} is a part of ${location}`, { path });
        await list.start();
      },
      onMissing: () => missing?.(),
      onFailed: (error, retryIn) => {
        observer.lost(error, retryIn);
      },
    });
  }

  /** Resolves when it has been read, or is known not to be there. */
  get tried(): Promise<void> {
    return this.#opening.tried;
  }

  /** Is all of it known? */
  get isKept(): boolean {
    return this.#isKept;
  }

  /** It may be there now. */
  look(): void {
    this.#opening.look();
  }

  /** The store was away: what happened meanwhile is read now. */
  async refresh(): Promise<void> {
    if (this.#isKept) await this.#list.refresh();
    else this.look();
  }

  stop(): void {
    this.#opening.stop();
    this.#list.stop();
  }
}
