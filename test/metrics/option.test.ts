import { ConfigError, Service } from '@oada/jobs';
import { Counter, register, Registry } from 'prom-client';
import type { OpenMetricsContentType } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';

import { jobOf, makeService, NAME, runJob, startServer, TOKEN } from '../setup.js';
import { countsOf, samplesOf } from './exposition.js';

test('there are no metrics where nobody asks for them', async () => {
  const server = await startServer();
  for (const options of [{}, { metrics: false }, { metrics: undefined }] as object[]) {
    const service = makeService(server, 'in process', options);
    await service.start();
    expect(service.metrics).toBeUndefined();
  }
  expect(await samplesOf(register)).toEqual([]);
});

test('true stands for the default registry, which is known when the service has started', async () => {
  onTestFinished(() => {
    register.clear();
  });
  const server = await startServer();
  const service = makeService(server, 'in process', { metrics: true });
  expect(service.metrics).toBeUndefined();
  await service.start();
  expect(service.metrics).toBe(register);
  expect(register.getSingleMetric('oada_jobs_finished_total')).toBeDefined();
});

test('a registry that is given is known from the start, and nothing gets into the default one', async () => {
  const server = await startServer();
  const metrics = new Registry();
  const service = makeService(server, 'in process', { metrics });
  expect(service.metrics).toBe(metrics);
  await service.start();
  expect(metrics.getMetricsAsArray().length).toBeGreaterThan(10);
  expect(register.getMetricsAsArray()).toEqual([]);
});

test('a registry for OpenMetrics is as good', async () => {
  const server = await startServer();
  const metrics = new Registry<OpenMetricsContentType>();
  metrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const service = makeService(server, 'in process', { metrics }).on('plough', '10s', () => undefined);
  await service.start();
  await runJob(service, server.client(TOKEN), jobOf('plough'));
  const text = await metrics.metrics();
  expect(text).toMatch(/^oada_jobs_finished_total\{.*type="plough",outcome="success"\} 1$/m);
  expect(text.endsWith('# EOF\n')).toBe(true);
});

test.each([['yes'], [1], [null], [{}], [{ registerMetric: true }]])('%j is no registry', (metrics) => {
  const oada = { domain: 'localhost', token: 'x' };
  expect(() => new Service({ name: NAME, oada, metrics } as never)).toThrow(ConfigError);
  expect(() => new Service({ name: NAME, oada, metrics } as never)).toThrow('`metrics`');
});

test('a name that is taken is told of at the start, which may be tried again', async () => {
  const server = await startServer();
  const metrics = new Registry();
  new Counter({ name: 'oada_jobs_retries_total', help: 'x', registers: [metrics] });
  const service = makeService(server, 'in process', { metrics });
  await expect(service.start()).rejects.toThrow('another metric oada_jobs_retries_total');
  await expect(service.start()).rejects.toThrow(ConfigError);
  metrics.clear();
  await service.start();
});

test('a registry that was cleared gets new metrics with the next service', async () => {
  const server = await startServer();
  const metrics = new Registry();
  const before = makeService(server, 'in process', { metrics });
  await before.start();
  await before.stop();
  metrics.clear();
  const service = makeService(server, 'in process', { metrics }).on('plough', '10s', () => undefined);
  await service.start();
  await runJob(service, server.client(TOKEN), jobOf('plough'));
  expect(await countsOf(metrics, 'oada_jobs_finished_total', ['outcome'])).toEqual({ success: 1 });
});

test('an outcome that has not been yet stands at zero, so that the first is an increase', async () => {
  const server = await startServer();
  const metrics = new Registry();
  const service = makeService(server, 'in process', { metrics }).on('plough', '10s', () => undefined);
  await service.start();
  const zeros = (await samplesOf(metrics)).filter(({ name }) => name === 'oada_jobs_finished_total');
  expect(
    zeros
      .filter(({ labels }) => labels['type'] === 'plough')
      .map(({ labels, value }) => [labels['outcome'], value]),
  ).toEqual(
    ['success', 'failure', 'timeout', 'cancelled', 'invalid', 'unknown-type', 'lost'].map((outcome) => [
      outcome,
      0,
    ]),
  );
});
