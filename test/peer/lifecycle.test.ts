import { connect, OADAClient } from '@oada/client';
import { Service } from '@oada/jobs';
import type { ServiceSettings, WorkerContext } from '@oada/jobs';
import type { OADAServer } from '@oada/jobs/server';
import { describe, expect, onTestFinished, test } from 'vitest';

import {
  countTo,
  deferred,
  eventsOf,
  JOB_TYPE,
  jobOf,
  listen,
  NAME,
  read,
  startServer,
  TOKEN,
} from '../setup.js';
import type { Stored } from '../setup.js';
import { connected, done, EVERY, LIST_TYPE, PENDING, post, running, serviceOf, withWork } from './scene.js';

describe.each(EVERY)('in the %s layout, with %s,', (layout, source) => {
  test('a service that is started on a fresh store makes its pending list, and is ready for jobs', async () => {
    const server = await startServer();
    const service = withWork(await serviceOf(server, layout, source));
    await service.start();
    const oada = server.client();
    expect(await read(oada, PENDING[layout])).toMatchObject({ _type: LIST_TYPE });
    const { job } = await done({ server, service, oada }, layout, jobOf('echo', { say: 'first' }));
    expect(job).toMatchObject({ status: 'success', result: 'first' });
  });

  test('a work function is given the job and its id, a log, and a client of the store', async () => {
    const scene = await running(layout, source);
    let given: WorkerContext | undefined;
    scene.service.on('look', 5000, async (job, context) => {
      given = context;
      const { data } = await context.oada.get({ path: `/${context.jobId}` });
      return { oadaId: job.oadaId, service: job.service, type: job.type, config: job.config, read: data };
    });
    const { filed, job } = await done(scene, layout, jobOf('look', { to: 'sam' }));
    const { read: seen, ...result } = job.result;
    const posted = { service: 'tractor', type: 'look', config: { to: 'sam' } };
    expect(result).toEqual({ oadaId: filed.jobId, ...posted });
    expect(seen).toMatchObject({ _id: filed.jobId, ...posted });
    expect(given?.jobId).toBe(filed.jobId);
    expect(given?.oada).toBe(scene.service.getClient());
    for (const level of ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const)
      expect(Reflect.get(given?.log ?? {}, level)).toBeTypeOf('function');
  });

  test('a work function may change the config that it was given; the job in the store stays', async () => {
    const scene = await running(layout, source);
    scene.service.on('change', 5000, async (job) => {
      job.config['copy'] = 'resources/copy';
      return job.config;
    });
    const { job } = await done(scene, layout, jobOf('change', { src: 'resources/src' }));
    expect(job.result).toEqual({ src: 'resources/src', copy: 'resources/copy' });
    expect(job.config).toEqual({ src: 'resources/src' });
  });

  test('off() takes a work function away: jobs of its type fail from then on', async () => {
    const scene = await running(layout, source);
    expect((await done(scene, layout, jobOf('echo'))).filed.status).toBe('success');
    scene.service.off('echo');
    expect(() => scene.service.getWorker('echo')).toThrow(/echo/);
    expect((await done(scene, layout, jobOf('echo'))).filed.status).toBe('failure');
    expect((await done(scene, layout, jobOf('fail'))).job.result.name).toBe('RangeError');
  });

  test('getWorker() gives what was registered last', async () => {
    const { service } = await running(layout, source);
    const work = async (): Promise<string> => 'new';
    service.on('echo', 7000, work);
    expect(service.getWorker('echo')).toMatchObject({ timeout: 7000, work });
  });

  test('stop() before start() ends at once, and so does a second one', async () => {
    const server = await startServer();
    const service = await serviceOf(server, layout, source);
    await service.stop();
    await service.stop();
    await expect(service.start()).rejects.toMatchObject({ code: 'OADA_JOBS_LIFECYCLE' });
    await expect(read(server.client(), PENDING[layout])).rejects.toMatchObject({ status: 404 });
  });

  test('no job is taken after stop(), and the next service takes it', async () => {
    const { server, service, oada } = await running(layout, source);
    const told = listen(service);
    await service.stop();
    await post(oada, layout, jobOf('echo'), 'later');
    const next = withWork(await serviceOf(server, layout, source));
    const filed = next.events.next('job:filed');
    await next.start();
    expect(await filed).toMatchObject({ key: 'later', status: 'success' });
    expect(eventsOf(told, 'job:found')).toEqual([]);
  });
});

test.each(['ws', 'http'] as const)(
  'several services share one client over %s, which outlives them',
  async (way) => {
    const server = await startServer();
    const client = await connected(server, way);
    const names = ['one', 'two', 'three'];
    const services = names.map((name) =>
      new Service({ name, oada: client }).on('who', 5000, async () => name),
    );
    onTestFinished(async () => {
      await Promise.all(services.map((service) => service.stop()));
    });
    await Promise.all(services.map((service) => service.start()));
    const oada = server.client();
    const results = services.map(async (service) => {
      const filed = service.events.next('job:filed');
      const { headers } = await oada.post({
        path: '/resources',
        data: { service: service.name, type: 'who', config: {} },
        contentType: LIST_TYPE,
      });
      const _id = headers['content-location']!.slice(1);
      const path = `/bookmarks/services/${service.name}/jobs/pending/key`;
      await oada.put({ path, data: { _id }, contentType: JOB_TYPE });
      await filed;
      const job: Stored = await read(oada, `/${_id}`);
      return job.result as string;
    });
    expect(await Promise.all(results)).toEqual(names);
    const [first, ...others] = services;
    await first?.stop();
    expect((await client.get({ path: '/bookmarks' })).status).toBe(200);
    await Promise.all(others.map((service) => service.stop()));
    expect((await client.get({ path: '/bookmarks' })).status).toBe(200);
  },
);

/** A service that is given this does jobs. */
async function works(server: OADAServer, oada: ServiceSettings['oada']): Promise<void> {
  const service = withWork(new Service({ name: 'tractor', oada }));
  onTestFinished(() => service.stop());
  await service.start();
  const scene = { server, service, oada: server.client() };
  expect((await done(scene, 'nested', jobOf('echo', { say: 1 }))).job.result).toBe(1);
}

test('a client that is made with `new`, and connects by itself, will do', async () => {
  const server = await startServer();
  const client = new OADAClient({ domain: server.url, token: TOKEN, connection: 'ws' });
  onTestFinished(() => client.disconnect());
  await works(server, client);
});

test('what `connect` of @oada/client takes will do for `oada`, whatever else is in it', async () => {
  const server = await startServer();
  await works(server, { domain: server.url, token: TOKEN, concurrency: 4, connection: 'http' });
});

test.each<[string, number | undefined, number | undefined, number]>([
  ['neither says', undefined, undefined, 10],
  ['the client makes one request at a time', 1, undefined, 10],
  ['the client makes three', 3, undefined, 3],
  ['the service says one', undefined, 1, 1],
  ['both say', 3, 5, 5],
])('so many jobs run at once where %s (%s, %s): %i', async (_case, ofClient, ofService, expected) => {
  const server = await startServer();
  const address = { domain: server.url, token: TOKEN, connection: 'ws' as const };
  const client = await connect({ ...address, ...(ofClient !== undefined && { concurrency: ofClient }) });
  onTestFinished(() => client.disconnect());
  const settings = { name: NAME, oada: client, ...(ofService !== undefined && { concurrency: ofService }) };
  const service = new Service(settings);
  onTestFinished(() => service.stop());
  const full = deferred();
  let most = 0;
  let now = 0;
  service.on('wait', 10_000, async () => {
    most = Math.max(most, ++now);
    if (now === expected) full.resolve();
    await full.promise;
    now--;
  });
  await service.start();
  const all = countTo(service, 'job:filed', 12);
  const oada = server.client();
  await Promise.all(Array.from({ length: 12 }, () => post(oada, 'nested', jobOf('wait'))));
  await all;
  expect(most).toBe(expected);
});

test('a list of tokens is refused: there is a service for each', () => {
  const oada = { domain: 'localhost', token: ['one', 'two'] } as unknown as { domain: string; token: string };
  expect(() => new Service({ name: 'tractor', oada })).toThrow(/`token`/);
});
