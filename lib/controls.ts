import type { Clock } from './clock.js';
import { isJsonObject } from './json.js';
import type { Json } from './json.js';
import type { Store } from './oada/store.js';
import { isAddressable } from './paths.js';
import type { Paths } from './paths.js';
import { WatchedList } from './watched-list.js';

export interface ControlsObserver {
  /** The job is to be cancelled. Told again whenever the requests are read anew. */
  cancelled(key: string): void;
  paused(paused: boolean): void;
  /** What is asked of the schedules, as it stands. */
  schedules(switches: Json | undefined): void;
  lost(error: Error, retryIn: number): void;
}

export interface ControlsOptions {
  readonly store: Store;
  readonly paths: Paths;
  readonly clock: Clock;
  readonly checkInterval: number;
  readonly observer: ControlsObserver;
}

/**
 * What operators ask of a queue, wherever they are: a document in the store, `{ paused, cancel: { <key>: { time } } }`.
 * Every instance watches it; the one that a request is about does what is asked, and takes the request out.
 */
export class Controls {
  readonly #options: ControlsOptions;
  readonly #list: WatchedList;
  #schedules: Json | undefined;
  /** The requests that stand. */
  readonly #requests = new Set<string>();

  constructor(options: ControlsOptions) {
    const { store, clock, paths, checkInterval, observer } = options;
    this.#options = options;
    this.#list = new WatchedList({
      store,
      clock,
      path: paths.controls,
      checkInterval,
      observer: {
        listed: (entries) => {
          this.#requests.clear();
          observer.paused(entries.get('paused') === true);
          this.#tellSchedules(entries.get('schedules'));
          this.#cancel(entries.get('cancel'));
        },
        changed: (name, written) => {
          if (name === 'paused') observer.paused(written === true);
          if (name === 'cancel') this.#cancel(written);
          if (name === 'schedules') this.#tellSchedules(merged(this.#schedules, written));
        },
        removed: (name) => {
          if (name === 'paused') observer.paused(false);
        },
        lost: (error, retryIn) => {
          observer.lost(error, retryIn);
        },
      },
    });
  }

  async start(): Promise<void> {
    const { store, paths } = this.#options;
    await store.ensure(paths.controls, paths.tree);
    await this.#list.start();
  }

  stop(): void {
    this.#list.stop();
  }

  isCancelled(key: string): boolean {
    return this.#requests.has(key);
  }

  /** The job is filed, or was never there: nothing is left to be cancelled. */
  async settle(key: string): Promise<void> {
    if (!this.#requests.delete(key) || !isAddressable(key)) return;
    const { store, paths } = this.#options;
    await store.delete(paths.cancelRequest(key));
  }

  /** Asks whichever instance has the job to cancel it. */
  async cancel(key: string): Promise<void> {
    await askToCancel(this.#options, key);
  }

  async setPaused(paused: boolean): Promise<void> {
    await askToPause(this.#options, paused);
  }

  #tellSchedules(switches: Json | undefined): void {
    this.#schedules = switches;
    this.#options.observer.schedules(switches);
  }

  #cancel(written: Json | undefined): void {
    if (!isJsonObject(written)) return;
    for (const [key, request] of Object.entries(written)) {
      if (!isJsonObject(request)) {
        this.#requests.delete(key); // it was taken out
        continue;
      }
      this.#requests.add(key);
      this.#options.observer.cancelled(key);
    }
  }
}

type Asking = Pick<ControlsOptions, 'store' | 'paths' | 'clock'>;

/** The list of controls has to be there. */
export async function askToCancel({ store, paths, clock }: Asking, key: string): Promise<void> {
  await store.put(paths.controls, { cancel: { [key]: { time: clock.now().toISOString() } } });
}

export async function askToPause({ store, paths }: Asking, paused: boolean): Promise<void> {
  await store.put(paths.controls, { paused });
}

/** As a store merges. */
function merged(known: Json | undefined, written: Json): Json {
  if (!isJsonObject(known) || !isJsonObject(written)) return written;
  const entries = Object.entries(written).map(([key, value]): [string, Json] => [
    key,
    merged(known[key], value ?? null),
  ]);
  return { ...known, ...Object.fromEntries(entries) };
}
