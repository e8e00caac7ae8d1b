import { JobError, postJob as post, Service, submit, waitForJob } from '@oada/jobs';
import { describe, expect, onTestFinished, test } from 'vitest';

import {
  BASE,
  ensureLists,
  eventsOf,
  jobOf,
  keysOf,
  listen,
  makeService,
  NAME,
  postResource,
  read,
  runJob,
  startServer,
  TOKEN,
} from './setup.js';
import type { Stored } from './setup.js';

const TODAY = new Date().toISOString().slice(0, 10);
const LIST_TYPE = 'application/vnd.oada.service.jobs.1+json';

function deep(levels: number): unknown {
  return levels === 0 ? 0 : { inner: deep(levels - 1) };
}

describe('a failure type', () => {
  test.each(['', `a${'😀'.repeat(150)}`, '\ud800'])(
    'that cannot be a key is no reason not to file: %j',
    async (type) => {
      const server = await startServer();
      const oada = server.client();
      const service = makeService(server)
        .on('bad', '5s', () => {
          throw new JobError('no', type);
        })
        .on('other', '5s', () => {
          throw new JobError('no', 'luck');
        });
      await service.start();
      expect(await runJob(service, oada, jobOf('bad'))).toMatchObject({ status: 'failure' });
      const preset = { ...jobOf('bad'), status: 'failure', failureType: type };
      expect(await runJob(service, oada, preset)).toMatchObject({ status: 'failure' });
      await runJob(service, oada, jobOf('other'), 'last');
      const typed: Stored = await read(oada, `${BASE}/jobs-typed-failure/luck/day-index/${TODAY}`);
      expect(keysOf(typed)).toEqual(['last']);
    },
  );

  test('of an earlier run is not that of the next', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = makeService(server).on('bad', '5s', () => {
      throw new Error('of no type');
    });
    await service.start();
    const stale = { failureType: 'luck', result: { JobError: 'luck', stale: true } };
    const job = await runJob(service, oada, { ...jobOf('bad'), ...stale });
    expect(job.failureType).toBeNull();
    expect(job.result).toEqual({ name: 'Error', message: 'of no type' });
    await expect(waitForJob(oada, job._id as string)).rejects.toMatchObject({ type: undefined });
  });
});

describe('what is logged decides nothing', () => {
  test.each(['success', 'failure'] as const)('not when the store would not take it: a %s', async (ending) => {
    const server = await startServer();
    const service = makeService(server).on('talk', '5s', (_job, { log }) => {
      void log.info('one');
      void log.info('two', deep(600));
      void log.info('three');
      if (ending === 'failure') throw new Error('broken');
      return 'done';
    });
    await service.start();
    const job = await runJob(service, server.client(), jobOf('talk'));
    expect(job.status).toBe(ending);
    const statuses = Object.values(job.updates as Record<string, { status: string }>).map(
      ({ status }) => status,
    );
    expect(statuses).toEqual(expect.arrayContaining(['one', 'two', 'three']));
  });

  test('nor when it throws at being looked at', async () => {
    const server = await startServer();
    const bad = {
      get y(): never {
        throw new Error('do not look');
      },
    };
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const service = makeService(server).on('talk', '5s', (_job, { log }) => {
      void log.child({ a: 1 }).info('with bindings', bad);
      void log.child(bad).info('of a child');
      void log.info(proxy);
      void log.error(Object.defineProperty(new Error('x'), 'message', { get: () => bad.y }));
      void log.info('very deep', deep(4000));
      return 'done';
    });
    await service.start();
    expect(await runJob(service, server.client(), jobOf('talk'))).toMatchObject({ status: 'success' });
  });
});

describe('a list that is deleted while the service runs', () => {
  test.each(['jobs-success', 'jobs/success'])(
    'is made again, and not as a part of another: %s',
    async (list) => {
      const server = await startServer();
      const oada = server.client();
      await ensureLists(oada);
      const service = makeService(server).on('good', '5s', () => 'good');
      await service.start();
      const pending = list === 'jobs/success' ? `${BASE}/jobs/pending` : `${BASE}/jobs`;
      const run = async (): Promise<string> => {
        const filed = service.events.next('job:filed');
        await post(oada, pending, { service: NAME, type: 'good' });
        return (await filed).key;
      };
      await run();
      await oada.delete({ path: `${BASE}/${list}` });
      const keys = [await run(), await run()];
      expect(await read(oada, `${BASE}/${list}`)).toMatchObject({ _type: LIST_TYPE });
      expect(keysOf(await read(oada, `${BASE}/${list}/day-index/${TODAY}`))).toEqual(keys);
    },
  );

  test('and made anew by somebody is noticed, also at the same revision', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = makeService(server, 'in process', { layout: 'nested', checkInterval: 100 }).on(
      'good',
      '5s',
      () => 1,
    );
    await service.start();
    const { rev } = await revisionOf();
    await oada.delete({ path: `${BASE}/jobs/pending` });
    const _id = await postResource(oada, {}, LIST_TYPE);
    await oada.put({ path: `${BASE}/jobs`, data: { pending: { _id } }, contentType: 'application/json' });
    for (let at = 1; at < rev - 1; at++)
      await oada.put({ path: `/${_id}`, data: {}, contentType: LIST_TYPE });
    const filed = service.events.next('job:filed');
    const job = await submit(oada, { service: NAME, type: 'good', layout: 'nested' });
    expect((await filed).key).toBe(job.key);

    async function revisionOf(): Promise<{ rev: number }> {
      const list: Stored = await read(oada, `${BASE}/jobs/pending`);
      return { rev: list._rev };
    }
  });
});

test('producers of ours put jobs into a list that another has put inline', async () => {
  const server = await startServer();
  const oada = server.client();
  const service = new Service(NAME, server.client(TOKEN));
  onTestFinished(() => service.stop());
  service.on('good', '5s', () => 'good');
  await service.start();
  const foreign = await postResource(oada, jobOf('good'));
  const data = { pending: { foreign: { _id: foreign } } };
  const held = service.events.next('job:filed');
  await service.pause();
  await oada.put({ path: `${BASE}/jobs`, data, contentType: 'application/json' });
  const job = await submit(oada, { service: NAME, type: 'good' });
  expect(job.path).toContain('/jobs/pending/');
  await service.resume();
  await held;
  expect((await waitForJob(oada, job)).result).toBe('good');
});

test('a job under the key pending, or a link there that leads to something else, is left alone', async () => {
  const server = await startServer();
  const oada = server.client();
  await ensureLists(oada);
  const job = await postResource(oada, jobOf('good', { some: 'thing' }));
  await oada.put({ path: `${BASE}/jobs`, data: { pending: { _id: job } }, contentType: 'application/json' });
  const service = makeService(server).on('good', '5s', () => 'good');
  const told = listen(service);
  await service.start();
  expect(await runJob(service, oada, jobOf('good'))).toMatchObject({ status: 'success' });
  expect(await read(oada, `/${job}`)).toMatchObject({ type: 'good', config: { some: 'thing' } });
  expect(eventsOf(told, 'queue:failed')).toMatchObject([
    { error: { message: expect.stringContaining('no list of jobs') } },
  ]);
});

test('a claim of nobody holds no job up', async () => {
  const server = await startServer();
  const service = makeService(server).on('good', '5s', () => 'good');
  await service.start();
  const claimed = { ...jobOf('good'), status: 'running', claim: { instance: '', attempt: 1 } };
  expect(await runJob(service, server.client(), claimed)).toMatchObject({ status: 'success' });
});
