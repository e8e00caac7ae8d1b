import { expect, test } from 'vitest';

import { StoreError } from '../lib/errors.js';
import { isJsonObject } from '../lib/json.js';
import { Progress } from '../lib/progress.js';
import type { ProgressRecord } from '../lib/progress.js';
import { FakeClock } from './fake-clock.js';
import { deferred } from './setup.js';

/** A progress, and what it writes: each write is over when the next answer is given. */
function makeProgress(known?: ProgressRecord): {
  clock: FakeClock;
  progress: Progress;
  written: unknown[];
  answer: (isOurs: boolean | Error) => void;
} {
  const clock = new FakeClock();
  const written: unknown[] = [];
  const waiting: ((isOurs: boolean | Error) => void)[] = [];
  const progress = new Progress({
    ...{ clock, known },
    redact: (text) => text.replace('secret', '***'),
    write: async (patch) => {
      written.push(patch['progress']);
      const { promise, resolve } = deferred<boolean | Error>();
      waiting.push(resolve);
      const isOurs = await promise;
      if (isOurs instanceof Error) throw isOurs;
      return isOurs;
    },
  });
  return { clock, progress, written, answer: (isOurs) => waiting.shift()?.(isOurs) };
}

test('what comes while a write is on its way is written after it, however long that takes', async () => {
  const { clock, progress, written, answer } = makeProgress();
  progress.report(1, 3);
  await clock.advance(1000);
  progress.report(2, 3);
  await clock.advance(1000);
  expect(written).toEqual([{ done: 1, total: 3 }]);
  answer(true);
  await clock.advance(1000);
  expect(written.slice(1)).toMatchObject([{ done: 2, total: 3 }]);
});

test('however often it is reported, it is written four times in the first second, and the last of it is there', async () => {
  const { clock, progress, written, answer } = makeProgress();
  for (let done = 1; done <= 1000; done++) {
    progress.report(done, 1000);
    await clock.advance(1);
    answer(true);
  }
  expect(written).toHaveLength(4);
  await progress.settled();
  expect(progress.take()).toMatchObject({ progress: { done: 1000 } });
});

test('at the end the write that is on its way is waited for, and nothing more is taken', async () => {
  const { clock, progress, written, answer } = makeProgress();
  progress.report(1, 3);
  await clock.advance(0);
  progress.report(2, 3);
  let isSettled = false;
  const settled = progress.settled().then(() => (isSettled = true));
  await clock.advance(1000);
  expect(isSettled).toBe(false);
  answer(true);
  await settled;
  progress.report(3, 3);
  await clock.advance(1000);
  expect(written).toHaveLength(1);
  expect(progress.take()).toMatchObject({ progress: { done: 2, total: 3 } });
  expect(progress.take()).toMatchObject({ progress: { done: 2, total: 3 } }); // it may have to be written once more
});

test('what was written is not written again', async () => {
  const { clock, progress, answer } = makeProgress();
  progress.report(1, 3);
  await clock.advance(0);
  answer(true);
  await progress.settled();
  expect(progress.take()).toEqual({});
});

test('what the store did not take is written with what comes next', async () => {
  const { clock, progress, written, answer } = makeProgress();
  progress.report(1);
  await clock.advance(0);
  answer(new StoreError('OADA_JOBS_STORE_FAILED', 'no', { path: '/' }));
  await clock.advance(5000);
  expect(written).toHaveLength(1);
  expect(progress.take()).toMatchObject({ progress: { done: 1 } });
  progress.report(2);
  await clock.advance(0);
  expect(written).toMatchObject([{ done: 1 }, { done: 2 }]);
});

test('nothing more is written of a job that another instance has', async () => {
  const { clock, progress, written, answer } = makeProgress();
  progress.report(1);
  await clock.advance(0);
  answer(false);
  await clock.advance(1000);
  progress.report(2);
  await clock.advance(1000);
  expect(written).toHaveLength(1);
});

test('what is not said any more is taken back', async () => {
  const { clock, progress, written, answer } = makeProgress({ done: 1, total: 9, message: 'reading' });
  progress.report(2, undefined, 'the secret');
  await clock.advance(0);
  answer(true);
  expect(written).toEqual([{ done: 2, total: null, message: 'the ***' }]);
  progress.report(Number.NaN);
  await clock.advance(1000);
  expect(written).toHaveLength(1);
});

test('of the children that are over none is taken back when they are counted again', async () => {
  const { clock, progress, written, answer } = makeProgress({ done: 2, total: 3 });
  for (let done = 1; done <= 4; done++) {
    progress.childrenOver(done, done);
    await clock.advance(1000);
    answer(true);
    await clock.advance(0);
  }
  expect(written.filter(isJsonObject).map(({ done, total }) => [done, total])).toEqual([
    [3, 3],
    [4, 4],
  ]);
});
