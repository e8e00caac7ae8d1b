import { afterEach, describe, expect, test, vi } from 'vitest';

import { systemClock } from '../lib/clock.js';
import { StoreError } from '../lib/errors.js';
import { Logger } from '../lib/logger.js';
import { UpdateWriter } from '../lib/update-writer.js';
import { FakeClock } from './fake-clock.js';
import {
  eventsOf,
  jobOf,
  listen,
  makeService,
  runJob,
  startServer,
  TOKEN,
  watchRejections,
} from './setup.js';
import type { Stored, Way } from './setup.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

function loggerOf(updates: UpdateWriter): Logger {
  return Logger.create({ updates, logging: new Set(), onLog: () => undefined });
}

function updatesOf(job: Stored): Stored[] {
  return Object.entries(job.updates)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([, update]) => update);
}

function ownStatuses(job: Stored): string[] {
  return updatesOf(job)
    .map(({ status }) => status)
    .filter((status) => !['started', 'success', 'failure'].includes(status));
}

describe('the levels', () => {
  async function statusesWith(options: object): Promise<string[]> {
    const server = await startServer();
    const service = makeService(server, 'in process', options).on('talk', '5s', (_job, { log }) => {
      void log.info('info');
      void log.error('error');
      void log.debug('debug');
      void log.trace('trace');
    });
    await service.start();
    return ownStatuses(await runJob(service, server.client(), jobOf('talk')));
  }

  test.each([
    ['', ['info', 'error']],
    ['debug', ['info', 'error', 'debug']],
    ['trace', ['info', 'error', 'trace']],
    ['debug,trace', ['info', 'error', 'debug', 'trace']],
    ['trace debug', ['info', 'error', 'debug', 'trace']],
    ['*', ['info', 'error', 'debug', 'trace']],
    ['nonsense', ['info', 'error']],
  ])('are those of OADA_JOBS_LOGGING=%s', async (value, statuses) => {
    vi.stubEnv('OADA_JOBS_LOGGING', value);
    expect(await statusesWith({})).toEqual(statuses);
  });

  test('are those of the option, whatever the variable says', async () => {
    vi.stubEnv('OADA_JOBS_LOGGING', 'debug');
    expect(await statusesWith({ logging: ['trace'] })).toEqual(['info', 'error', 'trace']);
    expect(await statusesWith({ logging: [] })).toEqual(['info', 'error']);
  });

  test('are read when the service is made, not later', async () => {
    const server = await startServer();
    const service = makeService(server).on('talk', '5s', (_job, { log }) => {
      void log.debug('debug');
    });
    vi.stubEnv('OADA_JOBS_LOGGING', 'debug');
    await service.start();
    expect(ownStatuses(await runJob(service, server.client(), jobOf('talk')))).toEqual([]);
  });
});

test.each<Way>(['in process', 'over a socket'])(
  'a thousand calls that nobody waits for keep their order, in few writes, %s',
  async (way) => {
    const server = await startServer();
    const service = makeService(server, way).on('talk', '5s', async (_job, { log }) => {
      for (let count = 0; count < 1000; count++) {
        void log.info(String(count));
        if (count % 100 === 0) await Promise.resolve();
      }
    });
    await service.start();
    await runJob(service, server.client(), jobOf('talk'));
    const told = listen(service);
    const job = await runJob(service, server.client(), jobOf('talk'));
    expect(ownStatuses(job)).toEqual(Array.from({ length: 1000 }, (_, count) => String(count)));
    expect(eventsOf(told, 'store:requested').filter(({ method }) => method === 'put').length).toBeLessThan(6);
  },
);

test('a call that is awaited is stored when it resolves, with all before it', async () => {
  const server = await startServer();
  const service = makeService(server).on('talk', '5s', async (_job, { log, jobId, oada }) => {
    void log.info('one');
    await log.info('two');
    const { data } = await oada.get({ path: `/${jobId}` });
    return ownStatuses(data);
  });
  await service.start();
  expect((await runJob(service, server.client(), jobOf('talk'))).result).toEqual(['one', 'two']);
});

test('a call that nobody waits for is stored while the work goes on', async () => {
  const server = await startServer();
  const oada = server.client();
  const service = makeService(server).on('talk', '10s', async (_job, { log, jobId }) => {
    const { changes } = await oada.watch({ path: `/${jobId}`, type: 'tree' });
    void log.info('on my way');
    for await (const change of changes) if (JSON.stringify(change).includes('on my way')) return 'seen';
    return 'not seen';
  });
  await service.start();
  expect((await runJob(service, oada, jobOf('talk'))).result).toBe('seen');
});

test('a meta that cannot be stored is left out, and said to be', async () => {
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const strange = Object.assign(new Error('x'), { message: cyclic });
  const server = await startServer();
  const service = makeService(server).on('talk', '5s', async (_job, { log }) => {
    await log.info('cyclic', cyclic);
    await log.info('huge', 'x'.repeat(1024 * 1024));
    await log.info('big', 1n);
    await log.info('revoked', proxy);
    await log.info('strange error', strange);
    await log.info('function', () => 1);
    await log.info('error', new TypeError('told'));
    await log.info('null', null);
    await log.info('nested', { date: new Date(0), deep: [{ undefined }] });
    return 'done';
  });
  await service.start();
  const job = await runJob(service, server.client(), jobOf('talk'));
  expect(job).toMatchObject({ status: 'success', result: 'done' });
  const left = '[not stored: it is no JSON, or too large]';
  expect(updatesOf(job).map(({ status, meta }) => [status, meta])).toEqual([
    ['started', 'Runner started'],
    ['cyclic', left],
    ['huge', left],
    ['big', left],
    ['revoked', left],
    ['strange error', left],
    ['function', undefined],
    ['error', { name: 'TypeError', message: 'told' }],
    ['null', null],
    ['nested', { date: '1970-01-01T00:00:00.000Z', deep: [{}] }],
    ['success', 'Runner finished'],
  ]);
});

test.each<Way>(['in process', 'over a socket'])(
  'more than the store takes at once is written in parts, and the job succeeds, %s',
  async (way) => {
    const server = await startServer();
    const service = makeService(server, way).on('talk', '10s', (_job, { log }) => {
      for (let count = 0; count < 120; count++) void log.info(String(count), 'x'.repeat(250 * 1024));
      return 'done';
    });
    const told = listen(service);
    await service.start();
    const job = await runJob(service, server.client(), jobOf('talk'));
    expect(job).toMatchObject({ status: 'success', result: 'done' });
    expect(ownStatuses(job)).toEqual(Array.from({ length: 120 }, (_, count) => String(count)));
    expect(eventsOf(told, 'log:failed')).toEqual([]);
  },
);

test('tokens are hidden in a status and in a meta, also where the token would break the JSON', async () => {
  watchRejections();
  for (const token of [TOKEN, '1', '"', 'true', 'a\\b']) {
    const written: unknown[] = [];
    const updates = new UpdateWriter({
      clock: systemClock,
      redact: (text) => text.replaceAll(token, '[t]'),
      onError: (error) => {
        throw error;
      },
    });
    updates.writeTo(async (patch) => {
      written.push(patch);
    });
    await loggerOf(updates).info(`see ${token}`, { [token]: [`in ${token}`, 1, true, null] });
    const [patch] = written as [{ updates: Record<string, object> }];
    expect(Object.values(patch.updates)).toMatchObject([
      { status: 'see [t]', meta: { '[t]': ['in [t]', 1, true, null] } },
    ]);
  }
});

test('a token is hidden also where the status is cut', async () => {
  watchRejections();
  const updates = new UpdateWriter({
    clock: systemClock,
    redact: (text) => text.replaceAll(TOKEN, '[t]'),
    onError: () => undefined,
  });
  const text = JSON.stringify(updates.take(`${'x'.repeat(990)}${TOKEN}`));
  expect(text).toContain('x[t]');
  expect(text).not.toContain(TOKEN.slice(0, 4));
});

test('a store that fails while updates are written fails no job, and is told of', async () => {
  const server = await startServer();
  const client = server.client();
  const put = client.put.bind(client);
  let failing = true;
  Object.assign(client, {
    put: (request: Parameters<typeof put>[0]) => {
      const isLog = JSON.stringify(request.data).includes('"lost"');
      if (!isLog || !failing) return put(request);
      failing = false;
      return Promise.reject(Object.assign(new Error('refused'), { status: 422, code: '422' }));
    },
  });
  const [told, job] = await runWithClient();
  expect(eventsOf(told, 'log:failed')).toMatchObject([{ error: { code: 'OADA_JOBS_STORE_REFUSED' } }]);
  expect(job).toMatchObject({ status: 'success', result: 'done' });
  expect(ownStatuses(job)).toEqual(['kept']);

  async function runWithClient(): Promise<[ReturnType<typeof listen>, Stored]> {
    const { Service } = await import('@oada/jobs');
    await using service = new Service('tractor', client).on('talk', '5s', async (_job, { log }) => {
      await log.info('lost');
      await log.info('kept');
      return 'done';
    });
    const told = listen(service);
    await service.start();
    return [told, await runJob(service, server.client(), jobOf('talk'))];
  }
});

test('a call after the job has ended lands on the job', async () => {
  const server = await startServer();
  const oada = server.client();
  let late: (() => Promise<void>) | undefined;
  const service = makeService(server).on('talk', '5s', (_job, { log }) => {
    late = () => log.info('late');
  });
  await service.start();
  const job = await runJob(service, oada, jobOf('talk'));
  await late!();
  const { data } = await oada.get({ path: `/${String(job._id)}` });
  expect(ownStatuses(data)).toEqual(['late']);
});

test('updates that the store does not take are tried again while the work goes on, and no longer', async () => {
  const clock = new FakeClock();
  let tries = 0;
  const refuse = (): Promise<never> => {
    tries++;
    const why = { path: '/resources/job' };
    return Promise.reject(new StoreError('OADA_JOBS_STORE_UNREACHABLE', 'nobody is there', why));
  };
  const updates = new UpdateWriter({ clock, redact: (text) => text, onError: () => undefined });
  updates.writeTo(refuse);
  const logger = loggerOf(updates);
  await logger.info('first');
  expect(tries).toBe(1);
  await clock.advance(2000);
  expect(tries).toBe(2);
  await updates.settled(); // the work is over
  expect(tries).toBe(3);
  expect(clock.timers).toBe(0);
  await logger.info('after the end'); // tried, and once more with what else may come
  await clock.advance(100);
  expect(clock.timers).toBe(0);
});
