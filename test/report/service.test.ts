import { Service } from '@oada/jobs';
import { expect, onTestFinished, test } from 'vitest';

import { countTo, ensureLists, jobOf, makeService, NAME, postJob, startServer, TOKEN } from '../setup.js';
import { optionsOf, Place } from './setup.js';

const EACH_SECOND = '* * * * * *';

test('a service reports the jobs that it files, by the second and over a restart', async () => {
  const server = await startServer();
  const oada = server.client();
  await ensureLists(oada);
  await postJob(oada, jobOf('plough', { first: 'one' })); // there before the report is, and finished after
  const run = async (jobs: readonly string[]): Promise<void> => {
    const service = makeService(server, 'over a socket');
    service.on('plough', '10s', ({ config }) => {
      if (config['first'] === 'three') throw new Error('stuck in the mud');
    });
    const report = service.addReport(optionsOf({ frequency: EACH_SECOND, type: 'plough' }));
    expect(service.getReport('test-report')).toBe(report);
    let rows = 0;
    const told = new Promise<void>((resolve) => {
      service.events.on('report:sent', (event) => {
        rows += event.rows;
        if (rows >= 2) resolve();
      });
    });
    await service.start();
    for (const first of jobs) await postJob(oada, jobOf('plough', { first }));
    await told;
    await service.stop();
  };
  await run(['two']);
  await run(['three', 'four']);
  const sent = (await new Place(server).sent()).flat();
  const endings = sent.map(({ First, Status }) => `${First}: ${Status}`);
  expect(endings.toSorted()).toEqual(['four: Success', 'one: Success', 'three: Other Error', 'two: Success']);
});

test('a store that is not there keeps no service from saying so', async () => {
  const server = await startServer();
  const service = new Service({ name: NAME, oada: { domain: server.url, token: TOKEN } });
  onTestFinished(() => service.stop());
  service.addReport(optionsOf());
  await server.stop();
  const delayed = countTo(service, 'report:delayed', 1);
  await expect(service.start()).rejects.toThrow();
  await delayed;
});
