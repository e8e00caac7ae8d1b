import { expect, onTestFinished, test } from 'vitest';

import { StoreHub } from '../../lib/dashboard/store-hub.js';
import { FakeClock } from '../fake-clock.js';
import { NAME, ensureLists, startServer, TOKEN } from '../setup.js';
import { openProxy } from '../tcp-proxy.js';

test('a store is waited for longer where nothing is known of it yet, and for metrics', async () => {
  const server = await startServer();
  await ensureLists(server.client(TOKEN));
  const proxy = await openProxy(server.url);
  onTestFinished(() => {
    proxy.close();
  });
  const clock = new FakeClock();
  const hub = new StoreHub([{ name: 'far', domain: proxy.url, token: TOKEN }], clock);
  onTestFinished(() => hub.close());
  const there = [{ store: 'far', domain: proxy.url, services: [NAME] }];
  const away = [{ ...there[0], problem: { code: 'OADA_JOBS_STORE_TIMEOUT' } }];
  proxy.delay(100);
  const first = hub.summaries();
  await clock.advance(2999);
  expect(await first).toEqual(there);
  const later = hub.summaries();
  await clock.advance(700);
  expect(await later).toMatchObject(away);
  const patient = hub.patientSummaries();
  await clock.advance(5000);
  expect(await patient).toEqual(there);
});
