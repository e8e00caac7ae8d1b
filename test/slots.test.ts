import { setImmediate } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import { Slots } from '../lib/slots.js';
import type { SlotLease } from '../lib/slots.js';
import { deferred } from './setup.js';

const unlimited = (): number => Infinity;

/** As a queue does it. */
function tryTake(slots: Slots, type = 'any'): boolean {
  if (!slots.mayRun(type)) return false;
  slots.take(type);
  return true;
}

test('there are as many slots as were asked for', () => {
  const slots = new Slots(2, unlimited);
  expect([tryTake(slots), tryTake(slots), tryTake(slots)]).toEqual([true, true, false]);
  slots.release('any');
  expect([tryTake(slots), tryTake(slots)]).toEqual([true, false]);
});

test('those that wait are called in turn, one for each slot', () => {
  const slots = new Slots(1, unlimited);
  const called: string[] = [];
  const wait = (name: string): void => {
    slots.whenFree(() => {
      called.push(name);
      slots.take('any');
    });
  };
  slots.take('any');
  wait('one');
  wait('two');
  slots.release('any');
  expect(called).toEqual(['one']);
  slots.release('any');
  expect(called).toEqual(['one', 'two']);
});

test('one that has nothing left to do keeps no other waiting', () => {
  const slots = new Slots(1, unlimited);
  slots.take('any');
  slots.whenFree(() => undefined);
  let called = false;
  slots.whenFree(() => {
    called = tryTake(slots);
  });
  slots.release('any');
  expect(called).toBe(true);
});

test('one that wants more than there is waits again', () => {
  const slots = new Slots(1, unlimited);
  let taken = 0;
  const greedy = (): void => {
    while (tryTake(slots)) taken++;
    slots.whenFree(greedy);
  };
  greedy();
  slots.release('any');
  slots.release('any');
  expect(taken).toBe(3);
});

test('one that is forgotten is not called', () => {
  const slots = new Slots(1, unlimited);
  slots.take('any');
  const never = (): void => {
    throw new Error('called');
  };
  slots.whenFree(never);
  slots.forget(never);
  slots.release('any');
  expect(tryTake(slots)).toBe(true);
});

test('a type may have fewer than there are', () => {
  const slots = new Slots(3, (type) => (type === 'narrow' ? 1 : Infinity));
  expect([tryTake(slots, 'narrow'), tryTake(slots, 'narrow'), tryTake(slots, 'wide')]).toEqual([
    true,
    false,
    true,
  ]);
  slots.release('narrow');
  expect(tryTake(slots, 'narrow')).toBe(true);
});

test('two that wait for a type that is full are asked once each', () => {
  const slots = new Slots(3, () => 1);
  slots.take('narrow');
  slots.take('other');
  let asked = 0;
  const wait = (): void => {
    asked++;
    slots.whenFree(wait);
  };
  slots.whenFree(wait);
  slots.release('other');
  expect(asked).toBe(1);
});

describe('a slot that is lent', () => {
  const endless = new AbortController().signal;

  test('is had back in turn, though others want all there are', async () => {
    const slots = new Slots(1, unlimited);
    const lease = slots.take('parent');
    const running: SlotLease[] = [];
    const greedy = (): void => {
      while (slots.mayRun('child')) running.push(slots.take('child'));
      slots.whenFree(greedy);
    };
    greedy();
    const waited = deferred();
    const lent = lease.lent(() => waited.promise, endless);
    expect(running).toHaveLength(1);
    waited.resolve();
    await setImmediate();
    running[0]!.end(); // the other was in line before
    expect(running).toHaveLength(2);
    running[1]!.end();
    await lent;
    expect(running).toHaveLength(2);
    lease.end();
    expect(running).toHaveLength(3);
  });

  test('is not waited for by a run that is to end, nor taken from the others later', async () => {
    const slots = new Slots(1, unlimited);
    const lease = slots.take('parent');
    const ending = new AbortController();
    const waited = deferred();
    const lent = lease.lent(() => waited.promise, ending.signal);
    const other = slots.take('child');
    waited.resolve();
    await setImmediate();
    ending.abort();
    await lent;
    other.end();
    expect(slots.mayRun('child')).toBe(true);
    lease.end();
    expect([tryTake(slots), tryTake(slots)]).toEqual([true, false]);
  });
});

describe('the slot of a job that is being filed', () => {
  const file = (slots: Slots): SlotLease => {
    const lease = slots.take('any');
    lease.toFiling();
    return lease;
  };

  test("is another's, once", () => {
    const slots = new Slots(1, unlimited);
    const lease = file(slots);
    expect(tryTake(slots)).toBe(true);
    lease.end();
    expect(tryTake(slots)).toBe(false);
  });

  test('is not taken back, where the work has ended without waiting for what it lent the slot for', async () => {
    const slots = new Slots(1, unlimited);
    const lease = slots.take('parent');
    const waited = deferred();
    const lent = lease.lent(() => waited.promise, new AbortController().signal);
    const child = slots.take('child');
    waited.resolve();
    await setImmediate(); // the slot is wanted back
    lease.toFiling();
    child.end();
    await lent;
    expect(tryTake(slots)).toBe(true);
    lease.end();
    expect(tryTake(slots)).toBe(false);
  });

  test("is nobody's while fifty are being filed, and then goes to who waits", () => {
    const slots = new Slots(1, unlimited);
    const leases = Array.from({ length: 50 }, () => file(slots));
    expect(slots.areTaken).toBe(true);
    let taken = 0;
    slots.whenFree(() => {
      if (tryTake(slots)) taken++;
    });
    expect([tryTake(slots), taken]).toEqual([false, 0]);
    leases[0]!.end();
    expect(taken).toBe(1);
  });
});
