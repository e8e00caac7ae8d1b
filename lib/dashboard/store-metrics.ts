import type { Gauge, Registry } from 'prom-client';

import type { Clock } from '../clock.js';
import { StoreError } from '../errors.js';
import { countJobs } from '../operator/counts.js';
import { dayOf } from '../paths.js';
import type { StoreSummary } from './api.js';
import type { DashboardMetrics } from './options.js';
import { Refusal } from './problem.js';
import type { StoreHub } from './store-hub.js';

type OfService = 'store' | 'service';

/** `docs/operating/dashboard.md` tells what each means. */
interface Gauges {
  readonly up: Gauge<'store'>;
  readonly serviceUp: Gauge<OfService>;
  readonly pending: Gauge<OfService>;
  readonly running: Gauge<OfService>;
  readonly finished: Gauge<OfService | 'status'>;
  readonly instances: Gauge<OfService | 'state'>;
  readonly paused: Gauge<OfService>;
}

/** Anybody may ask for metrics that are public, and to count may take the stores long. */
const KEPT_MS = 10_000;

/** What the dashboard sees of all services of its stores, counted when it is asked for. */
export function storeMetrics(hub: StoreHub, clock: Clock): DashboardMetrics {
  let kept: { readonly text: string; readonly since: number } | undefined;
  let made: Promise<{ registry: Registry; gauges: Gauges }> | undefined;
  let counting: Promise<string> | undefined;
  const count = async (): Promise<string> => {
    made ??= makeGauges();
    const { registry, gauges } = await made;
    registry.resetMetrics(); // services go, and stores fall silent
    await Promise.all((await hub.patientSummaries()).map((summary) => countStore(summary, hub, gauges)));
    const text = await registry.metrics();
    kept = { text, since: clock.monotonic() };
    return text;
  };
  return {
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    metrics: async () => {
      if (kept !== undefined && clock.monotonic() - kept.since < KEPT_MS) return kept.text;
      // Who asks while it is being counted is told the same.
      counting ??= count().finally(() => {
        counting = undefined;
      });
      return await counting;
    },
  };
}

async function makeGauges(): Promise<{ registry: Registry; gauges: Gauges }> {
  const { Gauge: PromGauge, Registry: PromRegistry } = await import('prom-client');
  const registry = new PromRegistry();
  const make = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
  ): Gauge<Label> =>
    new PromGauge({
      name: `oada_jobs_dashboard_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [registry],
    });
  const service = ['store', 'service'] as const;
  const gauges = {
    up: make('store_up', 'Whether the store answers: 1, or 0', ['store']),
    serviceUp: make('service_up', 'Whether all that is told of the service could be read: 1, or 0', service),
    pending: make('pending', 'Jobs in the pending lists, those that run included', service),
    running: make('running', 'Jobs that run, as the instances told last', service),
    finished: make('finished_today', 'Jobs that were filed today, in UTC', [...service, 'status']),
    instances: make('instances', 'Instances that were not stopped cleanly', [...service, 'state']),
    paused: make('paused', 'Whether the queue is paused: 1, or 0', service),
  };
  return { registry, gauges };
}

async function countStore(
  { store, services, problem }: StoreSummary,
  hub: StoreHub,
  gauges: Gauges,
): Promise<void> {
  gauges.up.set({ store }, problem === undefined ? 1 : 0);
  if (problem !== undefined) return;
  // One after another: the pages that people look at come first.
  for (const service of services) {
    try {
      await countService(store, service, hub, gauges);
    } catch (error) {
      // Its link may lead nowhere, or one of its lists; of the others there is something to tell.
      if (!(error instanceof StoreError) && !(error instanceof Refusal)) throw error;
      gauges.serviceUp.set({ store, service }, 0);
    }
  }
}

async function countService(store: string, service: string, hub: StoreHub, gauges: Gauges): Promise<void> {
  const { deps, lists } = await hub.service(store, service);
  const { pending, running, instances, paused, days } = await countJobs(deps, lists, 1);
  const of = { store, service };
  const today = dayOf(deps.clock.now());
  const { success, failure } = days.find(({ day }) => day === today) ?? { success: 0, failure: 0 };
  gauges.serviceUp.set(of, 1);
  gauges.pending.set(of, pending);
  gauges.running.set(of, running);
  gauges.finished.set({ ...of, status: 'success' }, success);
  gauges.finished.set({ ...of, status: 'failure' }, failure);
  gauges.instances.set({ ...of, state: 'alive' }, instances.alive);
  gauges.instances.set({ ...of, state: 'silent' }, instances.silent);
  gauges.paused.set(of, paused ? 1 : 0);
}
