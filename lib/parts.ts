import type { OADAClient } from '@oada/client';

import type { Controls } from './controls.js';
import { LifecycleError } from './errors.js';
import { Jobs } from './jobs.js';
import { resolveMetrics, ServiceMetrics } from './metrics/service-metrics.js';
import { FinishNotices, resolveFinishReporters } from './notify/index.js';
import type { StoreAddress } from './oada/address.js';
import { storeUrl } from './oada/address.js';
import type { Store } from './oada/store.js';
import type { ResolvedServiceOptions, ServiceOptions } from './options.js';
import { pathsOf } from './paths.js';
import type { LayoutName, Paths } from './paths.js';
import { QueueEntries } from './queue-entries.js';
import { Queue } from './queue.js';
import type { QueueDeps } from './queue.js';
import { Reports } from './report/recording.js';
import { resolveRetention } from './retention/options.js';
import type { ResolvedRetention } from './retention/policy.js';
import { Schedules } from './schedule/operations.js';
import { Scheduling } from './schedule/scheduling.js';
import { hideSecrets } from './secrets.js';
import { slotsFor } from './slots.js';
import type { Slots } from './slots.js';
import type { StatusViews } from './status.js';
import { loadTracing } from './tracing.js';

export interface ServicePartsOptions extends Pick<
  QueueDeps,
  'service' | 'prefersNested' | 'workers' | 'clock' | 'events'
> {
  /** The service's own store. */
  readonly source: OADAClient | StoreAddress;
  readonly given: ServiceOptions;
  readonly options: ResolvedServiceOptions;
  readonly views: StatusViews;
}

/** What runs while a service does: its queues, schedules, reports, notices and metrics. */
export class ServiceParts {
  readonly reports: Reports;
  readonly scheduling: Scheduling;
  /** Undefined where nobody asks for them. */
  readonly metrics: ServiceMetrics | undefined;
  readonly #notices: FinishNotices;
  readonly #source: OADAClient | StoreAddress;
  readonly #deps: QueueDeps;
  readonly #views: StatusViews;
  readonly #paths: Paths;
  /** Made when it, or its client, is first asked for. */
  #queue: Queue | undefined;
  /** Undefined while it does not run. */
  #entries: QueueEntries | undefined;

  /** @throws {ConfigError} */
  constructor({ source, given, options, views, ...deps }: ServicePartsOptions) {
    const { service, workers, clock, events } = deps;
    this.#source = source;
    this.#views = views;
    this.#paths = pathsOf(service);
    const stores = new Map<string, Store>();
    const secrets = new Set<string>();
    const running: QueueDeps['running'] = new Set();
    this.#deps = {
      ...{ ...deps, options, stores, running, secrets },
      retention: resolveRetention(given.retention),
      slots: slotsFor(options.concurrency, workers),
      onSwitches: (queue, switches) => {
        if (queue === 'default') this.scheduling.see(switches);
      },
    };
    const { checkInterval } = options;
    const redact = (text: string): string => hideSecrets(text, secrets);
    this.scheduling = new Scheduling({
      ...{ ...deps, redact, paths: this.#paths, checkInterval },
      historyAge: historyAgeOf(this.#deps.retention),
      layout: this.#layout,
    });
    const metrics = resolveMetrics(given.metrics);
    if (metrics !== undefined)
      this.metrics = new ServiceMetrics({ service, workers, clock, events, given: metrics, queues: running });
    this.reports = new Reports({ ...this.#deps, paths: this.#paths });
    this.#notices = new FinishNotices({
      ...{ service, clock, events },
      reporters: resolveFinishReporters(given.finishReporters),
      storeUrl: (queue) => urlOf(stores.get(queue)),
      readJob: async ({ queue, jobId }) => (await stores.get(queue)?.get(`/${jobId}`))?.data,
      redact,
    });
  }

  /** @throws {ConfigError | StoreError} */
  async start(): Promise<void> {
    await Promise.all([this.metrics?.start(), loadTracing()]);
    const queue = this.#own;
    await this.reports.start(queue.store); // before there can be finished jobs of ours
    try {
      await queue.start();
      this.#entries = new QueueEntries(queue.store, this.#deps);
      await this.#entries.start();
      await this.scheduling.start(queue.store, (key) => queue.controls.cancel(key));
    } catch (error) {
      await this.#stopQueues();
      this.#queue = undefined; // its store is closed
      throw error;
    }
    await this.reports.share();
  }

  async stop(): Promise<void> {
    const stopped = this.#stopQueues();
    for (const { batches } of this.#deps.workers.values()) batches?.drain(); // nothing more will come
    await stopped;
    await this.#notices.stop();
    this.metrics?.stop();
  }

  async #stopQueues(): Promise<void> {
    const entries = this.#entries;
    this.#entries = undefined;
    await this.scheduling.stop();
    await Promise.all([
      this.reports.stop(),
      entries?.stop(),
      entries === undefined ? this.#queue?.abandon() : this.#queue?.stop(),
    ]);
  }

  get slots(): Slots {
    return this.#deps.slots;
  }

  get client(): OADAClient {
    return this.#own.store.client;
  }

  get jobs(): Jobs {
    const { service, clock } = this.#deps;
    const { store } = this.#own;
    return new Jobs({ service, store, clock, paths: this.#paths, views: this.#views, layout: this.#layout });
  }

  get schedules(): Schedules {
    return new Schedules({ store: this.#own.store, paths: this.#paths, clock: this.#deps.clock });
  }

  /** The queues that run now. */
  get queueIds(): string[] {
    return ['default', ...(this.#entries?.ids() ?? [])];
  }

  /** @throws {LifecycleError} there is no such queue, or the service is not started */
  controlsOf(id: string): Controls {
    if (this.#entries === undefined) throw new LifecycleError('The service is not started.');
    const controls = id === 'default' ? this.#own.controls : this.#entries.get(id)?.controls;
    if (controls !== undefined) return controls;
    throw new LifecycleError(`There is no queue ${JSON.stringify(id)} that is running in this service.`);
  }

  get #own(): Queue {
    this.#queue ??= Queue.create('default', this.#source, this.#deps);
    return this.#queue;
  }

  /** Undefined: that which is in use. */
  get #layout(): LayoutName | undefined {
    const { layout } = this.#deps.options;
    return layout === 'auto' ? undefined : layout;
  }
}

/** The history of schedules is kept for as long as the jobs that it tells of, whichever of them are kept longer. */
function historyAgeOf(retention: ResolvedRetention | undefined): number {
  return retention === undefined ? Infinity : Math.max(retention.success.age, retention.failure.age);
}

/** Undefined for a client that does not say where its store is. */
function urlOf(store: Store | undefined): string | undefined {
  if (store === undefined) return undefined;
  try {
    return storeUrl({ domain: store.client.getDomain(), token: store.client.getToken() }).href;
  } catch {
    return undefined; // a client of another make
  }
}
