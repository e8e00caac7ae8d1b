import { JobError } from '@oada/jobs';
import type { ThreadOptions } from '@oada/jobs';
import { describe, expect, test } from 'vitest';

import {
  eventsOf,
  jobOf,
  listen,
  makeService,
  newKey,
  postJob,
  read,
  runJob,
  startServer,
} from '../setup.js';
import type { Stored } from '../setup.js';
import { program, updatesOf } from './setup.js';
import type { Setting } from './setup.js';

const PRESS = program('press.mjs');

/** How many worker threads this process has. */
function threads(): number {
  const report: Stored = process.report.getReport();
  return report.workers.length;
}

async function start(options: Partial<ThreadOptions> = {}): Promise<Setting> {
  const server = await startServer();
  const service = makeService(server).onThread('thread', { script: PRESS, timeout: '15s', ...options });
  const told = listen(service);
  await service.start();
  return { service, oada: server.client(), told };
}

async function run(act: string, config: object = {}, options: Partial<ThreadOptions> = {}): Promise<Stored> {
  const { service, oada } = await start(options);
  return await runJob(service, oada, jobOf('thread', { act, ...config }));
}

describe('a script in a thread', () => {
  test.each<[string, URL | string]>([
    ['a path', PRESS],
    ['a URL', new URL('programs/press.mjs', import.meta.url)],
    ['the text of a URL', new URL('programs/press.mjs', import.meta.url).href],
    ['a data URL', 'data:text/javascript,export default ({ config }) => ({ litres: config.apples / 2 })'],
  ])('does the job, and its default export returns the result; it is named by %s', async (_how, script) => {
    expect(await run('press', { apples: 10 }, { script })).toMatchObject({
      status: 'success',
      result: { litres: 5 },
    });
  });

  test('is given the job and its id, in a thread of its own for each job', async () => {
    const { service, oada } = await start();
    const first = await runJob(service, oada, jobOf('thread', { act: 'tell' }));
    const second = await runJob(service, oada, jobOf('thread', { act: 'tell' }));
    const job = { _id: first._id, type: 'thread', service: 'tractor', config: { act: 'tell' } };
    expect(first.result).toMatchObject({ jobId: first._id, job });
    expect(first.result.threadId).toBeGreaterThan(0);
    expect(second.result.threadId).toBeGreaterThan(first.result.threadId);
  });

  test('may return nothing', async () => {
    const job = await run('nothing');
    expect(job.status).toBe('success');
    expect(job).not.toHaveProperty('result');
  });

  test('may ask to be run again', async () => {
    const { service, oada } = await start();
    const postponed = service.events.next('job:postponed');
    const jobId = await postJob(oada, jobOf('thread', { act: 'retry' }));
    expect(await postponed).toMatchObject({ jobId });
  });

  test('writes updates to the job, in order', async () => {
    const job = await run('log');
    expect(updatesOf(job).map(({ status, meta }) => [status, meta])).toEqual([
      ['started', 'Runner started'],
      ['washed', { water: 3 }],
      ['bruised', { name: 'TypeError', message: 'soft' }],
      ['{"odd":true}', undefined],
      ['big', '[not stored: it is no JSON]'],
      ['success', 'Runner finished'],
    ]);
  });

  test('has the result as soon as it is there, and its thread is ended, whatever it still waits for', async () => {
    expect(await run('linger')).toMatchObject({ status: 'success', result: 'done' });
    expect(threads()).toBe(0);
  });

  test('keeps the service going while it computes', async () => {
    const { service, oada } = await start();
    service.on('other', '5s', () => 'still here');
    const jobId = await postJob(oada, jobOf('thread', { act: 'spin' }));
    await expect
      .poll(async () => updatesOf(await read(oada, `/${jobId}`)).map(({ status }) => status))
      .toContain('spinning');
    expect(await runJob(service, oada, jobOf('other'))).toMatchObject({ result: 'still here' });
  });
});

describe('a thread that fails is a failure of its job', () => {
  test.each([
    [
      'its script throws',
      'throw',
      {
        name: 'RangeError',
        message: 'too many',
        code: 'E_APPLES',
        cause: { name: 'TypeError', message: 'inner' },
      },
    ],
    ['its script throws what is no error', 'throw text', { name: 'Error', message: 'just text' }],
    ['something throws later', 'later', { name: 'RangeError', message: 'uncaught', code: 'E_LATE' }],
    ['nobody sees to a rejection', 'reject', { name: 'RangeError', message: 'unhandled' }],
    [
      'its result is no JSON',
      'circle back',
      { name: 'TypeError', message: expect.stringContaining('circular') },
    ],
    ['its script does not know what to do', 'unheard of', { name: 'TypeError' }],
  ])('when %s', async (_what, act, result) => {
    const job = await run(act);
    expect(job).toMatchObject({ status: 'failure', result });
    expect(job.result).not.toHaveProperty('stack');
  });

  test.each([
    ['exits', 'exit', 'status 4'],
    ['has nothing left to do', 'vanish', 'status 0'],
  ])('of type exit when it %s without a result', async (_what, act, message) => {
    const job = await run(act);
    expect(job).toMatchObject({
      status: 'failure',
      failureType: 'exit',
      result: { name: 'JobError', message: expect.stringContaining(message) },
    });
  });

  test('of a type of its own with a JobError, which may ask for no retry', async () => {
    const { service, oada, told } = await start({ retries: { limit: 2, backoff: 1 } });
    const job = await runJob(service, oada, jobOf('thread', { act: 'throw typed' }));
    expect(job).toMatchObject({ status: 'failure', failureType: 'no-power', attempts: 1 });
    expect(eventsOf(told, 'job:failed')[0]?.error).toBeInstanceOf(JobError);
  });

  test('when it takes more memory than it may', async () => {
    const job = await run('hog', {}, { resourceLimits: { maxOldGenerationSizeMb: 32 } });
    expect(job).toMatchObject({ status: 'failure', result: { code: 'ERR_WORKER_OUT_OF_MEMORY' } });
  });

  test.each([
    ['is not there', program('nowhere.mjs'), { code: 'ERR_MODULE_NOT_FOUND' }],
    [
      'has no default export',
      program('no-default.mjs'),
      { message: expect.stringContaining('default export') },
    ],
    ['is no JavaScript', 'data:text/javascript,;-)', { name: 'SyntaxError' }],
  ])('when its script %s', async (_what, script, result) => {
    expect(await run('press', {}, { script })).toMatchObject({ status: 'failure', result });
  });
});

describe('a thread that computes for ever is ended', () => {
  test.each(['timeout', 'cancelled', 'stopped'])('%s', async (ending) => {
    const { service, oada, told } = await start({ timeout: ending === 'timeout' ? '5s' : '1m' });
    const key = newKey();
    const jobId = await postJob(oada, jobOf('thread', { act: 'spin' }), key);
    const job = (): Promise<Stored> => read(oada, `/${jobId}`);
    await expect.poll(async () => updatesOf(await job()).map(({ status }) => status)).toContain('spinning');
    expect(threads()).toBe(1);
    const filed = service.events.next('job:filed');
    if (ending === 'stopped') await service.stop();
    else {
      if (ending === 'cancelled') await service.cancel(key);
      await filed;
    }
    expect(await job()).toMatchObject(
      ending === 'stopped' ? { status: 'queued', claim: null } : { status: 'failure', failureType: ending },
    );
    expect(eventsOf(told, 'job:stuck')).toEqual([]);
    await expect.poll(threads).toBe(0);
  });
});
