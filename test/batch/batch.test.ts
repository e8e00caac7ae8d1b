import { JobError, retryIn } from '@oada/jobs';
import type { BatchJob, BatchOptions } from '@oada/jobs';
import { describe, expect, test } from 'vitest';

import {
  BASE,
  countTo,
  deferred,
  ensureLists,
  eventsOf,
  jobOf,
  listen,
  makeService,
  OTHER_TOKEN,
  postJob,
  QUEUE_TREE,
  read,
  startServer,
  TOKEN,
  WAYS,
} from '../setup.js';
import type { Stored } from '../setup.js';
import { jobsOf, LIMITS, namesOf, postJobs } from './setup.js';
import type { Named } from './setup.js';

describe.each(WAYS)('%s', (way) => {
  test('jobs are done together, and each is filed with its own result and its own log', async () => {
    const server = await startServer();
    const oada = server.client();
    await postJobs(oada, jobsOf('press', ['a', 'b', 'c', 'd', 'e', 'f']));
    const calls: string[][] = [];
    const service = makeService(server, way).onBatch<Named>('press', LIMITS, (jobs) => {
      calls.push(namesOf(jobs));
      for (const { job, log } of jobs) void log.info('pressed', { name: job.config.name });
      return jobs.map(({ job, jobId }) => ({ name: job.config.name, jobId }));
    });
    const told = listen(service);
    const filed = countTo(service, 'job:filed', 6);
    await service.start();
    await filed;
    expect(calls.map(({ length }) => length)).toEqual([3, 3]);
    expect(calls.flat().toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    for (const { key, jobId, status } of eventsOf(told, 'job:filed')) {
      const job = await read(oada, `/${jobId}`);
      expect(status).toBe('success');
      expect(job).toMatchObject({ status, attempts: 1, result: { name: key, jobId } });
      const logged = Object.values<Stored>(job.updates).filter((update) => update.status === 'pressed');
      expect(logged).toMatchObject([{ meta: { name: key } }]);
    }
  });
});

test('each job of a batch comes to its own end: a result, a failure, another run', async () => {
  const server = await startServer();
  const oada = server.client();
  await postJobs(oada, jobsOf('press', ['bad', 'good', 'later']));
  const calls: string[][] = [];
  const options = { ...LIMITS, maxWait: 50 };
  const service = makeService(server).onBatch<Named>('press', options, (jobs) => {
    calls.push(namesOf(jobs));
    return jobs.map(({ job }) => {
      if (job.config.name === 'bad') return new JobError('spoilt', 'mouldy');
      return job.config.name === 'later' && calls.length === 1 ? retryIn(1) : 'done';
    });
  });
  const told = listen(service);
  const filed = countTo(service, 'job:filed', 3);
  await service.start();
  await filed;
  expect(calls).toEqual([['bad', 'good', 'later'], ['later']]);
  const ends: Record<string, Stored> = {};
  for (const { key, jobId } of eventsOf(told, 'job:filed')) ends[key] = await read(oada, `/${jobId}`);
  expect(ends).toMatchObject({
    bad: { status: 'failure', failureType: 'mouldy', result: { message: 'spoilt' } },
    good: { status: 'success', result: 'done' },
    later: { status: 'success', result: 'done', attempts: 1 },
  });
});

test.each([
  ['throws', () => Promise.reject(new Error('jammed')), 'jammed', undefined],
  ['returns too few results', () => [1, 2], 'has 3 jobs, but its function returned an array of 2', undefined],
  ['takes too long', () => new Promise(() => undefined), 'not done within 50 ms', 'timeout'],
] as const)('a function that %s fails all jobs of the batch', async (_name, work, message, failureType) => {
  const server = await startServer();
  const oada = server.client();
  await postJobs(oada, jobsOf('press', ['a', 'b', 'c']));
  const service = makeService(server).onBatch('press', { ...LIMITS, timeout: 50, grace: 10 }, work);
  const told = listen(service);
  const filed = countTo(service, 'job:filed', 3);
  await service.start();
  await filed;
  for (const { jobId } of eventsOf(told, 'job:filed')) {
    const job = await read(oada, `/${jobId}`);
    expect(job.status).toBe('failure');
    expect(job.failureType).toBe(failureType);
    expect(job.result.message).toContain(message);
  }
});

test('what is no array is the result of all', async () => {
  const server = await startServer();
  const oada = server.client();
  await postJobs(oada, jobsOf('press', ['a', 'b', 'c']));
  const service = makeService(server).onBatch('press', LIMITS, (jobs) => ({ pressed: jobs.length }));
  const told = listen(service);
  const filed = countTo(service, 'job:filed', 3);
  await service.start();
  await filed;
  for (const { jobId } of eventsOf(told, 'job:filed'))
    expect(await read(oada, `/${jobId}`)).toMatchObject({ status: 'success', result: { pressed: 3 } });
});

test('a batch that fails is tried again, where its type says so', async () => {
  const server = await startServer();
  const oada = server.client();
  await postJobs(oada, jobsOf('press', ['a', 'b', 'c']));
  let calls = 0;
  const options = { ...LIMITS, retries: { limit: 1, backoff: 1, jitter: 0 } };
  const service = makeService(server).onBatch('press', options, () => {
    if (++calls === 1) throw new Error('not yet');
  });
  const filed = countTo(service, 'job:succeeded', 3);
  await service.start();
  await filed;
  expect(calls).toBe(2);
});

test('a job whose config is not what the type takes is in no batch', async () => {
  const server = await startServer();
  const oada = server.client();
  const config = { properties: { name: { type: 'string' } } };
  await postJobs(oada, {
    bad: jobOf('press', { name: 1 }),
    ...jobsOf('press', ['a', 'b', 'c']),
  });
  const calls: string[][] = [];
  const service = makeService(server).onBatch<Named>('press', { ...LIMITS, config }, (jobs) => {
    calls.push(namesOf(jobs));
  });
  const told = listen(service);
  const filed = countTo(service, 'job:filed', 4);
  await service.start();
  await filed;
  expect(calls).toEqual([['a', 'b', 'c']]);
  expect(eventsOf(told, 'job:failed')).toMatchObject([{ key: 'bad', error: { name: 'InvalidJobError' } }]);
});

test('the jobs of several queues are done together, each with the client of its own', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  await ensureLists(oada);
  const queue = { domain: server.url, token: OTHER_TOKEN };
  await oada.put({ path: `${BASE}/queues/kim`, data: queue, tree: QUEUE_TREE });
  const service = makeService(server).onBatch('press', { ...LIMITS, maxSize: 2 }, (jobs) =>
    jobs.map(({ oada }) => (oada.getToken() === TOKEN ? 'sam' : 'kim')),
  );
  const told = listen(service);
  const started = countTo(service, 'queue:started', 2);
  await service.start();
  await started;
  const filed = countTo(service, 'job:filed', 2);
  const kim = server.client(OTHER_TOKEN);
  const ids = { sam: await postJob(oada, jobOf('press')), kim: await postJob(kim, jobOf('press')) };
  await filed;
  expect(await read(oada, `/${ids.sam}/result`)).toBe('sam');
  expect(await read(kim, `/${ids.kim}/result`)).toBe('kim');
  expect(eventsOf(told, 'job:failed')).toEqual([]);
});

test('a job that is cancelled while its batch is done is filed at once, and the others go on', async () => {
  const server = await startServer();
  const oada = server.client();
  await postJobs(oada, jobsOf('press', ['a', 'b', 'c']));
  const [begun, end] = [deferred<readonly BatchJob<Named>[]>(), deferred()];
  const service = makeService(server).onBatch<Named>('press', LIMITS, async (jobs) => {
    begun.resolve(jobs);
    await end.promise;
    return jobs.map(({ signal }) => signal.aborted);
  });
  const told = listen(service);
  await service.start();
  const jobs = await begun.promise;
  const failed = service.events.next('job:filed');
  await service.cancel('b');
  expect(await failed).toMatchObject({ key: 'b', status: 'failure', failureType: 'cancelled' });
  expect(jobs.find(({ job }) => job.config.name === 'b')?.signal.aborted).toBe(true);
  const filed = countTo(service, 'job:filed', 2);
  end.resolve();
  await filed;
  expect(
    eventsOf(told, 'job:filed')
      .map(({ key, status }) => `${key}: ${status}`)
      .toSorted(),
  ).toEqual(['a: success', 'b: failure', 'c: success']);
  expect(eventsOf(told, 'job:stuck')).toEqual([]);
});

test('a job that is cancelled before its batch begins is not in it', async () => {
  const server = await startServer();
  const oada = server.client();
  const calls: string[][] = [];
  const service = makeService(server).onBatch<Named>('press', LIMITS, (jobs) => {
    calls.push(namesOf(jobs));
  });
  await service.start();
  const started = service.events.next('job:started');
  await postJob(oada, jobOf('press', { name: 'a' }), 'a');
  await started;
  const failed = service.events.next('job:filed');
  await service.cancel('a');
  expect(await failed).toMatchObject({ key: 'a', failureType: 'cancelled' });
  const filed = countTo(service, 'job:filed', 3);
  for (const name of ['b', 'c', 'd']) await postJob(oada, jobOf('press', { name }), name);
  await filed;
  expect(calls).toEqual([['b', 'c', 'd']]);
});

test('a service that stops begins what it has gathered, and waits for it', async () => {
  const server = await startServer();
  const oada = server.client();
  const calls: string[][] = [];
  const service = makeService(server, 'in process', { drainTimeout: '10s' });
  service.onBatch<Named>('press', LIMITS, (jobs) => {
    calls.push(namesOf(jobs));
  });
  await service.start();
  const started = countTo(service, 'job:started', 2);
  for (const name of ['a', 'b']) await postJob(oada, jobOf('press', { name }), name);
  await started;
  const filed = countTo(service, 'job:filed', 2);
  await service.stop();
  await filed;
  expect(calls).toEqual([['a', 'b']]);
});

test('the jobs of a batch that is interrupted by a stop stay pending, and another service does them', async () => {
  const server = await startServer();
  const oada = server.client();
  await postJobs(oada, jobsOf('press', ['a', 'b', 'c']));
  const begun = deferred();
  const first = makeService(server).onBatch('press', LIMITS, (jobs) => {
    begun.resolve();
    return new Promise((_resolve, reject) => {
      for (const { signal } of jobs) signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  });
  const told = listen(first);
  await first.start();
  await begun.promise;
  await first.stop();
  expect(eventsOf(told, 'job:interrupted')).toHaveLength(3);
  expect(eventsOf(told, 'job:stuck')).toEqual([]);
  const calls: string[][] = [];
  const second = makeService(server).onBatch<Named>('press', LIMITS, (jobs) => {
    calls.push(namesOf(jobs));
  });
  const filed = countTo(second, 'job:filed', 3);
  await second.start();
  await filed;
  expect(calls).toEqual([['a', 'b', 'c']]);
});

test('a batch that does not end when the service stops is told to be stuck, once for each job', async () => {
  const server = await startServer();
  await postJobs(server.client(), jobsOf('press', ['a', 'b', 'c']));
  const begun = deferred();
  const service = makeService(server).onBatch('press', { ...LIMITS, grace: 20 }, () => {
    begun.resolve();
    return new Promise(() => undefined);
  });
  const told = listen(service);
  await service.start();
  await begun.promise;
  await service.stop();
  for (const name of ['job:stuck', 'job:interrupted'] as const) {
    const keys = eventsOf(told, name).map(({ key }) => key);
    expect(keys.toSorted()).toEqual(['a', 'b', 'c']);
  }
});

test.each<[object, RegExp]>([
  [{ timeout: '1s' }, /`maxSize` to be a whole number from 1/],
  [{ maxSize: 0, timeout: '1s' }, /`maxSize` to be a whole number from 1, got `0`/],
  [{ maxSize: 3 }, /`timeout` to be a time/],
  [{ maxSize: 3, timeout: 0 }, /`timeout` to be a time/],
  [{ maxSize: 3, timeout: '1s', maxWait: Infinity }, /`maxWait` to be a time that ends/],
  [{ maxSize: 3, timeout: '1s', maxWait: 'soon' }, /`maxWait` to be a time/],
  [{ maxSize: 3, timeout: '1s', concurrency: 0.5 }, /`concurrency` to be a whole number/],
  [{ maxSize: 3, timeout: '1s', grace: -1 }, /`grace` to be a time/],
  [{ maxSize: 3, timeout: '1s', retries: { limit: -1 } }, /`retries.limit`/],
  [{ maxSize: 3, timeout: '1s', maxsize: 3 }, /did you mean `maxSize`/],
])('options that are wrong are refused: %o', async (options, message) => {
  const service = makeService(await startServer());
  expect(() => service.onBatch('press', options as BatchOptions, () => undefined)).toThrow(message);
});

test('a type without a name, a batch without options or function is refused', async () => {
  const service = makeService(await startServer());
  expect(() => service.onBatch('', LIMITS, () => undefined)).toThrow(/`type`/);
  expect(() => service.onBatch('press', '1s' as never, () => undefined)).toThrow(/`options` to be an object/);
  expect(() => service.onBatch('press', LIMITS, 'work' as never)).toThrow(/`work` to be a function/);
});

test('times that no timer can be set to are no hindrance', async () => {
  const server = await startServer();
  const service = makeService(server).onBatch(
    'press',
    { ...LIMITS, maxSize: 1, timeout: '24d' },
    () => 'done',
  );
  expect(service.getWorker('press').timeout).toBe(Infinity);
  await service.start();
  const filed = service.events.next('job:filed');
  await postJob(server.client(), jobOf('press'));
  expect(await filed).toMatchObject({ status: 'success' });
});
