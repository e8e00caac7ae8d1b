import type { OpenMetricsContentType, Registry } from 'prom-client';

/** What metrics can be put in: a registry of prom-client, in either format. */
export type MetricsRegistry = Registry | Registry<OpenMetricsContentType>;
