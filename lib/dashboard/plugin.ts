import type { FastifyInstance } from 'fastify';

import { ConfigError } from '../errors.js';
import { mountDashboard } from './mount.js';
import { resolveDashboard } from './options.js';
import type { DashboardOptions } from './options.js';

/**
 * The dashboard as a part of an app of one's own: `app.register(dashboard, { prefix: '/jobs', stores, authenticate })`.
 *
 * @throws {ConfigError} an option is wrong, or neither `password` nor `authenticate` is given
 */
export async function dashboard(app: FastifyInstance, options: DashboardOptions): Promise<void> {
  const resolved = resolveDashboard(options);
  if (resolved.password === undefined && resolved.authenticate === undefined)
    throw new ConfigError('A dashboard that is mounted in an app needs a `password` or `authenticate`.');
  await mountDashboard(app, resolved);
}
