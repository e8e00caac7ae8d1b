import { Service } from '@oada/jobs';
import { expect, test } from 'vitest';

import {
  BASE,
  countTo,
  deferred,
  ensureLists,
  jobOf,
  makeService,
  NAME,
  postJob,
  postResource,
  startServer,
} from './setup.js';

test('jobs of a higher priority go first, and those of one priority in the order of the list', async () => {
  const server = await startServer();
  const oada = server.client();
  await ensureLists(oada);
  const links: Record<string, { _id: string }> = {};
  for (const [key, priority] of Object.entries({ a: undefined, b: 1, c: -1, d: 5, e: 1, f: undefined })) {
    links[key] = { _id: await postResource(oada, { ...jobOf('any', { key }), priority: priority ?? null }) };
  }
  const order: unknown[] = [];
  const service = makeService(server, 'in process', { concurrency: 1 });
  service.on<{ key: string }>('any', '1s', ({ config }) => order.push(config.key));
  const operator = new Service({ name: NAME, oada });
  const paused = operator.events.next('queue:paused');
  await operator.start();
  await operator.pause();
  await paused;
  await operator.stop();
  await oada.put({ path: `${BASE}/jobs`, data: links, contentType: 'application/json' });
  const filed = countTo(service, 'job:filed', 6);
  await service.start();
  await service.resume();
  await filed;
  // The first is begun before the others have been read.
  expect(order.slice(1)).toEqual(['d', 'b', 'e', 'a', 'f', 'c'].filter((key) => key !== order[0]));
});

test('no more jobs of a type run at once than it allows, and the others are not held up', async () => {
  const server = await startServer();
  const oada = server.client();
  await ensureLists(oada);
  const links: Record<string, { _id: string }> = {};
  for (let index = 0; index < 40; index++) {
    const type = index < 20 ? 'narrow' : 'wide';
    links[`j${String(index)}`] = { _id: await postResource(oada, jobOf(type)) };
  }
  await oada.put({ path: `${BASE}/jobs`, data: links, contentType: 'application/json' });
  let narrow = 0;
  let most = 0;
  let wideDone = 0;
  let release: () => void = () => undefined;
  const allWide = new Promise<void>((resolve) => (release = resolve));
  const service = makeService(server, 'in process', { concurrency: 8 })
    .on('narrow', { timeout: '10s', concurrency: 2 }, async () => {
      most = Math.max(most, ++narrow);
      await allWide; // no narrow one ends before all wide ones have
      narrow--;
    })
    .on('wide', '10s', () => {
      if (++wideDone === 20) release();
    });
  const filed = countTo(service, 'job:filed', 40);
  await service.start();
  await filed;
  expect(most).toBe(2);
});

test('many jobs of a type that is full keep no other from being found', async () => {
  const server = await startServer();
  const oada = server.client();
  await ensureLists(oada);
  const links: Record<string, { _id: string }> = {};
  for (let index = 0; index < 150; index++) {
    links[`j${String(index).padStart(3, '0')}`] = { _id: await postResource(oada, jobOf('narrow')) };
  }
  links['last'] = { _id: await postResource(oada, jobOf('wide')) };
  await oada.put({ path: `${BASE}/jobs`, data: links, contentType: 'application/json' });
  let release: () => void = () => undefined;
  const wideIsDone = new Promise<void>((resolve) => (release = resolve));
  const service = makeService(server, 'in process', { concurrency: 5 })
    .on('narrow', { timeout: '10s', concurrency: 1 }, () => wideIsDone)
    .on('wide', '10s', () => {
      release();
    });
  const filed = countTo(service, 'job:filed', 151);
  await service.start();
  await filed;
});

test('a job is filed beside the next one, which has its slot', async () => {
  const server = await startServer();
  const oada = server.client();
  await ensureLists(oada);
  for (const key of ['first', 'second']) await postJob(oada, jobOf('any'), key);
  const put = oada.put.bind(oada);
  const secondRuns = deferred();
  oada.put = async (request) => {
    if (request.path.includes('day-index')) await secondRuns.promise;
    return await put(request);
  };
  await using service = new Service({ name: NAME, oada, concurrency: 1 });
  let begun = 0;
  service.on('any', '10s', () => {
    if (++begun === 2) secondRuns.resolve();
  });
  const filed = countTo(service, 'job:filed', 2);
  await service.start();
  await filed;
});
