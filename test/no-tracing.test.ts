import { submit } from '@oada/jobs';
import { expect, test, vi } from 'vitest';

import { loadTracing } from '../lib/tracing.js';
import { countTo, makeService, NAME, read, startServer, TOKEN } from './setup.js';

// As if it were not installed.
vi.mock('@opentelemetry/api', () => {
  throw new Error('Cannot find package');
});

test('without OpenTelemetry jobs are submitted and run as ever', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  const service = makeService(server).on('plough', '10s', () => 'done');
  await service.start();
  const filed = countTo(service, 'job:succeeded', 1);
  const { _id } = await submit(oada, { service: NAME, type: 'plough' });
  await filed;
  expect(await loadTracing()).toBeUndefined();
  expect(await read(oada, `/${_id}`)).not.toHaveProperty('trace');
});
