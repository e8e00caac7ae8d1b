export { startDashboard } from './server.js';
export type { RunningDashboard } from './server.js';
export { dashboard } from './plugin.js';
export type { DashboardMetrics, DashboardOptions, DashboardStore, StartOptions } from './options.js';
