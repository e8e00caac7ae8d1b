import type { OADAClient } from '@oada/client';
import type { Service } from '@oada/jobs';
import { expect, test } from 'vitest';

import { BASE, ensureLists, makeService, postResource, read, startServer } from '../setup.js';

function addReport(service: Service): void {
  service.addReport({
    name: 'harvest',
    frequency: '0 0 7 * * *',
    reportConfig: { jobMappings: { Field: '/config/field' }, errorMappings: {} },
    email: () => ({ from: 'a@example.org', to: { email: 'b@example.org' }, subject: 'Harvest', text: '' }),
  });
}

async function idAt(oada: OADAClient, path: string): Promise<unknown> {
  return (await read(oada, path))._id;
}

test('readers of 3 to 5 find the reports below jobs, where the nested layout is in use', async () => {
  const server = await startServer();
  const oada = server.client();
  const service = makeService(server);
  addReport(service);
  await service.start();
  expect(await idAt(oada, `${BASE}/jobs/reports/harvest`)).toBe(await idAt(oada, `${BASE}/reports/harvest`));
});

test('reports that services of 3 to 5 have left are gone on with', async () => {
  const server = await startServer();
  const oada = server.client();
  await ensureLists(oada);
  const rows = await postResource(oada, { old: { Field: 'north' } }, 'application/json');
  const harvest = await postResource(
    oada,
    { 'day-index': { '2026-01-31': { _id: rows } } },
    'application/json',
  );
  const reports = await postResource(oada, { harvest: { _id: harvest } }, 'application/json');
  await oada.put({
    path: `${BASE}/jobs`,
    data: { reports: { _id: reports } },
    contentType: 'application/json',
  });
  const service = makeService(server);
  addReport(service);
  await service.start();
  expect(await read(oada, `${BASE}/reports/harvest/day-index/2026-01-31/old`)).toEqual({ Field: 'north' });
  expect(await idAt(oada, `${BASE}/reports`)).toBe(reports);
});

test('no key is put among the jobs where the classic layout is in use alone', async () => {
  const server = await startServer();
  const oada = server.client();
  await ensureLists(oada);
  const service = makeService(server);
  addReport(service);
  await service.start();
  expect(Object.keys(await read(oada, `${BASE}/jobs`))).not.toContain('reports');
});
