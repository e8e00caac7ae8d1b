import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import type { Service } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';

import {
  BASE,
  deferred,
  ensureLists,
  eventsOf,
  jobOf,
  listen,
  makeService,
  newKey,
  OTHER_TOKEN,
  postJob,
  postResource,
  QUEUE_TREE,
  read,
  runJob,
  startServer,
  TOKEN,
} from './setup.js';
import type { Told } from './setup.js';

const JSON_TYPE = 'application/json';
const THIRD_TOKEN = 'lee-5ecret';

/** A service whose only job type tells which token it was run with; and the clients of two users. */
async function stage(options: object = {}): Promise<{
  server: OADAServer;
  sam: ReturnType<OADAServer['client']>;
  kim: ReturnType<OADAServer['client']>;
  service: ReturnType<typeof makeService>;
}> {
  const server = await startServer();
  const [sam, kim] = [server.client(TOKEN), server.client(OTHER_TOKEN)];
  await ensureLists(sam);
  await ensureLists(kim);
  const service = makeService(server, 'in process', { requestTimeout: '200ms', ...options });
  service.on('who', '5s', (_job, { oada }) => oada.getToken().slice(0, 3));
  return { server, sam, kim, service };
}

function posted(path: string): { path: string; contentType: string } {
  return { path, contentType: JSON_TYPE };
}

/** The queue of kim is one of the service's, and nothing was wrong with its entry on the way. */
async function isServed(
  service: Service,
  kim: ReturnType<OADAServer['client']>,
  told: readonly Told[],
): Promise<void> {
  expect(await runJob(service, kim, jobOf('who'))).toMatchObject({ result: 'kim' });
  expect(eventsOf(told, 'queue:refused')).toEqual([]);
}

test('an entry that is POSTed inline is a queue from then on, with its own token', async () => {
  const { server, sam, kim, service } = await stage();
  await service.start();
  const started = service.events.next('queue:started');
  const { headers } = await sam.post({
    ...posted(`${BASE}/queues`),
    data: { domain: server.url, token: OTHER_TOKEN },
  });
  expect(await started).toEqual({ queue: headers['content-location']!.split('/').at(-1) });
  expect(await runJob(service, kim, jobOf('who'))).toMatchObject({ result: 'kim' });
  expect(await runJob(service, sam, jobOf('who'))).toMatchObject({ result: 'sam' });
});

test('an entry that is there before the service is one as well', async () => {
  const { server, sam, kim, service } = await stage();
  await sam.put({ ...posted(`${BASE}/queues/kim`), data: { domain: server.url, token: OTHER_TOKEN } });
  const jobId = await postJob(kim, jobOf('who'));
  const filed = service.events.next('job:filed');
  await service.start();
  expect(await filed).toMatchObject({ queue: 'kim', jobId, status: 'success' });
});

test('an entry that a tree PUT links, empty at first, is one as well', async () => {
  const { server, sam, kim, service } = await stage();
  await service.start();
  const told = listen(service);
  const started = service.events.next('queue:started');
  await sam.put({
    path: `${BASE}/queues/kim`,
    tree: QUEUE_TREE,
    data: { domain: server.url, token: OTHER_TOKEN },
  });
  expect(await started).toEqual({ queue: 'kim' });
  await isServed(service, kim, told);
});

test('an entry that links to what is empty is one when that is written', async () => {
  const { server, sam, kim, service } = await stage();
  await service.start();
  const told = listen(service);
  const _id = await postResource(sam, {});
  const looked = service.events.next('store:requested', ({ method }) => method === 'get');
  const started = service.events.next('queue:started');
  await sam.put({ ...posted(`${BASE}/queues`), data: { kim: { _id } } });
  await looked;
  await sam.put({ ...posted(`/${_id}`), data: { domain: server.url, token: OTHER_TOKEN } });
  expect(await started).toEqual({ queue: 'kim' });
  await isServed(service, kim, told);
});

test('a changed entry is a queue with the new token', async () => {
  const { server, sam, kim, service } = await stage();
  await sam.put({ ...posted(`${BASE}/queues/more`), data: { domain: server.url, token: 'wrong' } });
  const failed = service.events.next('queue:failed');
  await service.start();
  expect(await failed).toMatchObject({ queue: 'more', error: { code: 'OADA_JOBS_STORE_UNAUTHORIZED' } });
  const started = service.events.next('queue:started');
  await sam.put({ ...posted(`${BASE}/queues/more`), data: { token: OTHER_TOKEN } });
  expect(await started).toEqual({ queue: 'more' });
  expect(await runJob(service, kim, jobOf('who'))).toMatchObject({ result: 'kim' });
});

test('a changed entry behind a link is noticed when the lists are checked', async () => {
  const { server, sam, service } = await stage({ checkInterval: '50ms' });
  await sam.put({
    path: `${BASE}/queues/more`,
    tree: QUEUE_TREE,
    data: { domain: server.url, token: OTHER_TOKEN },
  });
  const started = service.events.next('queue:started', ({ queue }) => queue === 'more');
  await service.start();
  await started;
  const stopped = service.events.next('queue:stopped');
  const failed = service.events.next('queue:failed');
  await sam.put({ ...posted(`${BASE}/queues/more`), data: { token: 'wrong' } });
  expect(await stopped).toEqual({ queue: 'more' });
  expect(await failed).toMatchObject({ queue: 'more', error: { code: 'OADA_JOBS_STORE_UNAUTHORIZED' } });
});

test('a deleted entry is no queue any more; the others go on', async () => {
  const { server, sam, kim, service } = await stage();
  await sam.put({ ...posted(`${BASE}/queues/kim`), data: { domain: server.url, token: OTHER_TOKEN } });
  const started = service.events.next('queue:started', ({ queue }) => queue === 'kim');
  await service.start();
  await started;
  const stopped = service.events.next('queue:stopped');
  await sam.delete({ path: `${BASE}/queues/kim` });
  expect(await stopped).toEqual({ queue: 'kim' });
  const told = listen(service);
  const left = await postJob(kim, jobOf('who'));
  expect(await runJob(service, sam, jobOf('who'))).toMatchObject({ result: 'sam' });
  expect(await read(kim, `/${left}`)).not.toHaveProperty('status');
  expect(eventsOf(told, 'job:found')).toHaveLength(1);
});

test('a job that runs when its entry is deleted may end', async () => {
  const { server, sam, kim, service } = await stage({ drainTimeout: '10s' });
  const gate = deferred();
  service.on('slow', '10s', () => gate.promise);
  await sam.put({ ...posted(`${BASE}/queues/kim`), data: { domain: server.url, token: OTHER_TOKEN } });
  const running = service.events.next('job:started');
  await postJob(kim, jobOf('slow'));
  await service.start();
  await running;
  await sam.delete({ path: `${BASE}/queues/kim` });
  expect(await runJob(service, sam, jobOf('who'))).toMatchObject({ result: 'sam' });
  const filed = service.events.next('job:filed');
  gate.resolve();
  expect(await filed).toMatchObject({ queue: 'kim', status: 'success' });
});

test.each([
  ['nothing', {}],
  ['no token', { domain: 'http://localhost:1' }],
  ['no domain', { token: 's3cret-of-entry' }],
  ['text', 's3cret-of-entry'],
  ['a number', 17],
  ['null', null],
  ['an array', ['http://localhost:1', 's3cret-of-entry']],
  ['a token that is no text', { domain: 'http://localhost:1', token: 17 }],
  ['an empty token', { domain: 'http://localhost:1', token: '' }],
  ['a token with a line end', { domain: 'http://localhost:1', token: 's3cret-of-entry\n' }],
  ['a domain that is no text', { domain: ['http://localhost:1'], token: 's3cret-of-entry' }],
  [
    'a domain with the token in it',
    { domain: 'http://me:s3cret-of-entry@localhost:1', token: 's3cret-of-entry' },
  ],
  ['a domain of another kind', { domain: 'ftp://localhost', token: 's3cret-of-entry' }],
  ['a link to nothing', { _id: 'resources/nothing-there' }],
  ["a link to another user's", { _id: 'resources/kims-own' }],
])('an entry that is %s is refused, once, and disturbs no other', async (_what, entry) => {
  const { server, sam, kim, service } = await stage({ checkInterval: '20ms', contentTimeout: '30ms' });
  await kim.put({ path: '/resources/kims-own', data: { domain: 'a', token: 'b' }, contentType: JSON_TYPE });
  const told = listen(service);
  await service.start();
  const refused = service.events.next('queue:refused');
  await sam.put({ ...posted(`${BASE}/queues`), data: { bad: entry } });
  const { queue, error } = await refused;
  expect(queue).toBe('bad');
  expect(error.message).not.toContain('s3cret');
  const started = service.events.next('queue:started');
  await sam.put({ ...posted(`${BASE}/queues`), data: { good: { domain: server.url, token: OTHER_TOKEN } } });
  expect(await started).toEqual({ queue: 'good' });
  expect(await runJob(service, kim, jobOf('who'))).toMatchObject({ result: 'kim' });
  expect(await runJob(service, sam, jobOf('who'))).toMatchObject({ result: 'sam' });
  expect(eventsOf(told, 'queue:refused')).toHaveLength(1);
});

test('a refused entry becomes a queue when it is put right', async () => {
  const { server, sam, kim, service } = await stage();
  await service.start();
  const refused = service.events.next('queue:refused');
  await sam.put({ ...posted(`${BASE}/queues`), data: { kim: { domain: server.url } } });
  await refused;
  const started = service.events.next('queue:started');
  await sam.put({ ...posted(`${BASE}/queues`), data: { kim: { token: OTHER_TOKEN } } });
  expect(await started).toEqual({ queue: 'kim' });
  expect(await runJob(service, kim, jobOf('who'))).toMatchObject({ result: 'kim' });
});

test('a store that fails for a moment stops no queue whose entry is behind a link', async () => {
  const server = await startServer();
  const [sam, kim] = [server.client(TOKEN), server.client(OTHER_TOKEN)];
  await ensureLists(sam);
  await ensureLists(kim);
  await sam.put({
    path: `${BASE}/queues/kim`,
    tree: QUEUE_TREE,
    data: { domain: server.url, token: OTHER_TOKEN },
  });
  const { _id } = await read(sam, `${BASE}/queues/kim`);
  const mine = server.client(TOKEN);
  const get = mine.get.bind(mine);
  let failures = 0;
  let failing = false;
  const recovered = deferred();
  Object.assign(mine, {
    get: (request: Parameters<typeof get>[0]) => {
      if (request.path !== `/${String(_id)}`) return get(request);
      if (!failing) {
        if (failures > 0) recovered.resolve();
        return get(request);
      }
      failing = ++failures < 4;
      return Promise.reject(Object.assign(new Error('overloaded'), { status: 503, code: '503' }));
    },
  });
  const { Service } = await import('@oada/jobs');
  await using service = new Service({ name: 'tractor', oada: mine, checkInterval: '20ms' });
  service.on('who', '5s', (_job, { oada }) => oada.getToken().slice(0, 3));
  const started = service.events.next('queue:started', ({ queue }) => queue === 'kim');
  await service.start();
  await started;
  const told = listen(service);
  failing = true;
  await recovered.promise;
  expect(await runJob(service, kim, jobOf('who'))).toMatchObject({ result: 'kim' });
  expect(eventsOf(told, 'queue:stopped')).toEqual([]);
  expect(eventsOf(told, 'queue:refused')).toEqual([]);
});

test('whatever stands in the list of queues, the others go on', async () => {
  const { server, sam, kim, service } = await stage({ contentTimeout: '1ms' });
  await service.start();
  const started = service.events.next('queue:started');
  await sam.put({ ...posted(`${BASE}/queues/kim`), data: { domain: server.url, token: OTHER_TOKEN } });
  await started;
  const told = listen(service);
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom('localhost', 'http://[', 'http://', '://', 'http://localhost:99999'),
  );
  const entry = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.record({
      domain: fc.oneof(text, fc.jsonValue()),
      token: fc.constantFrom('', ' ', 'ü', 'a b', 7, null),
    }),
    fc.record({
      _id: fc.oneof(
        fc.jsonValue(),
        fc.string().map((id) => `resources/${id}`),
      ),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.string({ minLength: 1, maxLength: 10 }), entry, async (key, value) => {
      fc.pre(!['kim', '_id', '_rev', '_type', '_meta', '__proto__'].includes(key));
      await sam.put({ ...posted(`${BASE}/queues`), data: { [key]: value } }).catch(() => undefined);
    }),
    { numRuns: 100 },
  );
  expect(await runJob(service, kim, jobOf('who'))).toMatchObject({ result: 'kim' });
  expect(await runJob(service, sam, jobOf('who'))).toMatchObject({ result: 'sam' });
  expect(eventsOf(told, 'queue:stopped')).toEqual([]);
});

async function silentServer(): Promise<string> {
  const sockets = new Set<{ destroy(): unknown }>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${String(port)}`;
}

test.each([
  ['where nobody listens', async () => 'http://127.0.0.1:1', TOKEN, 'OADA_JOBS_STORE_UNREACHABLE'],
  [
    'of a name that leads nowhere',
    async () => 'https://nowhere.invalid',
    TOKEN,
    'OADA_JOBS_STORE_UNREACHABLE',
  ],
  ['that never answers', silentServer, TOKEN, 'OADA_JOBS_STORE_TIMEOUT'],
  ['that does not take the token', undefined, 'nobody-5ecret', 'OADA_JOBS_STORE_UNAUTHORIZED'],
])('a queue at an address %s is tried again, and disturbs no other', async (_what, where, token, code) => {
  const { server, sam, kim, service } = await stage();
  const domain = (await where?.()) ?? server.url;
  await sam.put({ ...posted(`${BASE}/queues/dead`), data: { domain, token } });
  const failed = service.events.next('queue:failed');
  await service.start();
  await sam.put({ ...posted(`${BASE}/queues/kim`), data: { domain: server.url, token: OTHER_TOKEN } });
  const { queue, error, retryIn } = await failed;
  expect(queue).toBe('dead');
  expect(error).toMatchObject({ name: 'StoreError', code });
  expect(error.message).not.toContain(token);
  expect(retryIn).toBeGreaterThan(0);
  expect(await runJob(service, kim, jobOf('who'))).toMatchObject({ result: 'kim' });
  expect(await runJob(service, sam, jobOf('who'))).toMatchObject({ result: 'sam' });
});

test('a queue whose store comes alive later is found then, after longer and longer waits', async () => {
  const { server, sam, service } = await stage();
  const first = await OADAServer.start({ tokens: [{ token: THIRD_TOKEN }] });
  const port = Number(new URL(first.url).port);
  await first.stop();
  await sam.put({ ...posted(`${BASE}/queues/later`), data: { domain: first.url, token: THIRD_TOKEN } });
  const failed = service.events.next('queue:failed');
  const failedAgain = service.events.next('queue:failed', ({ retryIn }) => retryIn > 1400);
  await service.start();
  expect((await failed).retryIn).toBeLessThanOrEqual(1000);
  await failedAgain;
  const started = service.events.next('queue:started');
  const second = await OADAServer.start({ tokens: [{ token: THIRD_TOKEN }], port });
  onTestFinished(() => second.stop());
  expect(await started).toEqual({ queue: 'later' });
  expect(await runJobAt(second)).toMatchObject({ result: 'lee' });
  expect(await runJob(service, server.client(), jobOf('who'))).toMatchObject({ result: 'sam' });

  async function runJobAt(other: OADAServer): Promise<unknown> {
    const filed = service.events.next('job:filed', ({ queue }) => queue === 'later');
    await postJob(other.client(), jobOf('who'), newKey());
    return await read(other.client(), `/${(await filed).jobId}`);
  }
});

test('the address of an entry can be a ws URL', async () => {
  const { server, sam, kim, service } = await stage();
  await service.start();
  const started = service.events.next('queue:started');
  const domain = server.url.replace('http', 'ws');
  await sam.put({ ...posted(`${BASE}/queues/kim`), data: { domain, token: OTHER_TOKEN } });
  await started;
  expect(await runJob(service, kim, jobOf('who'))).toMatchObject({ result: 'kim' });
});

test('an entry can be a link that is made by hand', async () => {
  const { server, sam, kim, service } = await stage();
  await service.start();
  const started = service.events.next('queue:started');
  const _id = await postResource(sam, { domain: server.url, token: OTHER_TOKEN });
  await sam.put({ ...posted(`${BASE}/queues`), data: { kim: { _id } } });
  expect(await started).toEqual({ queue: 'kim' });
  expect(await runJob(service, kim, jobOf('who'))).toMatchObject({ result: 'kim' });
});
