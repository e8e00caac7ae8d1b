import { connect, OADAClient } from '@oada/client';
import { Service } from '@oada/jobs';
import { expect, onTestFinished, test } from 'vitest';

import { SocketConnection } from '../../lib/oada/connection.js';
import { openStore } from '../../lib/oada/store.js';
import type { Store } from '../../lib/oada/store.js';
import { FakeClock } from '../fake-clock.js';
import { jobOf, NAME, postJob, read, startServer, TOKEN } from '../setup.js';
import { startSlowServer } from './slow-server.js';
import type { SlowServer } from './slow-server.js';

test.each(['ws', 'http'] as const)(
  'a client over %s that answers no more keeps no job from being found, run and filed',
  async (connection) => {
    const server = await startServer();
    const client = await connect({ domain: server.url, token: TOKEN, connection, concurrency: 5 });
    const service = new Service({ name: NAME, oada: client, requestTimeout: '200ms' });
    onTestFinished(async () => {
      await service.stop();
      await client.disconnect();
    });
    service.on('any', '1s', () => 'done');
    await service.start();

    // As its own connections are, for five minutes, after a 429.
    const never = (): Promise<never> => new Promise(() => undefined);
    Object.assign(client, { get: never, head: never, put: never, delete: never });

    const oada = server.client();
    for (const key of ['first', 'second']) {
      const filed = service.events.next('job:filed');
      const jobId = await postJob(oada, jobOf('any'), key);
      await filed;
      expect(await read(oada, `/${jobId}`)).toMatchObject({ status: 'success', result: 'done' });
    }
  },
);

test('a client that stays silent, of a store that has no address, is asked again and again', async () => {
  const server = await startServer();
  const client = server.client();
  const get = client.get.bind(client);
  let silent = 0;
  Object.assign(client, {
    getDomain: () => 'nowhere:in particular',
    get: (request: Parameters<typeof get>[0]) =>
      ++silent > 2 || !request.path.startsWith('/resources') ? get(request) : new Promise(() => undefined),
  });
  const service = new Service({ name: NAME, oada: client, requestTimeout: '100ms' });
  onTestFinished(() => service.stop());
  service.on('any', '1s', () => 'done');
  await service.start();
  const filed = service.events.next('job:filed');
  await postJob(server.client(), jobOf('any'));
  expect(await filed).toMatchObject({ status: 'success' });
});

/** A store behind a given client, that answers no DELETE until it is told to. */
async function slowStore(): Promise<{
  server: SlowServer;
  clock: FakeClock;
  given: OADAClient;
  store: Store;
}> {
  const server = await startSlowServer();
  const clock = new FakeClock();
  const connection = new SocketConnection(new URL(server.url), { clock, timeout: 100 });
  const given = new OADAClient({ domain: server.url, token: TOKEN, connection });
  const store = openStore(given, { clock, timeout: 100, onRequest: () => undefined });
  onTestFinished(() => store.close());
  return { server, clock, given, store };
}

test('the time of a DELETE that waits for a socket has not begun', async () => {
  const { server, clock, store } = await slowStore();
  const all = Promise.all(Array.from({ length: 30 }, (_, n) => store.delete(`/bookmarks/k${String(n)}`)));
  all.catch(() => undefined);
  for (let sent = 10; sent <= 30; sent += 10) {
    await expect.poll(server.asked).toBe(sent);
    await clock.advance(60);
    server.answer();
  }
  await all;
  expect(server.asked()).toBe(30); // none was tried again
});

test('a DELETE that is under way when the store is closed ends there, and goes no other way', async () => {
  const { server, given, store } = await slowStore();
  let byClient = 0;
  Object.assign(given, { delete: () => Promise.resolve(byClient++) });
  const deletes = Array.from({ length: 15 }, (_, n) => store.delete(`/bookmarks/k${String(n)}`));
  const settled = Promise.allSettled(deletes);
  await expect.poll(server.asked).toBe(10);
  await store.close();
  expect((await settled).map(({ status }) => status)).toEqual(Array(15).fill('rejected'));
  expect(byClient).toBe(0);
  await expect(store.get('/bookmarks')).rejects.toThrow('The store was closed on this side');
});
