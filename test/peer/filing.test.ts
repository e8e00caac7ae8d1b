import { JobError } from '@oada/jobs';
import type { Json } from '@oada/jobs';
import { describe, expect, onTestFinished, test } from 'vitest';

import { jobOf, newKey, postResource, read } from '../setup.js';
import type { Stored } from '../setup.js';
import {
  done,
  EVERY,
  indexOf,
  keysAt,
  LIST_TYPE,
  PENDING,
  post,
  running,
  serviceOf,
  withWork,
} from './scene.js';

/** The updates of a job, in the order of their keys. */
function updatesOf(job: Stored): { key: string; status: string; time: string; meta: unknown }[] {
  const updates = job.updates as Record<string, { status: string; time: string; meta: unknown }>;
  return Object.entries(updates)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, update]) => ({ key, ...update }));
}

/** `{status, meta}` of the updates of a job. */
function toldBy(job: Stored): object[] {
  return updatesOf(job).map(({ status, meta }) => ({ status, meta }));
}

/** Has the test run in a time zone, until it is over. */
function zoneOf(zone: string): void {
  const { TZ: before } = process.env;
  process.env.TZ = zone;
  onTestFinished(() => {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  });
}

describe.each(EVERY)('what others rely on, in the %s layout and with %s:', (layout, source) => {
  test('a job that succeeds is a success with its result, filed under the day, and pending no more', async () => {
    const scene = await running(layout, source);
    const { key, job } = await done(
      scene,
      layout,
      jobOf('echo', { say: { statusCode: 202, to: ['a', null] } }),
    );
    expect(job).toMatchObject({ status: 'success', result: { statusCode: 202, to: ['a', null] } });
    expect(await keysAt(scene.oada, indexOf(layout, 'success'))).toEqual([key]);
    expect(await keysAt(scene.oada, indexOf(layout, 'failure'))).toEqual([]);
    expect(await keysAt(scene.oada, PENDING[layout])).toEqual([]);
    const filed: Stored = await read(scene.oada, `${indexOf(layout, 'success')}/${key}`);
    expect(filed).toEqual(job);
  });

  test.each<[Json]>([['text'], [''], [0], [7.5], [true], [false], [['a', { b: [] }]], [{}]])(
    'the result %j stands there as it was returned',
    async (say) => {
      const { job } = await done(await running(layout, source), layout, jobOf('echo', { say }));
      expect(job).toMatchObject({ status: 'success', result: say });
    },
  );

  test('what the work function throws is the result of a failure, of no type', async () => {
    const scene = await running(layout, source);
    const { key, filed, job } = await done(scene, layout, jobOf('fail'));
    expect(job).toMatchObject({ status: 'failure', result: { name: 'RangeError', message: 'no luck' } });
    expect(filed.failureType).toBeUndefined();
    expect(await keysAt(scene.oada, indexOf(layout, 'failure'))).toEqual([key]);
    expect(await keysAt(scene.oada, indexOf(layout, 'success'))).toEqual([]);
    expect(await keysAt(scene.oada, PENDING[layout])).toEqual([]);
  });

  test('an error is recorded without what may be in it that nobody meant to store', async () => {
    const scene = await running(layout, source);
    scene.service.on('call', 5000, async () => {
      const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', config: { key: 'hidden' } });
      const response = { headers: { authorization: 'hidden' } };
      throw Object.assign(new Error('The call failed', { cause }), { status: 502, response });
    });
    const { job } = await done(scene, layout, jobOf('call'));
    expect(job.result).toEqual({
      name: 'Error',
      message: 'The call failed',
      cause: { name: 'Error', message: 'refused', code: 'ECONNREFUSED' },
    });
  });

  test('a JobError is filed under its type as well, and tells it as `JobError`', async () => {
    const scene = await running(layout, source);
    const { key, job } = await done(scene, layout, jobOf('refuse'));
    expect(job.result).toMatchObject({
      name: 'JobError',
      message: 'the document is none',
      JobError: 'bad-document',
    });
    expect(await keysAt(scene.oada, indexOf(layout, 'failure'))).toEqual([key]);
    expect(await keysAt(scene.oada, indexOf(layout, 'typed-failure/bad-document'))).toEqual([key]);
  });

  test('work that takes too long is a failure of type timeout, and its promise is cancelled', async () => {
    const scene = await running(layout, source);
    let cancelled = 0;
    scene.service.on('slow', 20, () =>
      Object.assign(new Promise(() => undefined), { cancel: () => ++cancelled }),
    );
    const { key, job } = await done(scene, layout, jobOf('slow'));
    expect(job).toMatchObject({ status: 'failure', result: { name: 'TimeoutError' } });
    expect(job.result.message).toContain('20 ms');
    expect(cancelled).toBe(1);
    expect(await keysAt(scene.oada, indexOf(layout, 'failure'))).toEqual([key]);
    expect(await keysAt(scene.oada, indexOf(layout, 'typed-failure/timeout'))).toEqual([key]);
  });

  test('a time limit of its own that the work function runs into is of type timeout, too', async () => {
    const scene = await running(layout, source);
    scene.service.on('slow', 5000, async () => {
      throw Object.assign(new Error('took too long'), { name: 'TimeoutError' });
    });
    const { key } = await done(scene, layout, jobOf('slow'));
    expect(await keysAt(scene.oada, indexOf(layout, 'typed-failure/timeout'))).toEqual([key]);
  });

  test('updates tell when it was started, what was logged, and how it ended, in this order', async () => {
    const scene = await running(layout, source);
    scene.service.on('talk', 5000, async (_job, { log }) => {
      void log.info('fetching', 'Fetching the document');
      await log.info('fetched', { pages: 3 });
      void log.error('odd', 'A page is blank');
      return {};
    });
    const before = Date.now();
    const { job } = await done(scene, layout, jobOf('talk'));
    expect(toldBy(job)).toEqual([
      { status: 'started', meta: 'Runner started' },
      { status: 'fetching', meta: 'Fetching the document' },
      { status: 'fetched', meta: { pages: 3 } },
      { status: 'odd', meta: 'A page is blank' },
      { status: 'success', meta: 'Runner finished' },
    ]);
    for (const { key, time } of updatesOf(job)) {
      expect(key).toMatch(/^[0-9A-Za-z]{27}$/);
      expect(time).toBe(new Date(time).toISOString());
      expect(Date.parse(time)).toBeGreaterThanOrEqual(before);
    }
    const { job: failed } = await done(scene, layout, jobOf('fail'));
    expect(toldBy(failed)).toEqual([
      { status: 'started', meta: 'Runner started' },
      { status: 'failure', meta: 'Runner finished' },
    ]);
  });

  test('what is no job is filed as a failure and not run, and so is a job that nobody works on', async () => {
    const scene = await running(layout, source);
    const noJob = await done(scene, layout, { service: 'tractor', config: {} });
    const unknown = await done(scene, layout, jobOf('unheard-of'));
    expect(noJob.job).toMatchObject({ status: 'failure', result: { name: 'InvalidJobError' } });
    expect(unknown.job).toMatchObject({ status: 'failure', result: { name: 'UnknownJobTypeError' } });
    expect(toldBy(unknown.job)).toEqual([{ status: 'failure', meta: 'Runner finished' }]);
    expect(await keysAt(scene.oada, indexOf(layout, 'failure'))).toEqual([noJob.key, unknown.key]);
    expect(await keysAt(scene.oada, indexOf(layout, 'typed-failure/invalid'))).toEqual([noJob.key]);
    expect(await keysAt(scene.oada, indexOf(layout, 'typed-failure/unknown-type'))).toEqual([unknown.key]);
    expect(await keysAt(scene.oada, PENDING[layout])).toEqual([]);
  });

  test('an entry that is no job keeps none of its siblings from being run', async () => {
    const { service, oada } = await running(layout, source);
    const good = await postResource(oada, jobOf('echo', { say: 'good' }));
    const filed = service.events.next('job:filed', ({ key }) => key === 'zz');
    const data = { aa: { note: 'no link' }, mm: { _id: 'resources/none' }, zz: { _id: good } };
    await oada.put({ path: PENDING[layout], data, contentType: 'application/json' });
    expect(await filed).toMatchObject({ status: 'success' });
  });

  test('a job that is final and pending is filed under the day it ended, in UTC, and not run', async () => {
    zoneOf('America/New_York');
    const scene = await running(layout, source);
    let runs = 0;
    scene.service.on('count', 5000, () => ++runs);
    const updates = {
      one: { status: 'started', time: '2024-02-28T23:59:59.000Z', meta: 'Runner started' },
      two: { status: 'success', time: '2024-02-29T00:00:01.000Z', meta: 'Runner finished' },
    };
    const ended = { ...jobOf('count'), status: 'success', result: { kept: true }, updates };
    const { key, filed, job } = await done(scene, layout, ended);
    expect(filed.path).toContain('/day-index/2024-02-29/');
    expect(runs).toBe(0);
    expect(job).toMatchObject({ status: 'success', result: { kept: true }, updates });
    expect(toldBy(job)).toHaveLength(2);
    const index = indexOf(layout, 'success').replace(/[^/]+$/, '2024-02-29');
    expect(await keysAt(scene.oada, index)).toEqual([key]);
    expect(await keysAt(scene.oada, PENDING[layout])).toEqual([]);
  });

  test('pending links may be versioned, and are removed as others are', async () => {
    const scene = await running(layout, source);
    const key = newKey();
    const filed = scene.service.events.next('job:filed');
    const _id = await postResource(scene.oada, jobOf('echo', { say: 1 }));
    const data = { [key]: { _id, _rev: 0 } };
    await scene.oada.put({ path: PENDING[layout], data, contentType: 'application/json' });
    expect(await filed).toMatchObject({ key, status: 'success' });
    await done(scene, layout, jobOf('echo', { say: 2 }));
    expect(await keysAt(scene.oada, PENDING[layout])).toEqual([]);
  });

  test('jobs that wait in the list when the service starts are run', async () => {
    const first = await running(layout, source);
    await first.service.stop();
    await post(first.oada, layout, jobOf('echo', { say: 1 }), 'one');
    await post(first.oada, layout, jobOf('fail'), 'two');
    const service = withWork(await serviceOf(first.server, layout, source));
    const both = Promise.all(
      ['one', 'two'].map((key) => service.events.next('job:filed', (event) => event.key === key)),
    );
    await service.start();
    expect(await both).toMatchObject([{ status: 'success' }, { status: 'failure' }]);
  });

  test('the lists and the jobs are of the types that other programs look for', async () => {
    const scene = await running(layout, source);
    const { key } = await done(scene, layout, jobOf('refuse'));
    const typed = indexOf(layout, 'typed-failure/bad-document');
    const failed = indexOf(layout, 'failure');
    const lists = [PENDING[layout], failed.replace(/\/day-index.*/, ''), failed, typed];
    for (const path of lists) expect(await read(scene.oada, path)).toMatchObject({ _type: LIST_TYPE });
    const { _id } = await read(scene.oada, `${failed}/${key}`);
    expect(await read(scene.oada, `${typed}/${key}`)).toMatchObject({ _id });
  });
});

test('a JobError has its type by the name that it had', () => {
  expect(new JobError('no', 'luck').JobError).toBe('luck');
  expect(new JobError('no').JobError).toBeUndefined();
});
