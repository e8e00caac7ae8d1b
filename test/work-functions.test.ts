import { JobError, JobTimeoutError } from '@oada/jobs';
import type { ServiceOptions, WorkerContext, WorkFunction } from '@oada/jobs';
import { describe, expect, test } from 'vitest';

import {
  allFiled,
  deferred,
  eventsOf,
  jobOf,
  listen,
  makeService,
  newKey,
  postJob,
  read,
  runJob,
  startServer,
  TOKEN,
} from './setup.js';
import type { Stored, Told, Way } from './setup.js';

interface Run {
  readonly job: Stored;
  readonly told: readonly Told[];
}

/** Runs one job whose work function may do what it likes, then a good one: the service has to be there still. */
async function run(work: WorkFunction, options: ServiceOptions = {}, way: Way = 'in process'): Promise<Run> {
  const server = await startServer();
  const oada = server.client();
  const service = makeService(server, way, options)
    .on('bad', '10s', work)
    .on('good', '10s', () => 'good');
  const told = listen(service);
  await service.start();
  const key = newKey();
  const job = await runJob(service, oada, jobOf('bad'), key);
  expect(await runJob(service, oada, jobOf('good'))).toMatchObject({ status: 'success', result: 'good' });
  const mine = (await allFiled(oada)).filter((filed) => filed.key === key);
  expect(mine).toMatchObject([{ status: job.status }]);
  return { job, told };
}

const cyclic: Record<string, unknown> = {};
cyclic['self'] = cyclic;

function reject(value: unknown): WorkFunction {
  return () => Promise.reject(value);
}

class Weird extends Error {
  override get message(): string {
    throw new Error('no message');
  }
}

describe('a work function that fails is a failure of its job', () => {
  test.each<[string, WorkFunction, object]>([
    [
      'throws',
      () => {
        throw new TypeError('no seed');
      },
      { name: 'TypeError', message: 'no seed' },
    ],
    ['rejects', reject(new RangeError('too wide')), { name: 'RangeError', message: 'too wide' }],
    ['rejects with text', reject('just text'), { name: 'Error', message: 'just text' }],
    ['rejects with undefined', reject(undefined), { name: 'Error', message: 'undefined' }],
    ['rejects with null', reject(null), { name: 'Error', message: 'null' }],
    ['rejects with an object', reject({ status: 404 }), { name: 'Error', message: '{"status":404}' }],
    ['rejects with a symbol', reject(Symbol('odd')), { name: 'Error', message: 'Symbol(odd)' }],
    ['rejects with what refers to itself', reject(cyclic), { message: expect.stringContaining('object') }],
    ['rejects with a BigInt', reject(1n), { message: expect.stringContaining('bigint') }],
    [
      'rejects with what cannot be looked at',
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- this is what it is about
        throw proxy;
      },
      { message: expect.stringContaining('object') },
    ],
    ['rejects with an error of no message', reject(new Error()), { name: 'Error', message: '' }],
    [
      'rejects with an error whose message is an object',
      reject(Object.assign(new Error('x'), { message: { reason: 'rain' }, name: 7 })),
      { name: '7', message: '{"reason":"rain"}' },
    ],
    ['rejects with an error whose message throws', reject(new Weird('x')), { name: 'Error' }],
    [
      'rejects with an error that has causes',
      reject(new Error('outer', { cause: new TypeError('inner', { cause: new Error('core') }) })),
      { message: 'outer', cause: { name: 'TypeError', message: 'inner', cause: { message: 'core' } } },
    ],
    [
      'rejects with an error that causes itself',
      () => {
        const error = new Error('round');
        error.cause = error;
        throw error;
      },
      { message: 'round', cause: { message: 'round' } },
    ],
    [
      'rejects with an error that has a code',
      reject(Object.assign(new Error('gone'), { code: 'ENOENT' })),
      { message: 'gone', code: 'ENOENT' },
    ],
    [
      'returns a promise-like whose then throws',
      () => ({
        then: () => {
          throw new Error('bad then');
        },
      }),
      { message: 'bad then' },
    ],
    [
      'returns an object whose toJSON throws',
      () => ({
        toJSON: () => {
          throw new Error('bad toJSON');
        },
      }),
      { name: 'InvalidResultError', message: expect.stringContaining('bad toJSON') },
    ],
    [
      'returns what refers to itself',
      () => cyclic,
      { name: 'InvalidResultError', code: 'OADA_JOBS_INVALID_RESULT' },
    ],
    ['returns a BigInt', () => ({ big: 1n }), { name: 'InvalidResultError' }],
  ])('%s', async (_what, work, result) => {
    const { job } = await run(work);
    expect(job).toMatchObject({ status: 'failure', result });
    expect(job.result).not.toHaveProperty('stack');
  });
});

test('a promise-like that settles more than once counts the first time', async () => {
  const { job } = await run(() => ({
    then: (resolve: (value: unknown) => void, fail: (reason: unknown) => void) => {
      resolve('first');
      fail(new Error('second'));
      resolve('third');
      throw new Error('fourth');
    },
  }));
  expect(job).toMatchObject({ status: 'success', result: 'first' });
});

test('a returned function is no result, and its job a success', async () => {
  const { job } = await run(() => () => 'never called');
  expect(job.status).toBe('success');
  expect(job).not.toHaveProperty('result');
});

test('the stack is kept on request', async () => {
  const { job } = await run(reject(new Error('here')), { stacks: true });
  expect(job.result.stack).toContain('work-functions.test.ts');
});

test('a result that is larger than allowed is a failure that says so', async () => {
  const { job } = await run(() => 'x'.repeat(2000), { maxResultSize: 1000 });
  expect(job).toMatchObject({
    status: 'failure',
    result: { code: 'OADA_JOBS_INVALID_RESULT', message: expect.stringMatching(/2002 bytes.*at most 1000/) },
  });
});

test.each<Way>(['in process', 'over a socket'])('a result of nearly 10 MiB is stored, %s', async (way) => {
  const { job } = await run(() => 'x'.repeat(10 * 1024 * 1024 - 2), {}, way);
  expect(job.status).toBe('success');
  expect(job.result).toHaveLength(10 * 1024 * 1024 - 2);
});

test('a result that is too large for the server is a failure that says so, and cuts no connection', async () => {
  const { job, told } = await run(
    () => 'x'.repeat(22 * 1024 * 1024),
    { maxResultSize: 100 * 1024 * 1024 },
    'over a socket',
  );
  expect(job).toMatchObject({
    status: 'failure',
    result: { code: 'OADA_JOBS_INVALID_RESULT', message: expect.stringContaining('work is done') },
  });
  expect(eventsOf(told, 'queue:failed')).toEqual([]);
  const statuses = Object.values<Stored>(job.updates).map(({ status }) => status);
  expect(statuses.toSorted()).toEqual(['failure', 'started']);
});

test.each<[string, (message: string) => JobError]>([
  ['a string', (message) => new JobError(message, 'no-fuel')],
  ['an option', (message) => new JobError(message, { type: 'no-fuel' })],
])('a JobError gives its failure a type, as %s', async (_how, make) => {
  const { job, told } = await run(() => {
    throw make('The tank is empty');
  });
  expect(job).toMatchObject({
    status: 'failure',
    failureType: 'no-fuel',
    result: { name: 'JobError', message: 'The tank is empty', code: 'OADA_JOBS_JOB_FAILED' },
  });
  expect(eventsOf(told, 'job:failed')).toMatchObject([{ type: 'bad', error: { type: 'no-fuel' } }]);
});

test('a JobError without a type has none', async () => {
  const { job } = await run(() => {
    throw new JobError('Just failed', { cause: new Error('why') });
  });
  expect(job).toMatchObject({ status: 'failure', result: { cause: { message: 'why' } } });
  expect(job).not.toHaveProperty('failureType');
});

test('changing the config it is given changes nothing in the store', async () => {
  const { job } = await run(({ config }) => {
    Object.assign(config, { changed: true });
  });
  expect(job).toMatchObject({ status: 'success', config: {} });
  expect(job.config).toEqual({});
});

test('a token in an error reaches neither the job nor the events', async () => {
  const long = 'x'.repeat(9_995);
  const { job, told } = await run(
    () => {
      throw Object.assign(new Error(`${long}${TOKEN}`, { cause: new Error(`Bearer ${TOKEN}`) }), {
        code: TOKEN,
      });
    },
    { stacks: true },
  );
  const shown = [
    JSON.stringify(job),
    ...eventsOf(told, 'job:failed').map(({ error }) => showAll(error)),
  ].join();
  expect(shown.includes('Bearer [token]')).toBe(true);
  // Not even a part of it, where the text is cut.
  expect(shown.includes(TOKEN.slice(0, 5))).toBe(false);
});

function showAll(error: unknown): string {
  return error instanceof Error ? [error.message, error.stack, showAll(error.cause)].join() : String(error);
}

describe('a work function that takes too long', () => {
  test('is a failure of type timeout; its signal is aborted, its promise cancelled, its result dropped', async () => {
    const server = await startServer();
    const oada = server.client();
    const gate = deferred<string>();
    const cancelled = deferred();
    const aborted = deferred<unknown>();
    let context: WorkerContext | undefined;
    const service = makeService(server).on('slow', 20, (_job, given) => {
      context = given;
      given.signal.addEventListener('abort', () => aborted.resolve(given.signal.reason));
      return Object.assign(gate.promise, { cancel: () => cancelled.resolve() });
    });
    await service.start();
    const job = await runJob(service, oada, jobOf('slow'));
    expect(job).toMatchObject({
      status: 'failure',
      failureType: 'timeout',
      result: { name: 'TimeoutError', code: 'OADA_JOBS_JOB_TIMEOUT' },
    });
    await cancelled.promise;
    const reason = await aborted.promise;
    expect(reason).toBeInstanceOf(JobTimeoutError);
    expect(reason).toMatchObject({ timeout: 20 });

    await context!.log.info('still at it');
    gate.resolve('too late');
    await gate.promise;
    const later = await read(oada, `/${job._id}`);
    expect(later).toMatchObject({ status: 'failure', result: job.result });
    const statuses = Object.entries<Stored>(later.updates)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([, { status }]) => status);
    expect(statuses).toEqual(['started', 'failure', 'still at it']);
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('cannot be cancelled');
      },
    ],
    ['rejects', () => Promise.reject(new Error('cannot be cancelled'))],
    [
      'returns a promise-like that fails',
      () => ({ then: (_: unknown, fail: (e: Error) => void) => fail(new Error()) }),
    ],
  ])('may have a cancel() that %s', async (_what, cancel) => {
    const server = await startServer();
    const service = makeService(server).on('slow', 20, () =>
      Object.assign(new Promise(() => undefined), { cancel }),
    );
    await service.start();
    const job = await runJob(service, server.client(), jobOf('slow'));
    expect(job).toMatchObject({ status: 'failure', failureType: 'timeout' });
  });

  test('and rejects after that harms nobody', async () => {
    const server = await startServer();
    const service = makeService(server).on('slow', 20, (_job, { signal }) => {
      return new Promise((_resolve, fail) => {
        signal.addEventListener('abort', () => fail(new Error('aborted')));
      });
    });
    await service.start();
    const job = await runJob(service, server.client(), jobOf('slow'));
    expect(job).toMatchObject({ status: 'failure', failureType: 'timeout' });
  });

  test('and goes on is told of as stuck', async () => {
    const server = await startServer();
    const gate = deferred();
    const service = makeService(server).on('slow', 20, () => gate.promise);
    await service.start();
    const stuck = service.events.next('job:stuck');
    const jobId = await postJob(server.client(), jobOf('slow'));
    expect(await stuck).toMatchObject({ jobId, type: 'slow' });
    gate.resolve();
  });

  test('has all the time with Infinity', async () => {
    const server = await startServer();
    const service = makeService(server).on('slow', Infinity, () => 'done');
    await service.start();
    expect(await runJob(service, server.client(), jobOf('slow'))).toMatchObject({ status: 'success' });
  });
});
