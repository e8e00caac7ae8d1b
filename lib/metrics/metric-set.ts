import type * as PromClient from 'prom-client';
import type { Counter, Gauge, Histogram } from 'prom-client';

import type { QueueDepth } from '../depth.js';
import { ConfigError } from '../errors.js';
import type { MetricsRegistry } from './registry.js';

/** What gauges show, as it is when somebody looks. */
export interface QueueGauge {
  readonly service: string;
  readonly queue: string;
  readonly depth: QueueDepth;
  /** How long the oldest waits, in seconds. */
  readonly oldestAge: number;
  /** How many run, by a type as labels have it; also the types of which none does. */
  readonly running: ReadonlyMap<string, number>;
}

type QueueLabel = 'service' | 'queue';
type TypeLabel = QueueLabel | 'type';

/** The metrics of all services that share a registry. `docs/operating/metrics.md` tells what each means. */
export interface MetricSet {
  readonly finished: Counter<TypeLabel | 'outcome'>;
  readonly retries: Counter<TypeLabel>;
  readonly takeovers: Counter<TypeLabel>;
  readonly stuck: Counter<TypeLabel>;
  readonly runDuration: Histogram<'service' | 'type'>;
  readonly waitingDuration: Histogram<'service' | 'type'>;
  readonly scheduleLag: Histogram<'service' | 'schedule'>;
  readonly scheduleSkipped: Counter<'service' | 'reason'>;
  readonly storeRequests: Counter<QueueLabel | 'method'>;
  readonly storeErrors: Counter<QueueLabel | 'method' | 'code'>;
  /** Asked for what the gauges show. A service that has stopped is not among them. */
  readonly sources: Set<() => Iterable<QueueGauge>>;
}

/** In seconds: jobs take from some milliseconds to some hours. */
const BUCKETS = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400];

const sets = new WeakMap<object, MetricSet>();

/**
 * The set that is in a registry: it is made once.
 *
 * @throws {ConfigError} the registry has other metrics of the same names
 */
export async function metricSetOf(registry: MetricsRegistry): Promise<MetricSet> {
  const prom = await import('prom-client');
  const known = sets.get(registry);
  // Somebody may have cleared the registry since.
  if (known !== undefined && registry.getSingleMetric(NAMES.finished) === known.finished) return known;
  for (const name of Object.values(NAMES)) {
    if (registry.getSingleMetric(name) !== undefined)
      throw new ConfigError(`\`metrics\`: the registry has another metric ${name} already`);
  }
  const set = createSet(prom, registry);
  sets.set(registry, set);
  return set;
}

const NAMES = {
  finished: 'oada_jobs_finished_total',
  retries: 'oada_jobs_retries_total',
  takeovers: 'oada_jobs_takeovers_total',
  stuck: 'oada_jobs_stuck_total',
  runDuration: 'oada_jobs_run_duration_seconds',
  waitingDuration: 'oada_jobs_waiting_duration_seconds',
  scheduleLag: 'oada_jobs_schedule_lag_seconds',
  scheduleSkipped: 'oada_jobs_schedule_skipped_total',
  storeRequests: 'oada_jobs_store_requests_total',
  storeErrors: 'oada_jobs_store_errors_total',
  pending: 'oada_jobs_pending',
  oldestPending: 'oada_jobs_oldest_pending_age_seconds',
  running: 'oada_jobs_running',
  filing: 'oada_jobs_filing',
} as const;

function createSet({ Counter, Gauge, Histogram }: typeof PromClient, registry: MetricsRegistry): MetricSet {
  const registers = [registry];
  const queue = ['service', 'queue'] as const;
  const type = [...queue, 'type'] as const;
  const counter = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
  ): Counter<Label> => new Counter({ name, help, labelNames, registers });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
  ): Histogram<Label> => new Histogram({ name, help, labelNames, registers, buckets: BUCKETS });
  const sources: MetricSet['sources'] = new Set();
  createGauges(Gauge, registry, sources);
  return {
    finished: counter(NAMES.finished, 'Jobs filed', [...type, 'outcome']),
    retries: counter(NAMES.retries, 'Runs that failed and are repeated', type),
    takeovers: counter(NAMES.takeovers, 'Jobs taken over from an instance that died', type),
    stuck: counter(NAMES.stuck, 'Work functions that ran on after their end', type),
    runDuration: histogram(NAMES.runDuration, 'How long runs of work functions took', ['service', 'type']),
    waitingDuration: histogram(NAMES.waitingDuration, 'How long jobs that could be run waited for it', [
      'service',
      'type',
    ]),
    scheduleLag: histogram(NAMES.scheduleLag, 'How late the jobs of occurrences were submitted', [
      'service',
      'schedule',
    ]),
    scheduleSkipped: counter(NAMES.scheduleSkipped, 'Occurrences passed over', ['service', 'reason']),
    storeRequests: counter(NAMES.storeRequests, 'Requests to the store', [...queue, 'method']),
    storeErrors: counter(NAMES.storeErrors, 'Requests to the store that failed', [
      ...queue,
      'method',
      'code',
    ]),
    sources,
  };
}

/** Gauges that are counted anew whenever somebody looks: they cannot drift. */
function createGauges(
  GaugeClass: typeof PromClient.Gauge,
  registry: MetricsRegistry,
  sources: MetricSet['sources'],
): void {
  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    show: (gauge: Gauge<Label>, queue: QueueGauge) => void,
  ): void => {
    const collect = (): void => {
      made.reset();
      for (const source of sources) for (const queue of source()) show(made, queue);
    };
    const made = new GaugeClass({ name, help, labelNames, registers: [registry], collect });
  };
  gauge(NAMES.pending, 'Jobs in the pending lists', ['service', 'queue', 'state'], (made, told) => {
    const { service, queue, depth } = told;
    for (const state of ['waiting', 'delayed', 'held', 'skipped'] as const)
      made.set({ service, queue, state }, depth[state]);
  });
  gauge(NAMES.oldestPending, 'How long the oldest waits', ['service', 'queue'], (made, told) => {
    made.set({ service: told.service, queue: told.queue }, told.oldestAge);
  });
  gauge(NAMES.running, 'Jobs that this process runs', ['service', 'queue', 'type'], (made, told) => {
    const { service, queue, running } = told;
    // Two services of one name in a process run jobs of the same list, each its own.
    for (const [type, count] of running) made.inc({ service, queue, type }, count);
  });
  gauge(
    NAMES.filing,
    'Jobs that are over, and that this process files',
    ['service', 'queue'],
    (made, told) => {
      made.inc({ service: told.service, queue: told.queue }, told.depth.filing);
    },
  );
}
