import { JobError, retryIn } from '@oada/jobs';
import { expect, test } from 'vitest';

import { eventsOf, jobOf, listen, makeService, postJob, read, startServer } from './setup.js';

const QUICK = { limit: 2, backoff: 5, jitter: 0 } as const;

test('a job that fails is run again, as often as its type allows, and succeeds when the work does', async () => {
  const server = await startServer();
  const oada = server.client();
  let runs = 0;
  const service = makeService(server).on('flaky', { timeout: '1s', retries: QUICK }, () => {
    if (++runs < 3) throw new Error('not yet');
    return runs;
  });
  await service.start();
  const told = listen(service);
  const filed = service.events.next('job:filed');
  const jobId = await postJob(oada, jobOf('flaky'));
  expect(await filed).toMatchObject({ status: 'success' });
  expect(eventsOf(told, 'job:started').map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  const job = (await read(oada, `/${jobId}`)) as { updates: Record<string, { status: string }> };
  expect(job).toMatchObject({ status: 'success', result: 3, attempts: 3 });
  expect(
    Object.keys(job.updates)
      .toSorted()
      .map((key) => job.updates[key]?.status),
  ).toEqual(['started', 'retrying', 'started', 'retrying', 'started', 'success']);
});

test('a job that fails every time is filed as a failure after its last retry', async () => {
  const server = await startServer();
  const oada = server.client();
  let runs = 0;
  const service = makeService(server).on('broken', { timeout: '1s', retries: QUICK }, () => {
    runs++;
    throw new Error('never');
  });
  await service.start();
  const filed = service.events.next('job:filed');
  const jobId = await postJob(oada, jobOf('broken'));
  expect(await filed).toMatchObject({ status: 'failure' });
  expect(runs).toBe(3);
  expect(await read(oada, `/${jobId}`)).toMatchObject({ attempts: 3, result: { message: 'never' } });
});

test('a timeout is retried too; a JobError that says so is not', async () => {
  const server = await startServer();
  const oada = server.client();
  let slow = 0;
  let final = 0;
  const service = makeService(server)
    .on('slow', { timeout: 10, retries: QUICK }, () => (++slow < 2 ? new Promise(() => undefined) : 'done'))
    .on('final', { timeout: '1s', retries: QUICK }, () => {
      final++;
      throw new JobError('no use', { retry: false, type: 'hopeless' });
    });
  await service.start();
  let filed = service.events.next('job:filed');
  await postJob(oada, jobOf('slow'));
  expect(await filed).toMatchObject({ status: 'success' });
  filed = service.events.next('job:filed');
  const jobId = await postJob(oada, jobOf('final'));
  expect(await filed).toMatchObject({ status: 'failure' });
  expect(final).toBe(1);
  expect(await read(oada, `/${jobId}`)).toMatchObject({ failureType: 'hopeless' });
});

test('work that asks to be run again is, without that counting as an attempt', async () => {
  const server = await startServer();
  const oada = server.client();
  let runs = 0;
  const service = makeService(server).on('poll', '1s', () => (++runs < 4 ? retryIn(5) : 'there'));
  await service.start();
  const filed = service.events.next('job:filed');
  const jobId = await postJob(oada, jobOf('poll'));
  expect(await filed).toMatchObject({ status: 'success' });
  expect(await read(oada, `/${jobId}`)).toMatchObject({ result: 'there', attempts: 1 });
});

test('a job is not run before its startAfter, and a retry outlives the service that decided on it', async () => {
  const server = await startServer();
  const oada = server.client();
  const service = makeService(server).on('later', '1s', () => Date.now());
  await service.start();
  const startAfter = new Date(Date.now() + 150);
  const filed = service.events.next('job:filed');
  const jobId = await postJob(oada, { ...jobOf('later'), startAfter: startAfter.toISOString() });
  await filed;
  const { result } = (await read(oada, `/${jobId}`)) as { result: number };
  expect(result).toBeGreaterThanOrEqual(startAfter.getTime());

  const first = makeService(server).on('flaky', { timeout: '1s', retries: { limit: 1, backoff: 50 } }, () => {
    throw new Error('not here');
  });
  await first.start();
  await service.stop();
  const postponed = first.events.next('job:postponed');
  const retried = await postJob(oada, jobOf('flaky'));
  await postponed;
  await first.stop();
  const second = makeService(server).on('flaky', '1s', () => 'here');
  const done = second.events.next('job:filed');
  await second.start();
  await done;
  expect(await read(oada, `/${retried}`)).toMatchObject({ status: 'success', result: 'here', attempts: 2 });
});
