import { describe, expect, test } from 'vitest';

import {
  BASE,
  countTo,
  deferred,
  eventsOf,
  jobOf,
  listen,
  makeService,
  postJob,
  startServer,
} from '../setup.js';
import { jobsOf, LIMITS, many, postJobs } from './setup.js';

describe('the slots of the service', () => {
  test('are not taken by a batch, however large, and it by them neither', async () => {
    const server = await startServer();
    const oada = server.client();
    const end = deferred();
    const sizes: number[] = [];
    const names = many(120);
    await postJobs(oada, { slow: jobOf('slow'), ...jobsOf('press', names), ...jobsOf('quick', ['x', 'y']) });
    const service = makeService(server, 'in process', { concurrency: 2 })
      .on('slow', '20s', () => end.promise)
      .on('quick', '20s', () => undefined)
      .onBatch('press', { ...LIMITS, maxSize: 60 }, (jobs) => {
        sizes.push(jobs.length);
        if (sizes.length === 2) end.resolve();
      });
    const filed = countTo(service, 'job:filed', 123);
    await service.start();
    await filed;
    expect(sizes).toEqual([60, 60]);
  });

  test('do not keep a batch waiting whose jobs come behind many others', async () => {
    const server = await startServer();
    const oada = server.client();
    const end = deferred();
    await postJobs(oada, { ...jobsOf('slow', many(150)), ...jobsOf('press', ['x', 'y', 'z']) });
    const service = makeService(server, 'in process', { concurrency: 2 })
      .on('slow', '20s', () => end.promise) // none ends before the batch is done
      .onBatch('press', LIMITS, () => {
        end.resolve();
      });
    const filed = countTo(service, 'job:filed', 153);
    await service.start();
    await filed;
  });

  test('go on to others while jobs wait for a batch to fill', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = makeService(server, 'in process', { concurrency: 1 })
      .on('quick', '20s', () => undefined)
      .onBatch('press', LIMITS, () => undefined);
    await service.start();
    const started = service.events.next('job:started');
    await postJob(oada, jobOf('press'));
    await started;
    const filed = service.events.next('job:filed');
    await postJob(oada, jobOf('quick'), 'quick');
    expect(await filed).toMatchObject({ key: 'quick' });
  });

  test('no more jobs are claimed than can be done soon', async () => {
    const server = await startServer();
    const oada = server.client();
    await postJobs(oada, jobsOf('press', many(20)));
    const end = deferred();
    let [running, most] = [0, 0];
    const [begun, sizes] = [deferred(), [] as number[]];
    const service = makeService(server).onBatch('press', { ...LIMITS, concurrency: 2 }, async (jobs) => {
      most = Math.max(most, ++running);
      sizes.push(jobs.length);
      if (sizes.length === 2) begun.resolve();
      await end.promise;
      running--;
    });
    const told = listen(service);
    const started = countTo(service, 'job:started', 6);
    const filed = countTo(service, 'job:filed', 18);
    await service.start();
    await Promise.all([started, begun.promise]);
    await oada.put({ path: `${BASE}/jobs`, data: {}, contentType: 'application/json' });
    expect(eventsOf(told, 'job:started')).toHaveLength(6);
    end.resolve();
    await filed;
    expect(most).toBe(2);
    expect(sizes.slice(0, 6)).toEqual([3, 3, 3, 3, 3, 3]);
  });
});
