import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { OADAClient } from '@oada/client';
import { Service } from '@oada/jobs';
import type { Duration } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';
import { expect, onTestFinished, test } from 'vitest';

import { startProxy } from './proxy.js';
import {
  allFiled,
  BASE,
  countTo,
  deferred,
  ensureLists,
  eventsOf,
  jobOf,
  keysOf,
  listen,
  makeService,
  NAME,
  postJob,
  read,
  runJob,
  startServer,
  TOKEN,
  watchRejections,
} from './setup.js';

const tokens = [{ token: TOKEN, user: 'users/sam' }];

/** Counts how often each job is run. */
function countRuns(service: Service, type = 'plough'): Map<string, number> {
  const runs = new Map<string, number>();
  service.on(type, '20s', async ({ _id }, { log }) => {
    runs.set(_id, (runs.get(_id) ?? 0) + 1);
    void log.info('at it');
    return 'done';
  });
  return runs;
}

/** A service that reaches its store by way of a proxy alone. */
function serviceBehind({ url }: { readonly url: string }, requestTimeout: Duration): Service {
  const oada = { domain: url, token: TOKEN };
  const service = new Service({ name: NAME, oada, requestTimeout, drainTimeout: 50 });
  onTestFinished(() => service.stop());
  return service;
}

test('a server that stops and comes back is found again, and no job is lost or run twice', async () => {
  watchRejections();
  const path = await mkdtemp(join(tmpdir(), 'jobs-test-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  let server = await OADAServer.start({ path, tokens });
  onTestFinished(() => server.stop());
  const port = Number(new URL(server.url).port);
  const service = makeService(server, 'over a socket');
  const runs = countRuns(service);
  const gate = deferred();
  let slowRuns = 0;
  service.on('slow', '20s', async () => {
    slowRuns++;
    await gate.promise;
    return 'done meanwhile';
  });
  const told = listen(service);
  await service.start();
  for (let count = 0; count < 5; count++) await runJob(service, server.client(), jobOf('plough'));
  const started = service.events.next('job:started');
  const slow = await postJob(server.client(), jobOf('slow'));
  await started;

  const lost = service.events.next('queue:failed');
  await server.stop();
  await lost;
  const failedToStore = service.events.next(
    'store:requested',
    ({ method, error }) => method === 'put' && error !== undefined,
  );
  gate.resolve(); // the work is done while the store is away
  await failedToStore;

  const filed = countTo(service, 'job:filed', 11);
  server = await OADAServer.start({ path, tokens, port });
  for (let count = 0; count < 10; count++) await postJob(server.client(), jobOf('plough'));
  await filed;
  expect([...runs.values()]).toEqual(Array.from({ length: 15 }, () => 1));
  expect(slowRuns).toBe(1);
  expect(await read(server.client(), `/${slow}`)).toMatchObject({
    status: 'success',
    result: 'done meanwhile',
    attempts: 1,
  });
  expect(await allFiled(server.client())).toHaveLength(16);
  expect(keysOf(await read(server.client(), `${BASE}/jobs`))).toEqual([]);
  expect(eventsOf(told, 'job:failed')).toEqual([]);
  expect(eventsOf(told, 'queue:started')).toHaveLength(1);
});

test('sockets that are cut in the middle of requests lose no job, and none is run or filed twice', async () => {
  const server = await startServer();
  const proxy = await startProxy(server.url);
  await ensureLists(server.client());
  const service = serviceBehind(proxy, '2s');
  const runs = countRuns(service);
  const told = listen(service);
  await service.start();
  let requests = 0;
  service.events.on('store:requested', () => {
    if (++requests % 9 === 0 && requests < 120) proxy.cut();
  });
  const filed = countTo(service, 'job:filed', 60);
  for (let count = 0; count < 60; count++) await postJob(server.client(), jobOf('plough'));
  await filed;
  expect([...runs.values()]).toEqual(Array.from({ length: 60 }, () => 1));
  const all = await allFiled(server.client());
  expect(all).toHaveLength(60);
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set(['success']));
  expect(eventsOf(told, 'job:filed')).toHaveLength(60);
  expect(proxy.made()).toBeGreaterThan(5);
});

test('an answer that never comes is no end: the request is made again', async () => {
  const server = await startServer();
  const proxy = await startProxy(server.url);
  await ensureLists(server.client());
  const service = serviceBehind(proxy, 100);
  const runs = countRuns(service);
  await service.start();
  service.on('stall', '10s', () => {
    proxy.stall();
    return 'done';
  });
  const timedOut = service.events.next(
    'store:requested',
    ({ error }) => error?.code === 'OADA_JOBS_STORE_TIMEOUT',
  );
  const filed = service.events.next('job:filed');
  const jobId = await postJob(server.client(), jobOf('stall'));
  await timedOut;
  proxy.resume();
  expect(await filed).toMatchObject({ status: 'success', jobId });
  await runJob(service, server.client(), jobOf('plough'));
  expect([...runs.values()]).toEqual([1]);
});

test('reconnecting again and again leaves one socket', async () => {
  const server = await startServer();
  const proxy = await startProxy(server.url);
  const service = new Service(NAME, proxy.url, TOKEN).on('plough', '5s', () => 'done');
  onTestFinished(() => service.stop());
  await service.start();
  for (let count = 1; count <= 15; count++) {
    const watched = watchedAgain(service);
    proxy.cut();
    await watched;
  }
  await runJob(service, server.client(), jobOf('plough'));
  expect(proxy.open()).toBe(1);
});

/** Both lists, of jobs and of queues, are. */
function watchedAgain(service: Service): Promise<void> {
  return new Promise((resolve) => {
    let watches = 0;
    service.events.on('store:requested', ({ method, error }) => {
      if (method === 'watch' && error === undefined && ++watches === 2) resolve();
    });
  });
}

test('a job whose notification is lost is found by the next check', async () => {
  const server = await startServer();
  const client = server.client();
  changeWatches(client, () => ({
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
  }));
  await using service = new Service({ name: NAME, oada: client, checkInterval: '50ms' });
  service.on('plough', '5s', () => 'done');
  await service.start();
  expect(await runJob(service, server.client(), jobOf('plough'))).toMatchObject({ status: 'success' });
});

type Watch = (request: unknown) => Promise<{ changes: AsyncIterable<unknown> }>;

/** Has the client's watches tell something else. */
function changeWatches(
  client: OADAClient,
  change: (changes: AsyncIterable<unknown>) => AsyncIterable<unknown>,
): void {
  const original: unknown = Reflect.get(client, 'watch');
  const watch = (original as Watch).bind(client);
  Object.assign(client, {
    watch: async (request: unknown) => {
      const answer = await watch(request);
      return { ...answer, changes: change(answer.changes) };
    },
  });
}

test('repeated and reordered notifications have no job run twice', async () => {
  const server = await startServer();
  const client = server.client();
  changeWatches(client, shuffled);
  const service = new Service({ name: NAME, oada: client, checkInterval: '50ms', drainTimeout: 50 });
  onTestFinished(() => service.stop());
  const runs = countRuns(service);
  await service.start();
  const filed = countTo(service, 'job:filed', 40);
  for (let count = 0; count < 40; count++) await postJob(server.client(), jobOf('plough'));
  await filed;
  expect([...runs.values()]).toEqual(Array.from({ length: 40 }, () => 1));
});

/** Each pair the other way round, and everything twice. */
async function* shuffled(changes: AsyncIterable<unknown>): AsyncGenerator {
  let held: unknown;
  for await (const change of changes) {
    if (held === undefined) {
      held = change;
      continue;
    }
    yield change;
    yield held;
    yield change;
    held = undefined;
  }
}
