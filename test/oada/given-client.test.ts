import { connect } from '@oada/client';
import { Service } from '@oada/jobs';
import { expect, onTestFinished, test } from 'vitest';

import { jobOf, NAME, postJob, read, startServer, TOKEN } from '../setup.js';

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
