import { expect, test } from 'vitest';

import {
  allFiled,
  BASE,
  ensureLists,
  jobOf,
  keysOf,
  makeService,
  postJob,
  postResource,
  putEntry,
  read,
  startServer,
} from '../setup.js';

const JSON_TYPE = 'application/json';

test('a request to cancel that was made while no service ran is granted by the next that starts', async () => {
  const server = await startServer();
  const oada = server.client();
  const before = makeService(server);
  await before.start(); // makes the lists
  await before.stop();
  const jobId = await postJob(oada, jobOf('plough'), 'mine');
  const cancel = { mine: { time: new Date().toISOString() } };
  await oada.put({ path: `${BASE}/controls`, data: { cancel }, contentType: JSON_TYPE });
  let runs = 0;
  const service = makeService(server).on('plough', '10s', () => ++runs);
  const filed = service.events.next('job:filed');
  await service.start();
  expect(await filed).toMatchObject({ key: 'mine', status: 'failure' });
  await service.stop();
  expect(runs).toBe(0);
  expect(await read(oada, `/${jobId}`)).toMatchObject({ status: 'failure', failureType: 'cancelled' });
  expect(await read(oada, `${BASE}/controls/cancel`)).toEqual({});
});

test('a job is filed under the day on which it ended, whatever an earlier holder has added since', async () => {
  const server = await startServer();
  const oada = server.client();
  await ensureLists(oada);
  const updates = {
    '000000000000000000000000001': { status: 'started', time: '2024-01-01T23:59:58.000Z' },
    '000000000000000000000000002': { status: 'success', time: '2024-01-01T23:59:59.000Z' },
    '000000000000000000000000003': { status: 'still at it', time: '2024-01-02T00:00:01.000Z' },
  };
  const ended = { status: 'success', result: 'done', claim: { instance: 'dead', attempt: 2 }, attempts: 2 };
  const id = await postResource(oada, { ...jobOf('plough'), ...ended, updates });
  await putEntry(oada, 'mine', { _id: id });
  const service = makeService(server, 'in process', { leaseTimeout: 60 });
  const filed = service.events.next('job:filed');
  await service.start();
  await filed;
  expect(await allFiled(oada)).toEqual([{ status: 'success', date: '2024-01-01', key: 'mine', id }]);
  expect(keysOf(await read(oada, `${BASE}/jobs`))).toEqual([]);
});
