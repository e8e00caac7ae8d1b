import { expect, test } from 'vitest';

import { forgetSilent, listInstances } from '../../lib/operator/instances.js';
import { addQueue, checkQueue, listQueues, removeQueue } from '../../lib/operator/queues.js';
import { FakeClock } from '../fake-clock.js';
import { BASE, makeService, OTHER_TOKEN, postResource, read, startServer, TOKEN } from '../setup.js';
import { operate } from './setup.js';

test('a queue that an operator adds is watched by the service, and let go when it is removed', async () => {
  const server = await startServer();
  const deps = operate(server);
  const service = makeService(server);
  await service.start();
  const started = service.events.next('queue:started', ({ queue }) => queue === 'north');
  await addQueue(deps, 'north', { domain: server.url, token: OTHER_TOKEN });
  await started;
  const queues = await listQueues(deps);
  expect(queues).toEqual([{ queue: 'north', domain: server.url }]);
  expect(await checkQueue(deps, 'north')).toMatchObject({ ok: true });
  await expect(addQueue(deps, 'north', { domain: server.url, token: TOKEN })).rejects.toThrow(
    'remove it first',
  );
  const stopped = service.events.next('queue:stopped', ({ queue }) => queue === 'north');
  await removeQueue(deps, 'north');
  await stopped;
  expect(await listQueues(deps)).toEqual([]);
  await expect(removeQueue(deps, 'north')).rejects.toThrow('there is no queue');
});

test('no entry of the list shows its token, and each says what is wrong with it', async () => {
  const server = await startServer();
  const deps = operate(server);
  const oada = server.client(TOKEN);
  await addQueue(deps, 'wrong-token', { domain: server.url, token: 'nobody-s3cret' });
  const linked = await postResource(oada, { domain: 'x?s3cret', token: 's3cret' });
  await oada.put({
    path: `${BASE}/queues`,
    data: { linked: { _id: linked }, bare: { domain: 'a.example', token: 7 }, flat: 's3cret' },
    contentType: 'application/json',
  });
  const queues = await listQueues(deps);
  expect(queues.map(({ queue }) => queue).toSorted()).toEqual(['bare', 'flat', 'linked', 'wrong-token']);
  expect(queues.filter(({ problem }) => problem !== undefined)).toHaveLength(3);
  const health = await checkQueue(deps, 'wrong-token');
  expect(health).toMatchObject({ ok: false, problem: 'its store does not accept the token' });
  expect(JSON.stringify([queues, health])).not.toContain('s3cret');
  for (const key of ['', 'a/b', '12', '_meta', '..', 'a b'])
    await expect(addQueue(deps, key, { domain: server.url, token: TOKEN })).rejects.toThrow(
      'expected `queue`',
    );
});

test.each([
  [{ running: 1, filing: 0 }, 'silent'],
  [{ running: 0, filing: 1 }, 'silent'],
  [{ running: 0, filing: 0 }, 'alive'],
])('an instance with %o that has said nothing for 40 s is %s', async (held, state) => {
  const server = await startServer();
  const deps = operate(server);
  await makeService(server).start();
  const [instance] = await listInstances(deps);
  await deps.store.put(`/resources/${instance!.instance}`, held);
  const clock = new FakeClock();
  await clock.advance(Date.now() - clock.now().getTime() + 40_000);
  expect(await listInstances({ ...deps, clock })).toMatchObject([{ state, running: held.running }]);
});

test('instances tell who they are; one that was killed falls silent, and is forgotten after a day', async () => {
  const server = await startServer();
  const deps = operate(server);
  const service = makeService(server, 'over a socket', { concurrency: 4 });
  await service.start();
  const [instance] = await listInstances(deps);
  expect(instance).toMatchObject({ state: 'alive', concurrency: 4, running: 0, jobs: [], pid: process.pid });
  const clock = new FakeClock();
  await clock.advance(Date.now() - clock.now().getTime() + 3 * 60_000);
  expect(await listInstances({ ...deps, clock })).toMatchObject([{ state: 'silent' }]);
  expect(await forgetSilent({ ...deps, clock })).toBe(0);
  await clock.advance(86_400_000);
  expect(await forgetSilent({ ...deps, clock })).toBe(1);
  expect(await listInstances(deps)).toEqual([]);
  await service.stop();
  expect(
    Object.keys(await read(server.client(TOKEN), `${BASE}/instances`)).filter((key) => !key.startsWith('_')),
  ).toEqual([]);
});
