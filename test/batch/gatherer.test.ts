import { setImmediate } from 'node:timers/promises';

import { Job, JobCancelledError, JobTimeoutError, ServiceStoppingError } from '@oada/jobs';
import type { BatchJob, WorkerContext } from '@oada/jobs';
import { expect, test } from 'vitest';

import type { BatchFunction } from '../../lib/batch/batch-function.js';
import { Gatherer } from '../../lib/batch/gatherer.js';
import { FakeClock } from '../fake-clock.js';
import { deferred } from '../setup.js';

interface Call {
  readonly names: readonly string[];
  readonly jobs: readonly BatchJob[];
  readonly time: number;
  end(value?: unknown): void;
}

/** A job, and of its context what a gatherer looks at. */
function jobOf(jobId: string, signal: AbortSignal): [Job, WorkerContext] {
  const job = new Job({ _id: jobId, service: 'any', type: 'any', config: {} });
  return [job, { jobId, signal } as WorkerContext];
}

/** A gatherer whose calls end when the test says so, and what came of each job. */
function scene(limits: Partial<Record<'maxSize' | 'maxWait' | 'concurrency' | 'timeout', number>> = {}) {
  const clock = new FakeClock();
  const calls: Call[] = [];
  const settled: [string, unknown][] = [];
  const scene = { clock, calls, settled, room: 0, cancelled: 0 };
  const work: BatchFunction<object> = (jobs) => {
    const { promise, resolve } = deferred<unknown>();
    const names = jobs.map(({ jobId }) => jobId);
    calls.push({ names, jobs: jobs as BatchJob[], time: clock.monotonic(), end: resolve });
    return Object.assign(promise, { cancel: () => scene.cancelled++ });
  };
  const gatherer = new Gatherer<object>({
    ...{ maxSize: 3, maxWait: 100, concurrency: 1, timeout: 1000, grace: 10, ...limits },
    ...{ clock, work, onRoom: () => scene.room++ },
  });
  const join = (jobId: string): AbortController => {
    const control = new AbortController();
    gatherer.join(...jobOf(jobId, control.signal)).then(
      (value) => settled.push([jobId, value]),
      (error: unknown) => settled.push([jobId, error]),
    );
    return control;
  };
  return Object.assign(scene, { gatherer, join });
}

const namesOf = (calls: readonly Call[]): string[] => calls.map(({ names }) => names.join(''));

test('a batch begins when there are enough jobs, and each has its own result', async () => {
  const { calls, settled, join, clock } = scene();
  for (const name of ['a', 'b']) join(name);
  await clock.advance(50);
  expect(calls).toEqual([]);
  join('c');
  expect(namesOf(calls)).toEqual(['abc']);
  calls[0]?.end([1, 2, 3]);
  await setImmediate();
  expect(settled).toEqual([
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ]);
  expect(clock.timers).toBe(0);
});

test('a batch begins when the first has waited for long enough', async () => {
  const { calls, join, clock } = scene();
  join('a');
  await clock.advance(60);
  join('b');
  await clock.advance(39);
  expect(calls).toEqual([]);
  await clock.advance(1);
  expect(namesOf(calls)).toEqual(['ab']);
});

test('those that come while a batch is done make up the next ones, in order', async () => {
  const { calls, join, clock, gatherer } = scene();
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) join(name);
  expect([namesOf(calls), gatherer.room]).toEqual([['abc'], 3]);
  await clock.advance(500);
  expect(namesOf(calls)).toEqual(['abc']);
  calls[0]?.end();
  await setImmediate();
  expect([namesOf(calls), gatherer.room]).toEqual([['abc', 'def'], 3]);
  calls[1]?.end();
  await setImmediate();
  expect(namesOf(calls)).toEqual(['abc', 'def', 'g']); // it has waited for longer than it must
});

test('as many batches are done at once as may be', async () => {
  const { calls, join, gatherer } = scene({ concurrency: 2 });
  expect(gatherer.room).toBe(6);
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']) join(name);
  expect(namesOf(calls)).toEqual(['abc', 'def']);
  calls[1]?.end();
  await setImmediate();
  expect(namesOf(calls)).toEqual(['abc', 'def', 'ghi']);
});

test('a batch that has begun with few jobs has no room for more, until it is done', async () => {
  const { calls, join, clock, gatherer, ...told } = scene({ concurrency: 2 });
  join('a');
  await clock.advance(100);
  expect(gatherer.room).toBe(1 + 3);
  join('b');
  await clock.advance(100);
  expect(gatherer.room).toBe(2);
  expect(told.room).toBe(0);
  calls[0]?.end();
  await setImmediate();
  expect(gatherer.room).toBe(1 + 3);
});

test('who has to wait for a whole call is begun right after it, with its own time in full', async () => {
  const { calls, settled, join, clock } = scene();
  join('a');
  await clock.advance(100);
  join('late');
  await clock.advance(999);
  expect(namesOf(calls)).toEqual(['a']);
  await clock.advance(11);
  expect(namesOf(calls)).toEqual(['a', 'late']);
  await clock.advance(999);
  calls[1]?.end('in time');
  await setImmediate();
  expect(settled).toMatchObject([
    ['a', { code: 'OADA_JOBS_JOB_TIMEOUT', timeout: 1000 }],
    ['late', 'in time'],
  ]);
});

test('a job that is to end before its batch begins is left out, and keeps nobody waiting', async () => {
  const { calls, settled, join, clock } = scene();
  const reason = new JobCancelledError();
  const first = join('a');
  await clock.advance(50);
  join('b');
  first.abort(reason);
  await clock.advance(99);
  expect(calls).toEqual([]); // the first is another now
  await clock.advance(1);
  expect(namesOf(calls)).toEqual(['b']);
  expect(settled).toEqual([['a', reason]]);
});

test('when all that waited are gone, no timer is left', async () => {
  const { calls, join, clock } = scene();
  join('a').abort(new JobCancelledError());
  expect(clock.timers).toBe(0);
  await clock.advance(1000);
  expect(calls).toEqual([]);
});

test('a job that is cancelled during its batch is let go of at once; the others go on, and the function sees it', async () => {
  const { calls, settled, join, gatherer, ...told } = scene();
  const controls = ['a', 'b', 'c'].map(join);
  const reason = new JobCancelledError();
  controls[1]?.abort(reason);
  await setImmediate();
  expect(settled).toEqual([['b', reason]]);
  expect(calls[0]?.jobs.map(({ signal }) => signal.reason as unknown)).toEqual([
    undefined,
    reason,
    undefined,
  ]);
  expect(gatherer.room).toBe(2);
  expect(told.cancelled).toBe(0);
  calls[0]?.end([1, 2, 3]);
  await setImmediate();
  expect(settled.slice(1)).toEqual([
    ['a', 1],
    ['c', 3],
  ]);
});

test('when the last job of a batch is told to end, the function is, and is waited for before the next begins', async () => {
  const told = scene();
  const { calls, settled, join, clock } = told;
  const controls = ['a', 'b', 'c'].map(join);
  join('next');
  for (const control of controls) control.abort(new ServiceStoppingError());
  await clock.advance(9);
  expect([told.cancelled, told.room, settled]).toEqual([1, 0, []]);
  await clock.advance(1);
  expect([told.room, settled]).toEqual([1, []]); // to whom it matters it is told to be stuck
  await clock.advance(100);
  expect(namesOf(calls)).toEqual(['abc', 'next']);
  calls[0]?.end();
  await setImmediate();
  expect(settled.map(([name]) => name)).toEqual(['a', 'b', 'c']);
});

test('a call that takes too long is the timeout of all its jobs, whatever it comes to', async () => {
  const told = scene();
  const { calls, settled, join, clock } = told;
  for (const name of ['a', 'b', 'c']) join(name);
  await clock.advance(1000);
  for (const { signal } of calls[0]?.jobs ?? []) expect(signal.reason).toBeInstanceOf(JobTimeoutError);
  expect([told.cancelled, settled]).toEqual([1, []]);
  calls[0]?.end([1, 2, 3]);
  await setImmediate();
  expect(settled).toHaveLength(3);
  for (const [, error] of settled) expect(error).toBeInstanceOf(JobTimeoutError);
  expect(clock.timers).toBe(0);
});

test('a call that runs on after its time is waited for no longer than its grace', async () => {
  const { settled, join, clock } = scene();
  for (const name of ['a', 'b', 'c']) join(name);
  await clock.advance(1009);
  expect(settled).toEqual([]);
  await clock.advance(1);
  expect(settled.map(([, error]) => error)).toEqual(Array(3).fill(new JobTimeoutError(1000)));
});

test('when it is drained, what waits is begun, and who comes later does not wait', async () => {
  const { calls, join, gatherer } = scene();
  join('a');
  gatherer.drain();
  expect(namesOf(calls)).toEqual(['a']);
  join('b');
  calls[0]?.end();
  await setImmediate();
  expect(namesOf(calls)).toEqual(['a', 'b']);
});

test('who is told to end before it joins does not join', async () => {
  const { gatherer, settled } = scene();
  const signal = AbortSignal.abort(new ServiceStoppingError());
  await expect(gatherer.join(...jobOf('a', signal))).rejects.toBeInstanceOf(ServiceStoppingError);
  expect(settled).toEqual([]);
});
