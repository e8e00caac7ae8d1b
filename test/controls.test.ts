import { JobCancelledError, Service } from '@oada/jobs';
import { expect, onTestFinished, test } from 'vitest';

import { BASE, jobOf, makeService, NAME, postJob, read, startServer } from './setup.js';

/** Work that goes on until its signal is aborted. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
}

test('a running job is cancelled by another instance: its work is aborted, and it is filed as cancelled', async () => {
  const server = await startServer();
  const oada = server.client();
  let reason: unknown;
  const runs = makeService(server).on('long', '60s', (_job, { signal }) => {
    signal.addEventListener('abort', () => (reason = signal.reason));
    return untilAborted(signal);
  });
  const asks = makeService(server, 'over a socket').on('other', '1s', () => undefined);
  await runs.start();
  await asks.start();
  const started = runs.events.next('job:started');
  const jobId = await postJob(oada, jobOf('long'), 'mine');
  await started;

  const filed = runs.events.next('job:filed');
  await asks.cancel('mine');
  expect(await filed).toMatchObject({ jobId, status: 'failure' });
  expect(reason).toBeInstanceOf(JobCancelledError);
  expect(await read(oada, `/${jobId}`)).toMatchObject({
    status: 'failure',
    failureType: 'cancelled',
    result: { code: 'OADA_JOBS_JOB_CANCELLED' },
  });
});

test('a pending job is cancelled without being run, and the request is taken out', async () => {
  const server = await startServer();
  const oada = server.client();
  let runs = 0;
  const service = makeService(server, 'in process', { concurrency: 1 });
  service.on('long', '60s', (_job, { signal }) => untilAborted(signal)).on('next', '1s', () => ++runs);
  await service.start();
  const started = service.events.next('job:started');
  await postJob(oada, jobOf('long'), 'first');
  await started;
  const jobId = await postJob(oada, jobOf('next'), 'second');
  await service.cancel('second');
  await service.cancel('first');
  await service.events.next('job:filed', ({ key }) => key === 'second');
  expect(runs).toBe(0);
  expect(await read(oada, `/${jobId}`)).toMatchObject({ status: 'failure', failureType: 'cancelled' });

  const filed = service.events.next('job:filed');
  await postJob(oada, jobOf('next'), 'third');
  await filed;
  expect(await read(oada, `${BASE}/controls/cancel`)).toEqual({});
});

test('a request to cancel a job that is not there is taken out', async () => {
  const server = await startServer();
  const service = makeService(server);
  await service.start();
  const settled = service.events.next('store:requested', ({ method }) => method === 'delete');
  await service.cancel('nobody');
  await settled;
  expect(await read(server.client(), `${BASE}/controls/cancel`)).toEqual({});
});

test('deleting the pending link of a running job cancels it', async () => {
  const server = await startServer();
  const oada = server.client();
  const service = makeService(server).on('long', '60s', (_job, { signal }) => untilAborted(signal));
  await service.start();
  const started = service.events.next('job:started');
  const jobId = await postJob(oada, jobOf('long'), 'mine');
  await started;
  const filed = service.events.next('job:filed');
  await oada.delete({ path: `${BASE}/jobs/mine` });
  await filed;
  expect(await read(oada, `/${jobId}`)).toMatchObject({ status: 'failure', failureType: 'cancelled' });
});

test('a paused queue begins nothing, in no instance and after a restart, until it is resumed', async () => {
  const server = await startServer();
  const oada = server.client();
  const instance = (): Service => {
    const service = new Service({ name: NAME, oada: server.client() }).on('any', '1s', () => 'done');
    onTestFinished(() => service.stop());
    return service;
  };
  const first = instance();
  await first.start();
  const paused = first.events.next('queue:paused');
  await first.pause();
  await paused;
  const found = first.events.next('job:found');
  const jobId = await postJob(oada, jobOf('any'), 'waiting');
  await found;
  await first.stop();

  const second = instance();
  const told = second.events.next('queue:paused');
  await second.start();
  await told;
  expect(await read(oada, `/${jobId}`)).not.toHaveProperty('status');

  const filed = second.events.next('job:filed');
  await second.resume();
  await filed;
  expect(await read(oada, `/${jobId}`)).toMatchObject({ status: 'success', result: 'done' });
});
