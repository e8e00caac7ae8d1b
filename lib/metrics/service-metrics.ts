import type { Clock } from '../clock.js';
import type { QueueDepth } from '../depth.js';
import type { EventName, Events, Listener, ServiceEvents } from '../events.js';
import { isJsonObject } from '../json.js';
import { expected } from '../options.js';
import { metricSetOf } from './metric-set.js';
import type { MetricSet, QueueGauge } from './metric-set.js';
import type { MetricsRegistry } from './registry.js';

export interface ServiceMetricsOptions {
  /** Its name. */
  readonly service: string;
  /** What the option `metrics` says; true: the default registry. */
  readonly given: true | MetricsRegistry;
  /** By the types that have a label of their own. */
  readonly workers: ReadonlyMap<string, unknown>;
  readonly events: Events;
  readonly clock: Clock;
  /** Those that run now. */
  readonly queues: Iterable<{ readonly id: string; readonly depth: QueueDepth }>;
}

/** The label of all types that nobody has registered: a producer may post any number of them. */
const OTHER = 'other';
/** Failure types have no end either: that of a job is what somebody has written there. */
const FAILURES = ['failure', 'timeout', 'cancelled', 'invalid', 'unknown-type', 'lost'];

/** Counts what a service tells of. */
export class ServiceMetrics {
  readonly #options: ServiceMetricsOptions;
  /** Those that were registered at some time. */
  readonly #types = new Set<string>();
  #registry: MetricsRegistry | undefined;
  #started: Promise<void> | undefined;
  #set: MetricSet | undefined;
  #removals: (() => void)[] = [];

  constructor(options: ServiceMetricsOptions) {
    this.#options = options;
    if (options.given !== true) this.#registry = options.given;
  }

  /** The default one is known when it is loaded. */
  get registry(): MetricsRegistry | undefined {
    return this.#registry;
  }

  /**
   * Loads what it takes, and listens. Can be called more than once.
   *
   * @throws {ConfigError} the registry has other metrics of the same names
   */
  start(): Promise<void> {
    this.#started ??= this.#start().catch((error: unknown) => {
      this.#started = undefined; // it may be tried again
      throw error;
    });
    return this.#started;
  }

  async #start(): Promise<void> {
    this.#registry ??= (await import('prom-client')).register;
    const set = await metricSetOf(this.#registry);
    this.#set = set;
    set.sources.add(this.#gauges);
    this.#listenToJobs(set);
    this.#listenToOthers(set);
  }

  /** Listens no longer. What was counted stays: it may not have been asked for since. What gauges show goes. */
  stop(): void {
    this.#set?.sources.delete(this.#gauges);
    for (const remove of this.#removals.splice(0)) remove();
  }

  #listenToJobs({ finished, retries, takeovers, stuck, runDuration, waitingDuration }: MetricSet): void {
    const { service } = this.#options;
    this.#on('queue:started', ({ queue }) => {
      // From zero on, so that the first of a kind is an increase.
      for (const type of this.#known()) {
        const labels = { service, queue, type };
        for (const outcome of ['success', ...FAILURES]) finished.inc({ ...labels, outcome }, 0);
        for (const counter of [retries, takeovers, stuck]) counter.inc(labels, 0);
      }
    });
    this.#on('job:started', ({ queue, type, waited, takenFrom }) => {
      waitingDuration.observe({ service, type: this.#label(type) }, waited / 1000);
      if (takenFrom !== undefined) takeovers.inc({ service, queue, type: this.#label(type) });
    });
    this.#on('job:ran', ({ type, duration }) => {
      runDuration.observe({ service, type: this.#label(type) }, duration / 1000);
    });
    this.#on('job:postponed', ({ queue, type, isRetry }) => {
      if (isRetry) retries.inc({ service, queue, type: this.#label(type) });
    });
    this.#on('job:stuck', ({ queue, type }) => {
      stuck.inc({ service, queue, type: this.#label(type) });
    });
    this.#on('job:filed', ({ queue, type, ...end }) => {
      finished.inc({ service, queue, type: this.#label(type), outcome: outcomeOf(end) });
    });
  }

  #listenToOthers({ scheduleLag, scheduleSkipped, storeRequests, storeErrors }: MetricSet): void {
    const { service } = this.#options;
    this.#on('schedule:started', ({ schedule, group, lag }) => {
      scheduleLag.observe({ service, schedule: group ?? schedule }, lag / 1000);
    });
    this.#on('schedule:skipped', ({ reason, count }) => {
      scheduleSkipped.inc({ service, reason }, count);
    });
    this.#on('store:requested', ({ queue, method, error }) => {
      storeRequests.inc({ service, queue, method });
      if (error !== undefined) storeErrors.inc({ service, queue, method, code: error.code });
    });
  }

  #on<Name extends EventName>(name: Name, listener: Listener<Name>): void {
    const { events } = this.#options;
    events.on(name, listener);
    this.#removals.push(() => {
      events.off(name, listener);
    });
  }

  readonly #gauges = (): QueueGauge[] => {
    const { service, clock, queues } = this.#options;
    const now = clock.now().getTime();
    return [...queues].map(({ id: queue, depth }) => {
      const running = new Map([...this.#known()].map((type) => [type, 0]));
      for (const [type, count] of depth.running) {
        const label = this.#label(type);
        running.set(label, (running.get(label) ?? 0) + count);
      }
      const oldestAge = depth.oldest === undefined ? 0 : Math.max(0, now - depth.oldest) / 1000;
      return { service, queue, depth, oldestAge, running };
    });
  };

  /** The types that labels name. */
  #known(): Set<string> {
    return new Set([...this.#types, ...this.#options.workers.keys(), OTHER]);
  }

  /** A type that is registered no more may have jobs that run. */
  #label(type: string): string {
    if (this.#options.workers.has(type)) this.#types.add(type);
    return this.#types.has(type) ? type : OTHER;
  }
}

function outcomeOf({
  status,
  failureType,
}: Pick<ServiceEvents['job:filed'], 'status' | 'failureType'>): string {
  if (status === 'success') return status;
  return FAILURES.find((kind) => kind === failureType) ?? 'failure';
}

/**
 * What the option `metrics` asks for.
 *
 * @throws {ConfigError}
 */
export function resolveMetrics(given: unknown): true | MetricsRegistry | undefined {
  if (given === undefined || given === false) return undefined;
  if (given === true || isRegistry(given)) return given;
  throw expected('metrics', 'true, false or a registry of prom-client', given);
}

/** By what it can do: there may be more than one copy of the package. */
function isRegistry(value: unknown): value is MetricsRegistry {
  return (
    isJsonObject(value) &&
    ['registerMetric', 'getSingleMetric', 'metrics'].every((name) => typeof value[name] === 'function')
  );
}
