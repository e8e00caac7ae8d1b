import { fork } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

import { LifecycleError, Service, ServiceStoppingError } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';
import { describe, expect, onTestFinished, test } from 'vitest';

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
  OTHER_TOKEN,
  postJob,
  read,
  runJob,
  startServer,
  TOKEN,
  watchRejections,
  WAYS,
} from './setup.js';

describe('start()', () => {
  test('called twice gives the same promise, and starts once', async () => {
    const server = await startServer();
    const service = makeService(server);
    const told = listen(service);
    const first = service.start();
    expect(service.start()).toBe(first);
    await first;
    expect(service.start()).toBe(first);
    expect(eventsOf(told, 'service:started')).toEqual([{ service: NAME }]);
    expect(eventsOf(told, 'queue:started')).toEqual([{ queue: 'default' }]);
  });

  test.each(WAYS)('with a wrong token is refused, %s', async (way) => {
    const server = await startServer();
    const oada = way === 'in process' ? server.client('wr0ng') : { domain: server.url, token: 'wr0ng' };
    await using service = new Service({ name: NAME, oada });
    const error: unknown = await service.start().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'StoreError', code: 'OADA_JOBS_STORE_UNAUTHORIZED', status: 401 });
    expect(String(error)).toContain('token');
    expect(String(error)).not.toContain('wr0ng');
  });

  test('where nobody listens is refused, and can be tried again', async () => {
    const gone = await startServer();
    await gone.stop();
    const port = Number(new URL(gone.url).port);
    await using service = new Service(NAME, gone.url, TOKEN).on('plough', '5s', () => 'done');
    const error: unknown = await service.start().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'StoreError', code: 'OADA_JOBS_STORE_UNREACHABLE' });

    const server = await startServer({ port, tokens: [{ token: TOKEN }] });
    await service.start();
    expect(await runJob(service, server.client(), jobOf('plough'))).toMatchObject({ status: 'success' });
  });

  test('where nobody answers is refused within the time limit', async () => {
    watchRejections();
    const silent = createServer((socket) => {
      socket.on('error', () => undefined);
      onTestFinished(() => {
        socket.destroy();
      });
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', () => resolve()));
    onTestFinished(() => {
      silent.close();
    });
    const { port } = silent.address() as AddressInfo;
    const oada = { domain: `http://127.0.0.1:${String(port)}`, token: TOKEN };
    await using service = new Service({ name: NAME, oada, requestTimeout: 50 });
    const error: unknown = await service.start().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'StoreError', code: 'OADA_JOBS_STORE_TIMEOUT' });
    expect(String(error)).toContain('50 ms');
  });

  test('with a client that never answers is refused within the time limit', async () => {
    const server = await startServer();
    const client = server.client();
    Object.assign(client, { head: () => new Promise(() => undefined) });
    await using service = new Service({ name: NAME, oada: client, requestTimeout: 50 });
    await expect(service.start()).rejects.toMatchObject({ code: 'OADA_JOBS_STORE_TIMEOUT' });
  });

  test('after stop() is refused', async () => {
    const server = await startServer();
    const service = makeService(server);
    await service.stop();
    await expect(service.start()).rejects.toBeInstanceOf(LifecycleError);
  });
});

describe('stop()', () => {
  test('before start(), and twice, does nothing more', async () => {
    const server = await startServer();
    const service = makeService(server);
    const told = listen(service);
    const first = service.stop();
    expect(service.stop()).toBe(first);
    await first;
    expect(eventsOf(told, 'service:stopped')).toEqual([{ service: NAME }]);
  });

  test.each(WAYS)('during start() ends it, %s', async (way) => {
    const server = await startServer();
    const service = makeService(server, way).on('plough', '5s', () => 'done');
    const starting = service.start();
    await service.stop();
    await starting;
    const told = listen(service);
    const jobId = await postJob(server.client(), jobOf('plough'));
    expect(await read(server.client(), `/${jobId}`)).not.toHaveProperty('status');
    expect(told).toEqual([]);
  });

  test('during a start() that fails does not fail', async () => {
    watchRejections();
    const service = new Service(NAME, 'http://127.0.0.1:1', TOKEN);
    const starting = service.start();
    const stopping = service.stop();
    await expect(starting).rejects.toMatchObject({ code: 'OADA_JOBS_STORE_UNREACHABLE' });
    await stopping;
  });

  test.each(WAYS)('lets running work end, and takes nothing new, %s', async (way) => {
    const server = await startServer();
    const oada = server.client();
    const gate = deferred();
    const service = makeService(server, way, { drainTimeout: Infinity, concurrency: 1 });
    service.on('slow', '10s', () => gate.promise);
    await service.start();
    const running = service.events.next('job:started');
    const first = await postJob(oada, jobOf('slow'));
    const second = await postJob(oada, jobOf('slow'));
    await running;
    const stopping = service.stop();
    const third = await postJob(oada, jobOf('slow'));
    gate.resolve();
    await stopping;
    expect(await allFiled(oada)).toMatchObject([{ status: 'success', id: first }]);
    for (const id of [second, third]) expect(await read(oada, `/${id}`)).not.toHaveProperty('status');
  });

  test.each(WAYS)(
    'aborts work that takes longer; its job stays pending and is run again, %s',
    async (way) => {
      const server = await startServer();
      const oada = server.client();
      const reason = deferred<unknown>();
      let cancelled = 0;
      const service = makeService(server, way, { drainTimeout: 20 });
      service.on('slow', '10s', (_job, { signal, log }) => {
        void log.info('begun');
        signal.addEventListener('abort', () => reason.resolve(signal.reason));
        return Object.assign(new Promise(() => undefined), { cancel: () => cancelled++ });
      });
      await service.start();
      const told = listen(service);
      const started = service.events.next('job:started');
      const jobId = await postJob(oada, jobOf('slow'), 'mine');
      expect(await started).toMatchObject({ attempt: 1 });
      await service.stop();
      expect(await reason.promise).toBeInstanceOf(ServiceStoppingError);
      expect(cancelled).toBe(1);
      expect(eventsOf(told, 'job:interrupted')).toEqual([
        { queue: 'default', key: 'mine', jobId, type: 'slow' },
      ]);
      const job = await read(oada, `/${jobId}`);
      expect(job).toMatchObject({ status: 'queued', attempts: 0, claim: null });
      expect(job).not.toHaveProperty('result');
      expect(keysOf(await read(oada, `${BASE}/jobs`))).toEqual(['mine']);
      expect(await allFiled(oada)).toEqual([]);

      const next = makeService(server, way).on('slow', '5s', () => 'done');
      const again = next.events.next('job:started');
      const filed = next.events.next('job:filed');
      await next.start();
      expect(await again).toMatchObject({ jobId, attempt: 1 });
      expect(await filed).toMatchObject({ jobId, status: 'success' });
      expect(await read(oada, `/${jobId}`)).toMatchObject({ status: 'success', result: 'done', attempts: 1 });
    },
  );

  test('does not wait for a job that is still empty', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = makeService(server, 'in process', { contentTimeout: '10m', drainTimeout: 20 });
    await service.start();
    const found = service.events.next('job:found');
    const jobId = await postJob(oada, {}, 'empty');
    await found;
    await service.stop();
    expect(await read(oada, `/${jobId}`)).not.toHaveProperty('status');
    expect(keysOf(await read(oada, `${BASE}/jobs`))).toEqual(['empty']);
  });

  test('is what `await using` does', async () => {
    const server = await startServer();
    let told: ReturnType<typeof listen>;
    {
      await using service = new Service(NAME, server.client());
      told = listen(service);
      await service.start();
    }
    expect(told.slice(-2).map(({ name }) => name)).toEqual(['queue:stopped', 'service:stopped']);
  });

  test('leaves nothing behind that keeps the process alive', async () => {
    const server = await startServer();
    await ensureLists(server.client());
    const program = fileURLToPath(new URL('programs/run-and-stop.ts', import.meta.url));
    const child = fork(program, [server.url, TOKEN], { execArgv: ['--import', 'tsx'], stdio: 'pipe' });
    let output = '';
    child.stdout?.on('data', (text: Buffer) => (output += text.toString()));
    child.stderr?.on('data', (text: Buffer) => (output += text.toString()));
    child.on('message', (message) => {
      if (message === 'ready') void postJob(server.client(), jobOf('plough'));
    });
    const status = await new Promise((resolve) => child.on('exit', resolve));
    expect(output).toBe('stopped\n');
    expect(status).toBe(0);
  });
});

test('no more jobs than `concurrency` run at once, over all queues', async () => {
  const server = await startServer();
  const [sam, kim] = [server.client(TOKEN), server.client(OTHER_TOKEN)];
  await ensureLists(sam);
  await ensureLists(kim);
  const entry = { domain: server.url, token: OTHER_TOKEN };
  await sam.put({ path: `${BASE}/queues/kim`, data: entry, contentType: 'application/json' });
  let running = 0;
  let most = 0;
  const service = makeService(server, 'in process', { concurrency: 3 }).on(
    'plough',
    '10s',
    async (_job, { log }) => {
      most = Math.max(most, ++running);
      await log.info('at it');
      running--;
    },
  );
  const filed = countTo(service, 'job:filed', 40);
  for (let count = 0; count < 20; count++) {
    await postJob(sam, jobOf('plough'));
    await postJob(kim, jobOf('plough'));
  }
  await service.start();
  await filed;
  expect(most).toBe(3);
});

test('a worker can be added, replaced and taken away while the service runs', async () => {
  const server = await startServer();
  const oada = server.client();
  const service = makeService(server);
  await service.start();
  expect(await runJob(service, oada, jobOf('plough'))).toMatchObject({ failureType: 'unknown-type' });
  service.on('plough', '5s', () => 'first');
  expect(await runJob(service, oada, jobOf('plough'))).toMatchObject({ result: 'first' });
  service.on('plough', '5s', () => 'second');
  expect(await runJob(service, oada, jobOf('plough'))).toMatchObject({ result: 'second' });
  service.off('plough').off('never-there');
  expect(await runJob(service, oada, jobOf('plough'))).toMatchObject({ failureType: 'unknown-type' });
});

test('a listener that throws harms nobody, and one that is taken back is called no more', async () => {
  const server = await startServer();
  const service = makeService(server).on('plough', '5s', () => 'done');
  let heard = 0;
  const listener = (): void => {
    heard++;
    throw new Error('in a listener');
  };
  service.events.on('job:started', listener);
  service.events.on('job:started', listener);
  await service.start();
  expect(await runJob(service, server.client(), jobOf('plough'))).toMatchObject({ status: 'success' });
  expect(heard).toBe(1);
  service.events.off('job:started', listener);
  await runJob(service, server.client(), jobOf('plough'));
  expect(heard).toBe(1);
});

test('many jobs at once make Node warn of nothing', async () => {
  const server = await startServer();
  const warnings: Error[] = [];
  const listener = (warning: Error): void => {
    warnings.push(warning);
  };
  process.on('warning', listener);
  onTestFinished(() => {
    process.off('warning', listener);
  });
  const options = { concurrency: 50, checkInterval: Infinity, contentTimeout: '100ms' } as const;
  const service = makeService(server, 'in process', options);
  await service.start();
  const filed = countTo(service, 'job:filed', 50);
  for (let count = 0; count < 50; count++) await postJob(server.client(), {}); // each is waited for
  await filed;
  expect(warnings).toEqual([]);
});

test('a server that stops under a service that carries it along is no reason to fail', async () => {
  watchRejections();
  const server = await OADAServer.start();
  const service = new Service(NAME, server.client());
  await service.start();
  const failed = service.events.next('queue:failed');
  await server.stop();
  await failed;
  await service.stop();
});
