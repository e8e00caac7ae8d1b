import { expect, test } from 'vitest';

import { Slots } from '../../lib/slots.js';

/** One slot for all, and three apart for the type `batch`. */
function slots(room = { batch: 3 }): Slots {
  return new Slots(1, (type) => (type === 'batch' ? room.batch : Infinity), new Set(['batch']));
}

test('a type that stands apart takes no slot of the others, nor do they take one of it', () => {
  const one = slots();
  one.take('any');
  expect(one.areTaken).toBe(false);
  expect([one.mayRun('any'), one.mayRun('batch')]).toEqual([false, true]);
  for (let count = 0; count < 3; count++) one.take('batch');
  expect([one.areTaken, one.mayRun('batch')]).toEqual([true, false]);
  one.release('any');
  expect([one.mayRun('any'), one.mayRun('batch')]).toEqual([true, false]);
});

test('jobs that wait for the slots of all keep those of the other type from being found no more than full ones do', () => {
  const one = slots();
  expect([one.isFull('any'), one.isFull('batch')]).toEqual([false, false]);
  one.take('any');
  expect([one.isFull('any'), one.isFull('batch')]).toEqual([true, false]);
  for (let count = 0; count < 3; count++) one.take('batch');
  expect([one.isFull('any'), one.isFull('batch')]).toEqual([false, true]); // all wait, as where none stands apart
});

test('those that wait are called when a type has got more room', () => {
  const room = { batch: 0 };
  const one = slots(room);
  one.take('any');
  let called = 0;
  one.whenFree(() => called++);
  one.wake();
  expect(called).toBe(0);
  room.batch = 1;
  one.wake();
  expect(called).toBe(1);
});

test('a slot is given back as it was taken, also when the type no longer stands apart', () => {
  const apart = new Set(['batch']);
  const one = new Slots(1, () => 10, apart);
  one.take('batch');
  one.take('batch');
  apart.clear();
  one.take('batch');
  expect(one.areTaken).toBe(true);
  one.release('batch');
  one.release('batch');
  one.release('batch');
  one.take('batch');
  expect(one.areTaken).toBe(true);
});
