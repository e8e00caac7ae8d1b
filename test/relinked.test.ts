import { expect, test } from 'vitest';

import {
  BASE,
  deferred,
  jobOf,
  makeService,
  postJob,
  postResource,
  putEntry,
  read,
  startServer,
} from './setup.js';

test('a key that is linked to another job while the first one runs loses neither', async () => {
  const server = await startServer();
  const oada = server.client();
  const gate = deferred();
  const service = makeService(server)
    .on('slow', '10s', () => gate.promise)
    .on('quick', '1s', () => 'second');
  await service.start();
  const started = service.events.next('job:started');
  const first = await postJob(oada, jobOf('slow'), 'shared');
  await started;
  const second = await postResource(oada, jobOf('quick'));
  await oada.put({
    path: `${BASE}/jobs`,
    data: { shared: { _id: second } },
    contentType: 'application/json',
  });
  // A job that is listed later has been heard of later.
  const later = service.events.next('job:filed', ({ key }) => key === 'later');
  await postJob(oada, jobOf('quick'), 'later');
  await later;

  const filed = service.events.next('job:filed', ({ jobId }) => jobId === second);
  gate.resolve();
  await filed;
  expect(await read(oada, `/${first}`)).toMatchObject({ status: 'success' });
  expect(await read(oada, `/${second}`)).toMatchObject({ status: 'success', result: 'second' });
  expect(await read(oada, `${BASE}/jobs`)).not.toHaveProperty('shared');
});

test('a key that is linked to another job before its time leads to that one', async () => {
  const server = await startServer();
  const oada = server.client();
  let runs = 0;
  const service = makeService(server).on('any', '1s', () => ++runs);
  await service.start();
  const found = service.events.next('job:found');
  const startAfter = new Date(Date.now() + 3_600_000).toISOString();
  const first = await postJob(oada, { ...jobOf('any'), startAfter }, 'shared');
  await found;
  const second = await postResource(oada, jobOf('any'));
  const filed = service.events.next('job:filed');
  await oada.delete({ path: `${BASE}/jobs/shared` });
  await putEntry(oada, 'shared', { _id: second });
  expect(await filed).toMatchObject({ jobId: second });
  expect(runs).toBe(1);
  expect(await read(oada, `/${first}`)).not.toHaveProperty('status');
});
