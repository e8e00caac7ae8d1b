import { Service } from '@oada/jobs';
import { expect, test } from 'vitest';

import {
  allFiled,
  BASE,
  deferred,
  ensureLists,
  eventsOf,
  jobOf,
  keysOf,
  listen,
  makeService,
  NAME,
  postJob,
  postResource,
  putEntry,
  read,
  startServer,
  WAYS,
} from './setup.js';

const JSON_TYPE = 'application/json';

test.each(WAYS)('of two services on one queue, one runs and files each job, %s', async (way) => {
  const server = await startServer();
  const oada = server.client();
  await ensureLists(oada);
  const runs = new Map<string, number>();
  const all = deferred();
  let filed = 0;
  const services = [1, 2].map((number) => {
    const service = makeService(server, way).on('plough', '20s', async ({ _id }) => {
      runs.set(_id, (runs.get(_id) ?? 0) + 1);
      await Promise.resolve();
      return number;
    });
    service.events.on('job:filed', () => {
      if (++filed === 300) all.resolve();
    });
    return { service, told: listen(service) };
  });
  for (const { service } of services) await service.start();
  for (let count = 0; count < 300; count++) await postJob(oada, jobOf('plough'));
  await all.promise;
  for (const { service } of services) await service.stop();

  expect(runs.size).toBe(300);
  expect(new Set(runs.values())).toEqual(new Set([1]));
  const index = await allFiled(oada);
  expect(new Set(index.map(({ id }) => id)).size).toBe(300);
  expect(index).toHaveLength(300);
  expect(keysOf(await read(oada, `${BASE}/jobs`))).toEqual([]);
  const shares = services.map(({ told }) => eventsOf(told, 'job:filed').length);
  expect(shares.reduce((sum, share) => sum + share)).toBe(300);
});

test('a holder whose claim was taken over stores no result, and does not file', async () => {
  const server = await startServer();
  const oada = server.client();
  const gate = deferred();
  const running = deferred();
  const service = makeService(server).on('slow', '10s', async () => {
    running.resolve();
    await gate.promise;
    return 'of the stale holder';
  });
  await service.start();
  const skipped = service.events.next('job:skipped');
  const jobId = await postJob(oada, jobOf('slow'), 'mine');
  await running.promise;
  const claim = { instance: 'another', attempt: 2 };
  await oada.put({ path: `/${jobId}`, data: { claim }, contentType: JSON_TYPE });
  gate.resolve();
  expect(await skipped).toMatchObject({ key: 'mine', reason: expect.stringContaining('taken it over') });
  const job = await read(oada, `/${jobId}`);
  expect(job).toMatchObject({ status: 'running', claim });
  expect(job).not.toHaveProperty('result');
  expect(await allFiled(oada)).toEqual([]);
  expect(keysOf(await read(oada, `${BASE}/jobs`))).toEqual(['mine']);
});

test('a holder whose job is written to by others, its claim untouched, files it', async () => {
  const server = await startServer();
  const oada = server.client();
  const service = makeService(server).on('slow', '10s', async ({ _id }, { log }) => {
    await oada.put({ path: `/${_id}`, data: { note: 1 }, contentType: JSON_TYPE });
    await log.info('between');
    await oada.put({ path: `/${_id}`, data: { note: 2 }, contentType: JSON_TYPE });
    return 'done';
  });
  await service.start();
  const filed = service.events.next('job:filed');
  const jobId = await postJob(oada, jobOf('slow'));
  expect(await filed).toMatchObject({ status: 'success' });
  expect(await read(oada, `/${jobId}`)).toMatchObject({ note: 2, result: 'done', status: 'success' });
});

test('a job that another instance has is left to it while that lives, and taken over when it dies', async () => {
  const server = await startServer();
  const oada = server.client();
  let runs = 0;
  const options = { leaseTimeout: 150 };
  const service = makeService(server, 'in process', options).on('slow', '10s', () => ++runs);
  await service.start();
  let beats = 0;
  const beat = (): Promise<unknown> =>
    oada.put({ path: '/resources/another', data: { beats: ++beats }, contentType: JSON_TYPE });
  await beat();
  const held = service.events.next('job:held');
  const claim = { instance: 'another', attempt: 1 };
  const jobId = await postJob(oada, { ...jobOf('slow'), status: 'running', claim, attempts: 1 }, 'theirs');
  expect(await held).toMatchObject({ key: 'theirs', instance: 'another' });
  // It beats faster than it is looked at: for five looks, and so for longer than the lease.
  for (let looks = 0; looks < 5; looks++) {
    await service.events.next('store:requested', ({ method }) => method === 'head');
    await beat();
  }
  expect(runs).toBe(0);
  expect(await allFiled(oada)).toEqual([]);

  const lost = service.events.next('instance:lost');
  const filed = service.events.next('job:filed');
  expect(await lost).toMatchObject({ instance: 'another', jobs: 1 });
  await filed;
  expect(runs).toBe(1);
  expect(await read(oada, `/${jobId}`)).toMatchObject({ status: 'success', attempts: 2, takeovers: 1 });
});

test('a job that its instance has ended, but not filed, is filed when that dies, and not run', async () => {
  const server = await startServer();
  const oada = server.client();
  let runs = 0;
  const service = makeService(server, 'in process', { leaseTimeout: 100 }).on('slow', '10s', () => ++runs);
  await service.start();
  await oada.put({ path: '/resources/another', data: { beats: 1 }, contentType: JSON_TYPE });
  const filed = service.events.next('job:filed');
  const claim = { instance: 'another', attempt: 1 };
  await postJob(oada, { ...jobOf('slow'), status: 'success', result: 'theirs', claim }, 'theirs');
  expect(await filed).toMatchObject({ status: 'success' });
  expect(runs).toBe(0);
});

test('a job that kills its instance again and again is filed as lost', async () => {
  const server = await startServer();
  const oada = server.client();
  let runs = 0;
  const service = makeService(server, 'in process', { maxAttempts: 2 }).on('slow', '10s', () => ++runs);
  await service.start();
  const filed = service.events.next('job:filed');
  const claim = { instance: 'another', attempt: 2 };
  const jobId = await postJob(oada, {
    ...jobOf('slow'),
    status: 'running',
    claim,
    attempts: 2,
    takeovers: 1,
  });
  expect(await filed).toMatchObject({ status: 'failure' });
  expect(runs).toBe(0);
  expect(await read(oada, `/${jobId}`)).toMatchObject({
    failureType: 'lost',
    result: { code: 'OADA_JOBS_JOB_LOST' },
  });
});

test('a job that was running when its service died is run again, and its attempts counted', async () => {
  const server = await startServer();
  const oada = server.client();
  await ensureLists(oada);
  const claim = { instance: 'dead', attempt: 1 };
  const jobId = await postResource(oada, { ...jobOf('slow'), status: 'running', claim, attempts: 1 });
  await putEntry(oada, 'left', { _id: jobId });
  await using service = new Service(NAME, server.client()).on('slow', '10s', ({ attempts }) => attempts);
  const started = service.events.next('job:started');
  const filed = service.events.next('job:filed');
  await service.start();
  expect(await started).toMatchObject({ jobId, attempt: 2 });
  await filed;
  expect(await read(oada, `/${jobId}`)).toMatchObject({
    status: 'success',
    attempts: 2,
    claim: { attempt: 2 },
  });
});

test('a claim whose answer is lost is ours all the same: the job is run, once', async () => {
  const server = await startServer();
  const client = server.client();
  const put = client.put.bind(client);
  let losses = 0;
  Object.assign(client, {
    put: async (request: Parameters<typeof put>[0]) => {
      const answer = await put(request);
      if (losses > 1 || request.etagIfMatch === undefined) return answer;
      losses++;
      throw Object.assign(new Error('gone'), { code: 'ECONNRESET' });
    },
  });
  let runs = 0;
  await using service = new Service(NAME, client).on('slow', '10s', () => ++runs);
  await service.start();
  const filed = service.events.next('job:filed');
  const jobId = await postJob(server.client(), jobOf('slow'));
  expect(await filed).toMatchObject({ status: 'success' });
  expect(losses).toBe(2); // of the claim, and of the end
  expect(await read(server.client(), `/${jobId}`)).toMatchObject({ result: 1, attempts: 1 });
});

test('a store that fails at any one write loses no job and runs none twice', async () => {
  for (let failAt = 1; failAt <= 5; failAt++) {
    for (const before of [true, false]) {
      const server = await startServer();
      const client = server.client();
      let writes = 0;
      const failing = <Request, Answer>(send: (request: Request) => Promise<Answer>) => {
        return async (request: Request): Promise<Answer> => {
          const fails = ++writes === failAt;
          const failure = Object.assign(new Error('overloaded'), { status: 503, code: '503' });
          if (fails && before) throw failure;
          const answer = await send(request);
          if (fails) throw failure;
          return answer;
        };
      };
      let runs = 0;
      await using service = new Service(NAME, client).on('slow', '10s', () => ++runs);
      await service.start();
      Object.assign(client, {
        put: failing(client.put.bind(client)),
        delete: failing(client.delete.bind(client)),
      });
      const filed = service.events.next('job:filed');
      const jobId = await postJob(server.client(), jobOf('slow'), 'mine');
      expect(await filed).toMatchObject({ jobId, status: 'success' });
      expect(runs).toBe(1);
      expect(await allFiled(server.client())).toMatchObject([{ key: 'mine', id: jobId, status: 'success' }]);
      expect(keysOf(await read(server.client(), `${BASE}/jobs`))).toEqual([]);
    }
  }
});
