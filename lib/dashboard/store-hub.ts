import type { Clock } from '../clock.js';
import { sleep } from '../clock.js';
import { StoreError, unlessMissing } from '../errors.js';
import { openStore } from '../oada/store.js';
import type { Store } from '../oada/store.js';
import type { ListEntry, ListReader } from '../operator/lists.js';
import type { OperatorDeps } from '../operator/operator-deps.js';
import { listServices } from '../operator/services.js';
import { isEntryKey, isServiceName, pathsOf, SERVICES } from '../paths.js';
import type { StoreSummary } from './api.js';
import { ListCache } from './list-cache.js';
import { LiveServices } from './live-services.js';
import type { DashboardStore } from './options.js';
import { notFound, problemOf } from './problem.js';

/** What a request is about. */
export interface ServiceView {
  readonly deps: OperatorDeps;
  /** From what is kept in view, as far as it is. */
  readonly lists: ListReader;
  /** From the store, as far as it has changed. */
  readonly stored: ListReader;
}

interface OpenStore {
  readonly store: Store;
  readonly domain: string;
  /** As the store answered last. */
  services: readonly string[];
  /** It has answered, or failed: how it does is known. */
  isKnown: boolean;
  /** Those that are known to be there, with what is asked of them. */
  readonly known: Map<string, ServiceView>;
}

/** How long one request to a store may take. */
const REQUEST_MS = 10_000;
/** How long the others wait for a store that does not answer. */
const PATIENCE_MS = 700;
/** The same for the first answer: to connect to a store far away takes some round trips. */
const FIRST_PATIENCE_MS = 3000;
const MOST_KNOWN = 1000;

/** The stores of the dashboard, each with a connection of its own: one that is away holds up no other. */
export class StoreHub {
  readonly #clock: Clock;
  readonly #cache: ListCache;
  readonly #live: LiveServices;
  readonly #stores: ReadonlyMap<string, OpenStore>;

  constructor(stores: readonly DashboardStore[], clock: Clock, cache: ListCache = new ListCache()) {
    this.#clock = clock;
    this.#cache = cache;
    this.#live = new LiveServices(clock);
    this.#stores = new Map(
      stores.map(({ name, domain, token }) => {
        const options = { clock, timeout: REQUEST_MS, onRequest: () => undefined };
        const store = openStore({ domain, token }, options);
        return [name, { store, domain, services: [], isKnown: false, known: new Map() }];
      }),
    );
  }

  /** For people, who see the other stores no later for one that is slow. */
  async summaries(): Promise<StoreSummary[]> {
    return await this.#summaries(({ isKnown }) => (isKnown ? PATIENCE_MS : FIRST_PATIENCE_MS));
  }

  /** Waits for each store as long as a request may take: one that is slow is not away. */
  async patientSummaries(): Promise<StoreSummary[]> {
    return await this.#summaries(() => REQUEST_MS);
  }

  async #summaries(patience: (open: OpenStore) => number): Promise<StoreSummary[]> {
    return await Promise.all(
      [...this.#stores].map(([name, open]) => this.#summary(name, open, patience(open))),
    );
  }

  async #summary(store: string, open: OpenStore, patience: number): Promise<StoreSummary> {
    const { domain } = open;
    const waiting = new AbortController();
    const tooLate = sleep(this.#clock, patience, waiting.signal).then(() => {
      const message = `The store has not answered for ${String(patience)} ms.`;
      throw new StoreError('OADA_JOBS_STORE_TIMEOUT', message, { path: SERVICES });
    });
    tooLate.catch(() => undefined); // where the answer was there first
    const ask = async (): Promise<void> => {
      await open.store.check(); // with one try, it is known at once where a store is away
      open.services = await listServices(open.store);
    };
    const answer = ask().finally(() => {
      open.isKnown = true;
    });
    try {
      await Promise.race([answer, tooLate]);
      return { store, domain, services: open.services };
    } catch (error) {
      return { store, domain, services: open.services, problem: problemOf(error) };
    } finally {
      waiting.abort();
    }
  }

  /**
   * @throws {Refusal} there is no such store, or no such service in it
   * @throws {StoreError} it does not answer
   */
  async service(storeName: string, service: string): Promise<ServiceView> {
    const open = this.#stores.get(storeName);
    if (open === undefined) throw notFound(`store ${JSON.stringify(storeName)}`);
    const known = open.known.get(service);
    if (known !== undefined) return known;
    const isName = isServiceName(service) && isEntryKey(service);
    const { store } = open;
    const paths = pathsOf(service);
    if (!isName || (await unlessMissing(store.head(paths.service))) === undefined)
      throw notFound(`service ${JSON.stringify(service)} in ${storeName}`);
    const deps: OperatorDeps = { service, store, paths, clock: this.#clock };
    const stored = this.#cache.readerOf(storeName, store);
    const kept = async (path: string): Promise<readonly ListEntry[] | undefined> =>
      await this.#live.get(deps)?.entries(path);
    const lists: ListReader = {
      entries: async (path) => (await kept(path)) ?? (await stored.entries(path)),
      count: async (path) => (await kept(path))?.length ?? (await stored.count(path)),
    };
    const view = { deps, lists, stored };
    if (open.known.size >= MOST_KNOWN) open.known.clear();
    open.known.set(service, view);
    return view;
  }

  /** Keeps a service in view for somebody. */
  look({ deps, stored }: ServiceView): ReturnType<LiveServices['use']> {
    return this.#live.use(deps, stored);
  }

  async close(): Promise<void> {
    this.#live.stop();
    await Promise.all([...this.#stores.values()].map(({ store }) => store.close()));
  }
}
