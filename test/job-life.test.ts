import { describe, expect, test } from 'vitest';

import {
  allFiled,
  BASE,
  ensureLists,
  eventsOf,
  jobOf,
  keysOf,
  listen,
  makeService,
  newKey,
  postJob,
  postResource,
  putEntry,
  read,
  runJob,
  startServer,
  TOKEN,
  WAYS,
} from './setup.js';

describe.each(WAYS)('a job, %s', (way) => {
  test('is run when it was posted before the service started', async () => {
    const server = await startServer();
    const oada = server.client();
    await ensureLists(oada);
    const jobId = await postJob(oada, jobOf('plough', { acres: 3 }), 'early');

    const service = makeService(server, way).on('plough', '5s', ({ config }) => ({
      ploughed: config['acres'],
    }));
    const filed = service.events.next('job:filed');
    await service.start();

    const path: unknown = expect.stringMatching(/\/jobs-success\/day-index\/\d{4}-\d\d-\d\d\/early$/);
    const end = { type: 'plough', status: 'success', failureType: undefined, path };
    expect(await filed).toEqual({ queue: 'default', key: 'early', jobId, ...end });
    expect(await read(oada, `/${jobId}`)).toMatchObject({ status: 'success', result: { ploughed: 3 } });
  });

  test('is run when it is posted while the service runs', async () => {
    const server = await startServer();
    const service = makeService(server, way).on('plough', '5s', () => 'done');
    await service.start();
    const job = await runJob(service, server.client(), jobOf('plough'));
    expect(job).toMatchObject({ status: 'success', result: 'done' });
  });

  test.each([
    ['an object', { a: { b: [1, { c: null }] } }],
    ['an array', [1, 'two', [3], { four: 4 }]],
    ['text', 'done'],
    ['empty text', ''],
    ['a number', 42.5],
    ['zero', 0],
    ['true', true],
    ['false', false],
    ['null', null],
  ])('keeps its result: %s', async (_what, result) => {
    const server = await startServer();
    const service = makeService(server, way).on('plough', '5s', async () => result);
    await service.start();
    const job = await runJob(service, server.client(), jobOf('plough'));
    expect(job).toMatchObject({ status: 'success' });
    expect(job.result).toStrictEqual(result);
  });

  test('has no result when its work function returns undefined', async () => {
    const server = await startServer();
    const service = makeService(server, way).on('plough', '5s', () => undefined);
    await service.start();
    const job = await runJob(service, server.client(), jobOf('plough'));
    expect(job.status).toBe('success');
    expect(job).not.toHaveProperty('result');
  });

  test('that logs nothing costs one GET, three PUTs at most, and one DELETE', async () => {
    const server = await startServer();
    const service = makeService(server, way).on('plough', '5s', () => 'done');
    await service.start();
    const oada = server.client();
    await runJob(service, oada, jobOf('plough')); // makes the day's list
    const told = listen(service);
    await runJob(service, oada, jobOf('plough'));
    const methods = eventsOf(told, 'store:requested').map(({ method }) => method);
    expect(methods).toEqual(['get', 'put', 'put', 'put', 'delete']);
  });
});

test('a finished job is in the index of its day in UTC, and no longer pending', async () => {
  const server = await startServer();
  const oada = server.client();
  const service = makeService(server).on('plough', '5s', () => 'done');
  await service.start();
  const job = await runJob(service, oada, jobOf('plough'), 'mine');
  const times = Object.values<{ time: string }>(job.updates).map(({ time }) => time);
  expect(await allFiled(oada)).toEqual([
    { status: 'success', date: times.at(-1)!.slice(0, 10), key: 'mine', id: job._id },
  ]);
  expect(keysOf(await read(oada, `${BASE}/jobs`))).toEqual([]);
});

test('a finished job tells of its run', async () => {
  const server = await startServer();
  const oada = server.client();
  const service = makeService(server).on('plough', '5s', async (_job, { log }) => {
    void log.info('half of it');
    await log.error('a stone', { size: 3 });
    return { ok: true };
  });
  await service.start();
  const job = await runJob(service, oada, jobOf('plough', { acres: 1 }));
  expect(job).toMatchObject({
    service: 'tractor',
    type: 'plough',
    config: { acres: 1 },
    status: 'success',
    result: { ok: true },
    attempts: 1,
    claim: { instance: expect.any(String), attempt: 1 },
  });
  const updates = Object.entries<{ status: string; time: string; meta?: unknown }>(job.updates);
  const sorted = updates.toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, update]) => update);
  expect(sorted.map(({ status, meta }) => [status, meta])).toEqual([
    ['started', 'Runner started'],
    ['half of it', undefined],
    ['a stone', { size: 3 }],
    ['success', 'Runner finished'],
  ]);
  const times = sorted.map(({ time }) => time);
  expect(times).toEqual(times.toSorted());
  for (const time of times) expect(new Date(time).toISOString()).toBe(time);
});

test('is filed in three writes: its end, the link in the index, and the pending link is removed', async () => {
  const server = await startServer();
  const oada = server.client();
  const service = makeService(server).on('plough', '5s', () => 'done');
  await service.start();
  await runJob(service, oada, jobOf('plough')); // makes the day's list
  const jobId = await postResource(oada, jobOf('plough'));
  const [index] = await allFiled(oada);
  const seen: string[] = [];
  const watch = async (name: string, path: string): Promise<void> => {
    const { changes } = await oada.watch({ path, type: 'tree' });
    const follow = async (): Promise<void> => {
      for await (const [change] of changes) {
        const body = JSON.stringify(change?.body);
        if (name === 'job' && !body.includes('"status":"success","result"')) continue;
        if (name === 'pending' && change?.type !== 'delete') continue;
        seen.push(name);
      }
    };
    follow().catch(() => undefined); // it ends with the server
  };
  await watch('job', `/${jobId}`);
  await watch('index', `${BASE}/jobs-success/day-index/${index!.date}`);
  await watch('pending', `${BASE}/jobs`);
  const filed = service.events.next('job:filed');
  await putEntry(oada, newKey(), { _id: jobId });
  await filed;
  await expect.poll(() => seen).toEqual(['job', 'index', 'pending']);
});

test.each(['success', 'failure'] as const)(
  'a pending job that has ended already, with %s, is filed and not run again',
  async (status) => {
    const server = await startServer();
    const oada = server.client();
    let runs = 0;
    const service = makeService(server).on('plough', '5s', () => ++runs);
    await service.start();
    const ended = {
      ...jobOf('plough'),
      status,
      result: 'of before',
      updates: { '1': { status, time: '2024-02-29T23:59:59.000Z' } },
    };
    const job = await runJob(service, oada, ended, 'ended');
    expect(job).toMatchObject({ status, result: 'of before' });
    expect(runs).toBe(0);
    // Under the day of its end, so that filing it twice does not make two entries.
    expect(await allFiled(oada)).toEqual([{ status, date: '2024-02-29', key: 'ended', id: job._id }]);
  },
);

test('the client that a work function is given has the token of the queue', async () => {
  const server = await startServer();
  const service = makeService(server, 'over a socket').on('plough', '5s', async (_job, { oada, jobId }) => {
    await oada.put({ path: `/${jobId}`, data: { note: 'from the work' }, contentType: 'application/json' });
    return oada.getToken();
  });
  await service.start();
  const job = await runJob(service, server.client(), jobOf('plough'));
  expect(job).toMatchObject({ result: TOKEN, note: 'from the work', status: 'success' });
});

test('a job that is linked before it is written is run when it is', async () => {
  const server = await startServer();
  const oada = server.client();
  const service = makeService(server).on('plough', '5s', () => 'done');
  await service.start();
  const _id = await postResource(oada, {});
  const looked = service.events.next('store:requested', ({ method }) => method === 'get');
  const filed = service.events.next('job:filed');
  await putEntry(oada, 'later', { _id });
  await looked;
  await oada.put({ path: `/${_id}`, data: jobOf('plough'), contentType: 'application/json' });
  expect(await filed).toMatchObject({ key: 'later', status: 'success' });
});

test('versioned pending links do no harm', async () => {
  const server = await startServer();
  const oada = server.client();
  let runs = 0;
  const service = makeService(server, 'over a socket').on('plough', '5s', async (_job, { log }) => {
    runs++;
    for (let part = 0; part < 5; part++) await log.info(`part ${String(part)}`);
  });
  const told = listen(service);
  await service.start();
  for (let count = 1; count <= 5; count++) {
    const _id = await postResource(oada, jobOf('plough'));
    const filed = service.events.next('job:filed');
    await putEntry(oada, newKey(), { _id, _rev: 0 });
    expect(await filed).toMatchObject({ jobId: _id, status: 'success' });
  }
  await runJob(service, oada, jobOf('plough'));
  expect(runs).toBe(6);
  expect(eventsOf(told, 'job:filed')).toHaveLength(6);
  expect(eventsOf(told, 'job:failed')).toEqual([]);
});

test('a key can be used again for another job', async () => {
  const server = await startServer();
  const oada = server.client();
  const service = makeService(server, 'over a socket').on('plough', '5s', ({ config }) => config);
  await service.start();
  for (let count = 1; count <= 20; count++) {
    const job = await runJob(service, oada, jobOf('plough', { count }), 'always');
    expect(job.result).toEqual({ count });
  }
});
