import { expect, test } from 'vitest';

import { Slots } from '../lib/slots.js';

test('there are as many slots as were asked for', () => {
  const slots = new Slots(2);
  expect([slots.take(), slots.take(), slots.take()]).toEqual([true, true, false]);
  slots.release();
  expect([slots.take(), slots.take()]).toEqual([true, false]);
});

test('those that wait are called in turn, one for each slot', () => {
  const slots = new Slots(1);
  const called: string[] = [];
  const wait = (name: string): void => {
    slots.whenFree(() => {
      called.push(name);
      slots.take();
    });
  };
  slots.take();
  wait('one');
  wait('two');
  slots.release();
  expect(called).toEqual(['one']);
  slots.release();
  expect(called).toEqual(['one', 'two']);
});

test('one that has nothing left to do keeps no other waiting', () => {
  const slots = new Slots(1);
  slots.take();
  slots.whenFree(() => undefined);
  let called = false;
  slots.whenFree(() => {
    called = slots.take();
  });
  slots.release();
  expect(called).toBe(true);
});

test('one that wants more than there is waits again', () => {
  const slots = new Slots(1);
  let taken = 0;
  const greedy = (): void => {
    while (slots.take()) taken++;
    slots.whenFree(greedy);
  };
  greedy();
  slots.release();
  slots.release();
  expect(taken).toBe(3);
});

test('one that is forgotten is not called', () => {
  const slots = new Slots(1);
  slots.take();
  const never = (): void => {
    throw new Error('called');
  };
  slots.whenFree(never);
  slots.forget(never);
  slots.release();
  expect(slots.take()).toBe(true);
});
