import { getEventListeners } from 'node:events';

import { connect, OADAClient } from '@oada/client';
import { JobError as ThrownJobError } from '@oada/jobs';
import type { OADAServer } from '@oada/jobs/server';
import { describe, expect, onTestFinished, test } from 'vitest';

import { systemClock } from '../lib/clock.js';
import { ConfigError, JobError, StoreError, WaitTimeoutError } from '../lib/errors.js';
import type { Json } from '../lib/json.js';
import { SocketConnection } from '../lib/oada/connection.js';
import { Feed } from '../lib/oada/feed.js';
import { withStore } from '../lib/oada/shared-store.js';
import { openStore } from '../lib/oada/store.js';
import type { ResourceChange, Store, StoreWatch } from '../lib/oada/store.js';
import { submit } from '../lib/producer.js';
import { resolveWaitOptions, waitForJob, waitOn } from '../lib/wait.js';
import type { FinishedJob, WaitOptions } from '../lib/wait.js';
import { FakeClock } from './fake-clock.js';
import {
  BASE,
  deferred,
  JOB_TYPE,
  jobOf,
  makeService,
  NAME,
  OTHER_TOKEN,
  postResource,
  startServer,
  TOKEN,
} from './setup.js';
import { startProxy } from './proxy.js';

const REQUEST = { service: NAME, type: 'plough', config: { acres: 3 }, layout: 'classic' } as const;

const CLIENTS = {
  'in process': async (server: OADAServer) => server.client(TOKEN),
  'over ws': (server: OADAServer) => connected(server.url, 'ws'),
  'over http': (server: OADAServer) => connected(server.url, 'http'),
};
const WAYS = ['in process', 'over ws', 'over http'] as const;

async function connected(domain: string, connection: 'ws' | 'http'): Promise<OADAClient> {
  const client = await connect({ domain, token: TOKEN, connection, concurrency: 5 });
  onTestFinished(() => client.disconnect());
  return client;
}

interface Spied {
  readonly client: OADAClient;
  /** What was asked of the store, as `get /resources/abc`. */
  readonly requests: string[];
  /** Called with each request before it is sent. */
  before: (request: string) => void | Promise<void>;
  /** Resolves when this has been asked and answered so many times. */
  readonly answered: (request: string, times?: number) => Promise<void>;
}

function spied(url: string): Spied {
  const connection = new SocketConnection(new URL(url), { clock: systemClock, timeout: 5000 });
  const client = new OADAClient({ domain: url, token: TOKEN, connection });
  onTestFinished(() => client.disconnect());
  const requests: string[] = [];
  const answers: string[] = [];
  const listeners = new Set<() => void>();
  const send = connection.request.bind(connection);
  connection.request = async (request, options) => {
    const said = `${request.watch === true ? 'watch' : request.method} ${request.path}`;
    requests.push(said);
    await spy.before(said);
    const answer = await send(request, options);
    answers.push(said);
    for (const listener of listeners) listener();
    return answer;
  };
  const answered = (request: string, times = 1): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (answers.filter((answer) => answer === request).length < times) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      look();
    });
  const spy: Spied = { client, requests, answered, before: () => undefined };
  return spy;
}

async function end(server: OADAServer, jobId: string, record: object): Promise<void> {
  await server.client().put({ path: `/${jobId}`, data: record, contentType: JOB_TYPE });
}

async function failureOf(waiting: Promise<FinishedJob>): Promise<Error> {
  return await waiting.then(
    () => expect.fail('it has not failed'),
    (error: unknown) => error as Error,
  );
}

describe.each(WAYS)('waitForJob, %s', (way) => {
  test('resolves with what the work function returned', async () => {
    const server = await startServer();
    const oada = await CLIENTS[way](server);
    const service = makeService(server).on('plough', '5s', ({ config }) => ({ ploughed: config['acres'] }));
    await service.start();
    const job = await submit(oada, REQUEST);
    expect(await waitForJob(oada, job)).toEqual({
      _id: job._id,
      service: NAME,
      type: 'plough',
      status: 'success',
      result: { ploughed: 3 },
      time: expect.any(Date),
    });
  });

  test('waits for a job that takes its time and tells of its progress', async () => {
    const server = await startServer();
    const oada = await CLIENTS[way](server);
    const gate = deferred();
    const service = makeService(server).on('plough', '5s', async (_job, { log }) => {
      for (let step = 0; step < 5; step++) await log.info('at it', { step });
      await gate.promise;
      return 'done';
    });
    const started = service.events.next('job:started');
    await service.start();
    const job = await submit(oada, REQUEST);
    const waiting = waitForJob(oada, job._id);
    await started;
    gate.resolve();
    expect(await waiting).toMatchObject({ result: 'done' });
  });

  test('rejects with the error of the work', async () => {
    const server = await startServer();
    const oada = await CLIENTS[way](server);
    const service = makeService(server).on('plough', '5s', () => {
      const cause = Object.assign(new RangeError('too deep'), {
        code: 'E_DEPTH',
        cause: new Error('a stone'),
      });
      throw new ThrownJobError('The plough broke', { type: 'broken', cause });
    });
    await service.start();
    const error = await failureOf(waitForJob(oada, await submit(oada, REQUEST)));
    expect(error).toBeInstanceOf(JobError);
    expect(error).toMatchObject({
      message: 'The plough broke',
      type: 'broken',
      code: 'OADA_JOBS_JOB_FAILED',
    });
    expect(error.cause).toBeInstanceOf(Error);
    expect(error.cause).toMatchObject({
      name: 'JobError',
      message: 'The plough broke',
      code: 'OADA_JOBS_JOB_FAILED',
      cause: { name: 'RangeError', message: 'too deep', code: 'E_DEPTH', cause: { message: 'a stone' } },
    });
  });

  test('can be waited for a hundred times at once', async () => {
    const server = await startServer();
    const oada = await CLIENTS[way](server);
    const gate = deferred();
    const service = makeService(server, 'in process', { concurrency: 100 }).on(
      'count',
      '20s',
      async ({ config }) => {
        await gate.promise;
        return config['number'];
      },
    );
    await service.start();
    const { signal } = new AbortController();
    const warnings: Error[] = [];
    const warn = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warn);
    onTestFinished(() => void process.off('warning', warn));
    const jobs = await Promise.all(
      Array.from({ length: 100 }, (_, number) =>
        submit(oada, { ...REQUEST, type: 'count', config: { number } }),
      ),
    );
    const waits = jobs.map((job) => waitForJob(oada, job, { signal }));
    gate.resolve();
    const results = (await Promise.all(waits)).map(({ result }) => result);
    expect(results).toEqual(Array.from({ length: 100 }, (_, number) => number));
    expect(warnings).toEqual([]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('a job', () => {
  test('that is over already is read once, and nothing else', async () => {
    const server = await startServer();
    const jobId = await postResource(server.client(), {
      ...jobOf('plough'),
      status: 'success',
      result: [1, null],
    });
    const { client, requests } = spied(server.url);
    expect(await waitForJob(client, { _id: jobId })).toEqual({
      ...{ _id: jobId, service: NAME, type: 'plough', status: 'success', result: [1, null], time: undefined },
    });
    expect(requests).toEqual([`get /${jobId}`]);
  });

  test('is not read for its progress, but once when it is over', async () => {
    const server = await startServer();
    const jobId = await postResource(server.client(), jobOf('plough'));
    const { client, requests, answered } = spied(server.url);
    const waiting = waitForJob(client, jobId);
    await answered(`head /${jobId}`);
    await end(server, jobId, { status: 'running' });
    for (let step = 0; step < 20; step++) {
      await end(server, jobId, { updates: { [`step-${String(step)}`]: { status: 'success', meta: step } } });
    }
    await end(server, jobId, { status: 'success', result: 'done' });
    expect(await waiting).toMatchObject({ result: 'done' });
    expect(requests.slice(0, 4)).toEqual([
      ...[`get /${jobId}`, `watch /${jobId}`, `head /${jobId}`, `get /${jobId}`],
    ]);
    await answered('unwatch ');
    expect(new Set(requests.slice(4))).toEqual(new Set(['unwatch ']));
  });

  test('that is linked and still empty is waited for', async () => {
    const server = await startServer();
    const jobId = await postResource(server.client(), {});
    await server
      .client()
      .put({ path: `${BASE}/jobs/mine`, data: { _id: jobId }, contentType: 'application/json' });
    const { client, answered } = spied(server.url);
    const waiting = waitForJob(client, jobId);
    await answered(`head /${jobId}`);
    await end(server, jobId, { ...jobOf('plough'), status: 'success' });
    expect(await waiting).toMatchObject({ type: 'plough', result: undefined });
  });

  test('that ends while the watch is being opened is not missed', async () => {
    const server = await startServer();
    const jobId = await postResource(server.client(), jobOf('plough'));
    const spy = spied(server.url);
    spy.before = async (request) => {
      if (request.startsWith('watch')) await end(server, jobId, { status: 'success', result: 'meanwhile' });
    };
    expect(await waitForJob(spy.client, jobId)).toMatchObject({ result: 'meanwhile' });
  });

  test('that is not there is no job to wait for', async () => {
    const server = await startServer();
    const waiting = waitForJob(server.client(), 'resources/nowhere');
    await expect(waiting).rejects.toMatchObject({ name: 'StoreError', code: 'OADA_JOBS_STORE_NOT_FOUND' });
  });

  test('that is deleted meanwhile is not waited for any longer', async () => {
    const server = await startServer();
    const jobId = await postResource(server.client(), jobOf('plough'));
    const { client, answered } = spied(server.url);
    const waiting = failureOf(waitForJob(client, jobId));
    await answered(`head /${jobId}`);
    await server.client().delete({ path: `/${jobId}` });
    expect(await waiting).toMatchObject({ code: 'OADA_JOBS_STORE_NOT_FOUND' });
  });

  test("that is another user's is not waited for", async () => {
    const server = await startServer();
    const jobId = await postResource(server.client(), jobOf('plough'));
    const waiting = waitForJob(server.client(OTHER_TOKEN), jobId);
    await expect(waiting).rejects.toMatchObject({ code: 'OADA_JOBS_STORE_FORBIDDEN' });
  });

  test.each<[string, Json | undefined, string]>([
    ['nothing', undefined, 'The job failed, and its document does not say why.'],
    ['null', null, 'The job failed, and its document does not say why.'],
    ['text', 'It rained', 'It rained'],
    ['a list', [1], 'The job failed, and its document does not say why.'],
    [
      'an object of another make',
      { name: 7, message: { a: 1 }, code: [], cause: 'the weather', stack: 7 },
      'The job',
    ],
    ['more causes than anybody wants', nested(400), 'cause 400'],
  ])('that failed with %s as its record rejects all the same', async (_what, result, message) => {
    const server = await startServer();
    const record = {
      ...jobOf('plough'),
      status: 'failure',
      ...(result !== undefined && { result }),
      failureType: 7,
    };
    const jobId = await postResource(server.client(), record);
    const error = await failureOf(waitForJob(server.client(), jobId));
    expect(error).toBeInstanceOf(JobError);
    expect(error.message).toContain(message);
    expect(error).toMatchObject({ type: undefined, cause: { name: 'Error' } });
    let depth = 0;
    for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) depth++;
    expect(depth).toBeLessThan(8);
  });
});

describe('giving up', () => {
  test('by a signal that is aborted already asks nothing of the store', async () => {
    const { client, requests } = spied('http://127.0.0.1:1');
    const reason = new Error('never mind');
    const waiting = waitForJob(client, 'resources/abc', { signal: AbortSignal.abort(reason) });
    await expect(waiting).rejects.toBe(reason);
    expect(requests).toEqual([]);
  });

  test('by a signal rejects with its reason, and lets go of the watch', async () => {
    const server = await startServer();
    const jobId = await postResource(server.client(), jobOf('plough'));
    const { client, requests, answered } = spied(server.url);
    const abort = new AbortController();
    const waiting = failureOf(waitForJob(client, jobId, { signal: abort.signal }));
    await answered(`head /${jobId}`);
    const reason = new Error('never mind');
    abort.abort(reason);
    expect(await waiting).toBe(reason);
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
    await answered('unwatch ');
    expect(new Set(requests.slice(3))).toEqual(new Set(['unwatch ']));
  });

  test('while the watch is on its way lets go of it when it comes', async () => {
    const server = await startServer();
    const jobId = await postResource(server.client(), jobOf('plough'));
    const spy = spied(server.url);
    const abort = new AbortController();
    spy.before = (request) => {
      if (request.startsWith('watch')) abort.abort();
    };
    await failureOf(waitForJob(spy.client, jobId, { signal: abort.signal }));
    await spy.answered('unwatch ');
    expect(spy.requests.slice(0, 2)).toEqual([`get /${jobId}`, `watch /${jobId}`]);
    expect(new Set(spy.requests.slice(2))).toEqual(new Set(['unwatch ']));
  });

  test('a client that never answers leaves nothing that keeps the process alive', async () => {
    const server = await startServer();
    const { client } = spied(server.url);
    const asked = deferred();
    const never = (): Promise<never> => {
      asked.resolve();
      return new Promise(() => undefined);
    };
    Object.assign(client, { get: never });
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
    const before = timers();
    const abort = new AbortController();
    const waiting = failureOf(waitForJob(client, 'resources/abc', { signal: abort.signal, timeout: '1h' }));
    await asked.promise;
    expect(timers()).toBeGreaterThan(before);
    abort.abort();
    await waiting;
    expect(timers()).toBeLessThanOrEqual(before);
  });

  test('after the timeout says so, and the job goes on', async () => {
    const server = await startServer();
    const gate = deferred();
    const service = makeService(server).on('plough', '5s', () => gate.promise);
    await service.start();
    const oada = server.client();
    const job = await submit(oada, REQUEST);
    const error = await failureOf(waitForJob(oada, job, { timeout: '50ms' }));
    expect(error).toBeInstanceOf(WaitTimeoutError);
    expect(error).toMatchObject({ code: 'OADA_JOBS_WAIT_TIMEOUT', jobId: job._id, timeout: 50 });
    gate.resolve();
    expect(await waitForJob(oada, job)).toMatchObject({ status: 'success' });
  });
});

test('all that is done with a client at the same time shares a store, which is closed by the last', async () => {
  const { client } = spied('http://127.0.0.1:1');
  const gate = deferred();
  let closed = 0;
  const first = withStore(client, async (store) => {
    const close = store.close.bind(store);
    store.close = async () => {
      closed++;
      await close();
    };
    await gate.promise;
    return store;
  });
  const failed = withStore(client, async () => {
    throw new Error('one of them failed');
  });
  await expect(failed).rejects.toThrow('one of them failed');
  const second = await withStore(client, async (store) => store);
  expect(closed).toBe(0);
  gate.resolve();
  expect(await first).toBe(second);
  expect(closed).toBe(1);
  expect(await withStore(client, async (store) => store)).not.toBe(second);
});

describe('a connection that breaks', () => {
  test.each(['ws', 'http'] as const)('is got over, with a client over %s', async (connection) => {
    const server = await startServer();
    const proxy = await startProxy(server.url);
    const oada = await connected(proxy.url, connection);
    const jobId = await postResource(server.client(), jobOf('plough'));
    const abort = new AbortController();
    const store = storeOf(oada);
    const asked = askedOf(store);
    const options = resolveWaitOptions({ signal: abort.signal, checkInterval: '300ms' });
    const waiting = waitOn(store, jobId, options, systemClock);
    await asked('watch');
    proxy.cut();
    await end(server, jobId, { status: 'success', result: 'unheard of' });
    expect(await waiting).toMatchObject({ result: 'unheard of' });
  });

  test('again and again loses no job', async () => {
    const server = await startServer();
    const proxy = await startProxy(server.url);
    const { client } = spied(proxy.url);
    const service = makeService(server).on('plough', '5s', ({ config }) => config['number'] as number);
    await service.start();
    const results: unknown[] = [];
    for (let number = 0; number < 10; number++) {
      const job = await submit(client, { ...REQUEST, config: { number } });
      const waiting = waitForJob(client, job);
      proxy.cut();
      results.push((await waiting).result);
    }
    expect(results).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('and stays away is waited for until it is back', async () => {
    const server = await startServer();
    const proxy = await startProxy(server.url);
    const { client } = spied(proxy.url);
    const jobId = await postResource(server.client(), jobOf('plough'));
    const store = storeOf(client, 200);
    const asked = askedOf(store);
    const waiting = waitOn(store, jobId, resolveWaitOptions({ checkInterval: '200ms' }), systemClock);
    await asked('watch');
    proxy.stall();
    await end(server, jobId, { status: 'success', result: 'done meanwhile' });
    await asked('timed out', 2);
    proxy.cut();
    proxy.resume();
    expect(await waiting).toMatchObject({ result: 'done meanwhile' });
  });

  test.each(['ws', 'http'] as const)(
    'a client over %s that answers no more is gone around',
    async (connection) => {
      const server = await startServer();
      const oada = await connected(server.url, connection);
      const jobId = await postResource(server.client(), jobOf('plough'));
      const store = storeOf(oada, 100);
      const asked = askedOf(store);
      const waiting = waitOn(store, jobId, resolveWaitOptions({ checkInterval: '100ms' }), systemClock);
      await asked('watch');
      const never = (): Promise<never> => new Promise(() => undefined);
      Object.assign(oada, { get: never, head: never, watch: never, unwatch: never });
      await end(server, jobId, { status: 'success', result: 'done' });
      expect(await waiting).toMatchObject({ result: 'done' });
    },
  );

  test('a store that cannot be watched at all is looked at from time to time', async () => {
    const server = await startServer();
    const oada = server.client();
    const jobId = await postResource(oada, jobOf('plough'));
    const tried = deferred();
    const watch = async (): Promise<never> => {
      tried.resolve();
      throw new Error('no sockets here');
    };
    Object.assign(oada, { watch });
    const waiting = waitForJob(oada, jobId, { checkInterval: '50ms' });
    await tried.promise;
    await end(server, jobId, { status: 'success', result: 'seen' });
    expect(await waiting).toMatchObject({ result: 'seen' });
  });
});

test.each<[RegExp, unknown, unknown]>([
  [/`job`/, undefined, {}],
  [/`job`/, {}, {}],
  [/`job`/, 'abc', {}],
  [/`job`/, '/resources/abc', {}],
  [/`job`/, { _id: 'resources/..' }, {}],
  [/`options`/, 'resources/abc', null],
  [/`signal`/, 'resources/abc', { signal: {} }],
  [/`timeout`/, 'resources/abc', { timeout: 0 }],
  [/`timeout`/, 'resources/abc', { timeout: 'soon' }],
  [/`checkInterval`/, 'resources/abc', { checkInterval: -1 }],
  [/did you mean `timeout`/, 'resources/abc', { timeOut: 5 }],
])('a wrong argument is refused: %s', async (message, job, options) => {
  const { client, requests } = spied('http://127.0.0.1:1');
  const waiting = waitForJob(client, job as string, options as WaitOptions);
  await expect(waiting).rejects.toThrow(message);
  await expect(waiting).rejects.toBeInstanceOf(ConfigError);
  expect(requests).toEqual([]);
});

function nested(depth: number): Json {
  let record: Json = { name: 'Error', message: 'cause 0' };
  for (let level = 1; level <= depth; level++)
    record = { name: 'Error', message: `cause ${String(level)}`, cause: record };
  return record;
}

function storeOf(oada: OADAClient, timeout = 1000): Store {
  const store = openStore(oada, { clock: systemClock, timeout, onRequest: () => undefined });
  onTestFinished(() => store.close());
  return store;
}

/** Resolves when a store has answered so many requests of a kind, or kept so many waiting for too long. */
function askedOf(store: Store): (what: 'watch' | 'timed out', times?: number) => Promise<void> {
  const counts = { watch: 0, 'timed out': 0 };
  const listeners = new Set<() => void>();
  const watch = store.watch.bind(store);
  const head = store.head.bind(store);
  const count = (what: keyof typeof counts): void => {
    counts[what]++;
    for (const listener of listeners) listener();
  };
  store.watch = async (path) => {
    const opened = await watch(path);
    count('watch');
    return opened;
  };
  store.head = async (path) => {
    try {
      return await head(path);
    } catch (error) {
      if (error instanceof StoreError && error.code === 'OADA_JOBS_STORE_TIMEOUT') count('timed out');
      throw error;
    }
  };
  return (what, times = 1) =>
    new Promise((resolve) => {
      const look = (): void => {
        if (counts[what] >= times) resolve();
      };
      listeners.add(look);
      look();
    });
}

/** A job in a store that tells what it is told to. */
class FakeJob {
  data: Record<string, Json> = { service: NAME, type: 'plough', _rev: 1 };
  feed = new Feed<ResourceChange>();
  /** Of those that are open. */
  watches = 0;
  opened = 0;
  reads = 0;
  heads = 0;
  failing: Error | undefined;
  told: ResourceChange[] = [];

  get rev(): number {
    return Number(this.data['_rev']);
  }

  /** Nobody hears of it yet. */
  write(record: Record<string, Json>): void {
    this.data = { ...this.data, ...record, _rev: this.rev + 1 };
    this.told.push([
      { resource_id: 'resources/abc', path: '', type: 'merge', body: { ...record, _rev: this.rev } },
    ] as never);
  }

  /** Tells of what was written since, in this order; what is left out is lost. */
  tell(...order: number[]): void {
    for (const index of order) this.feed.push(this.told[index]!);
    this.told = [];
  }

  store(): Store {
    const missing = (): never => expect.fail('not for waiting');
    const answer = async (): Promise<void> => {
      if (this.failing !== undefined) throw this.failing;
    };
    return {
      get client(): never {
        return missing();
      },
      ...{ check: missing, put: missing, delete: missing, ensure: missing, close: missing },
      get: async () => {
        await answer();
        this.reads++;
        return { data: this.data, rev: this.rev, etag: '' };
      },
      head: async () => {
        await answer();
        this.heads++;
        return { rev: this.rev, etag: '' };
      },
      watch: async (): Promise<StoreWatch> => {
        await answer();
        this.opened++;
        this.watches++;
        const feed = new Feed<ResourceChange>();
        this.feed = feed;
        let isOpen = true;
        const stop = (): void => {
          if (isOpen) this.watches--;
          isOpen = false;
          feed.end();
        };
        return { changes: feed.items(), stop };
      },
    };
  }
}

describe('by the clock', () => {
  const away = new StoreError('OADA_JOBS_STORE_UNREACHABLE', 'no connection', { path: '/' });

  async function waitFor(options: WaitOptions = {}): Promise<{
    job: FakeJob;
    clock: FakeClock;
    over: () => Promise<unknown>;
    isOver: () => boolean;
  }> {
    const job = new FakeJob();
    const clock = new FakeClock();
    const waiting = waitOn(job.store(), 'resources/abc', resolveWaitOptions(options), clock).catch(
      (error: unknown) => error,
    );
    let isOver = false;
    void waiting.then(() => {
      isOver = true;
    });
    await clock.advance(0);
    const over = async (): Promise<unknown> => {
      const ended = await waiting;
      await clock.advance(0);
      expect(clock.timers).toBe(0);
      expect(job.watches).toBe(0);
      return ended;
    };
    return { job, clock, over, isOver: () => isOver };
  }

  test('a change that is told of ends the wait, and nothing is left behind', async () => {
    const { job, over } = await waitFor({ timeout: '1h' });
    job.write({ status: 'success', result: 1 });
    job.tell(0);
    expect(await over()).toMatchObject({ result: 1 });
    expect(job.reads).toBe(2);
  });

  test('a lost change is found by the next check, and the watch that lost it is replaced', async () => {
    const { job, clock, over, isOver } = await waitFor();
    job.write({ progress: 1 });
    job.tell();
    await clock.advance(30_000);
    expect(isOver()).toBe(false);
    expect(job).toMatchObject({ opened: 2, watches: 1 });
    job.write({ status: 'success', result: 1 });
    job.tell();
    await clock.advance(31_000);
    expect(await over()).toMatchObject({ result: 1 });
  });

  test('a change that is told of twice, too late or after others costs at most one look', async () => {
    const { job, clock, over } = await waitFor();
    for (const progress of [1, 2, 3]) job.write({ progress });
    job.tell(0, 0, 2, 1);
    await clock.advance(0);
    expect(job.reads).toBe(2); // the first time, and for the gap
    await clock.advance(60_000);
    expect(job).toMatchObject({ reads: 2, opened: 1 });
    job.write({ status: 'failure', result: { message: 'no' } });
    job.tell(0);
    expect(await over()).toMatchObject({ name: 'JobError', message: 'no' });
  });

  test('a change that cannot be understood is looked at', async () => {
    const { job, over } = await waitFor();
    job.data = { ...job.data, status: 'success', result: 1 };
    job.feed.push([] as never);
    expect(await over()).toMatchObject({ result: 1 });
  });

  test.each<[string, (job: FakeJob) => void]>([
    ['ends', (job) => job.feed.end()],
    ['fails', (job) => job.feed.end(new Error('lost'))],
  ])('a watch that %s is opened again, and what was missed is seen', async (_how, breakIt) => {
    const { job, clock, over, isOver } = await waitFor();
    breakIt(job);
    await clock.advance(200);
    expect(job).toMatchObject({ opened: 2, watches: 1, reads: 1 });
    breakIt(job);
    job.write({ status: 'success', result: 1 });
    job.tell();
    expect(isOver()).toBe(false);
    await clock.advance(200);
    expect(await over()).toMatchObject({ result: 1 });
  });

  test('a store that is away is tried ever less often, and found when it is back', async () => {
    const { job, clock, over, isOver } = await waitFor({ checkInterval: Infinity });
    job.failing = away;
    job.feed.end(away);
    job.write({ status: 'success', result: 1 });
    await clock.advance(3_600_000);
    expect(isOver()).toBe(false);
    expect(clock.untilNext).toBeGreaterThan(0);
    expect(clock.untilNext).toBeLessThanOrEqual(15_000);
    job.failing = undefined;
    await clock.advance(15_000);
    expect(await over()).toMatchObject({ result: 1 });
  });

  test('a store that was away from the beginning is waited for', async () => {
    const job = new FakeJob();
    job.failing = away;
    const clock = new FakeClock();
    const waiting = waitOn(job.store(), 'resources/abc', resolveWaitOptions({}), clock);
    await clock.advance(1000);
    job.failing = undefined;
    job.write({ status: 'success', result: 1 });
    await clock.advance(15_000);
    expect(await waiting).toMatchObject({ result: 1 });
    expect(clock.timers).toBe(0);
  });

  test.each([
    ['OADA_JOBS_STORE_UNAUTHORIZED', 'the token has expired'],
    ['OADA_JOBS_STORE_FORBIDDEN', 'it is somebody else’s now'],
  ] as const)('%s ends the wait', async (code, message) => {
    const { job, clock, over } = await waitFor();
    job.failing = new StoreError(code, message, { path: '/' });
    await clock.advance(30_000);
    expect(await over()).toMatchObject({ code });
  });

  test('the timeout ends it while the store is away, and nothing is left behind', async () => {
    const { job, clock, over } = await waitFor({ timeout: '10s' });
    job.failing = away;
    job.feed.end(away);
    await clock.advance(9999);
    expect(clock.timers).toBeGreaterThan(0);
    await clock.advance(1);
    expect(await over()).toBeInstanceOf(WaitTimeoutError);
  });

  test('a signal ends it at any time, and nothing is left behind', async () => {
    for (const moment of [0, 100, 29_500, 45_000]) {
      const abort = new AbortController();
      const { job, clock, over } = await waitFor({ signal: abort.signal, timeout: '1h' });
      job.write({ progress: 1 });
      await clock.advance(moment);
      abort.abort('enough');
      expect(await over()).toBe('enough');
      expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
    }
  });
});
