import { setImmediate } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { setLimit } from '../../lib/clock.js';
import { SkippingClock } from '../../lib/testing/skipping-clock.js';
import { deferred } from '../setup.js';

const HOUR = 3_600_000;

test('what is due happens in its order, at its time', async () => {
  const clock = new SkippingClock(new Date('2026-01-01T00:00:00Z'));
  const happened: [string, string][] = [];
  const note = (name: string) => () => {
    happened.push([name, clock.now().toISOString().slice(11, 16)]);
  };
  clock.setTimer(note('late'), 2 * HOUR);
  clock.setTimer(() => {
    note('first')();
    clock.setTimer(note('between'), HOUR / 2);
  }, HOUR);
  const cancel = clock.setTimer(note('cancelled'), HOUR);
  clock.setTimer(note('never'), Infinity);
  const cancelNext = clock.setTimer(note('too late'), 4 * HOUR);
  cancel();
  await clock.skip(3 * HOUR);
  expect(happened).toEqual([
    ['first', '01:00'],
    ['between', '01:30'],
    ['late', '02:00'],
  ]);
  expect(clock.now().toISOString()).toMatch(/^2026-01-01T03:00/);
  cancelNext();
});

test('it goes on by itself as well, also after a skip', async () => {
  const clock = new SkippingClock();
  const [first, second] = [deferred(), deferred()];
  clock.setTimer(first.resolve, 5);
  await first.promise;
  clock.setTimer(second.resolve, HOUR);
  await clock.skip(HOUR - 5);
  await second.promise;
});

test('nothing is skipped while something goes on', async () => {
  const clock = new SkippingClock();
  let isDue = false;
  clock.setTimer(() => {
    isDue = true;
  }, HOUR);
  const end = clock.busy();
  const skipped = clock.skip(HOUR);
  for (let turn = 0; turn < 50; turn++) await setImmediate();
  expect(isDue).toBe(false);
  end();
  await skipped;
  expect(isDue).toBe(true);
});

test('a limit is reached in its own time, and lifted then', async () => {
  const clock = new SkippingClock();
  let isReached = false;
  setLimit(
    clock,
    () => {
      isReached = true;
    },
    5,
  );
  await clock.skip(HOUR);
  expect(isReached).toBe(true);
});

test('two who skip at the same time take their turns', async () => {
  const clock = new SkippingClock();
  const happened: number[] = [];
  for (let hour = 1; hour <= 5; hour++) clock.setTimer(() => happened.push(hour), hour * HOUR);
  await Promise.all([clock.skip(3 * HOUR), clock.skip(5 * HOUR)]);
  expect(happened).toEqual([1, 2, 3, 4, 5]);
});

test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
  'two who skip both come to their end, though something begins %i turns later',
  async (turns) => {
    const clock = new SkippingClock();
    const both = Promise.all([clock.skip(1), clock.skip(1)]);
    for (let turn = 0; turn < turns; turn++) await setImmediate();
    const end = clock.busy();
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    end();
    await both;
    await clock.skip(1);
  },
);

test('what is over is waited for no longer than that', async () => {
  const clock = new SkippingClock();
  let happened = 0;
  const cancels = [1, 2, 3].map((hour) => clock.setTimer(() => happened++, hour * HOUR));
  const end = clock.monotonic() + 5 * HOUR;
  expect(await clock.skipUntil(() => happened === 2, end)).toBe(true);
  expect(happened).toBe(2);
  expect(await clock.skipUntil(() => happened === 9, end)).toBe(false);
  expect(happened).toBe(3);
  for (const cancel of cancels) cancel();
});
