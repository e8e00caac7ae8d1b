import { describe, expect, test } from 'vitest';

import { eventsOf, TOKEN } from '../setup.js';
import { DAY, Farm, HOUR, MINUTE } from './farm.js';

const HOURLY = { type: 'plough', every: '1h' } as const;

describe('a schedule', () => {
  test('has its job submitted when it is due, with what it was due for', async () => {
    const farm = await Farm.start();
    await farm.add({
      hourly: { ...HOURLY, config: ({ occurrence }) => ({ day: occurrence.toISOString() }) },
    });
    expect(await farm.pending()).toEqual([]);
    await farm.clock.advance(HOUR);
    expect(await farm.pending()).toMatchObject([
      {
        startedBy: { schedule: 'hourly', occurrence: '2024-01-01T01:00:00.000Z' },
        config: { day: '2024-01-01T01:00:00.000Z' },
      },
    ]);
    await farm.work();
    expect(await farm.schedules.get('hourly')).toMatchObject({
      nextRunAt: new Date('2024-01-01T02:00:00.000Z'),
      last: { occurrence: '2024-01-01T01:00:00.000Z', outcome: 'success' },
      current: undefined,
      failures: 0,
    });
    expect(await farm.schedules.history('hourly')).toMatchObject([
      {
        occurrence: '2024-01-01T01:00:00.000Z',
        outcome: 'success',
        duration: 0,
        job: { _id: expect.any(String) },
      },
    ]);
  });

  test('is run by as many instances as like, and each occurrence once', async () => {
    const farm = await Farm.start();
    for (let count = 0; count < 3; count++) await farm.add({ hourly: HOURLY });
    await farm.live(DAY, HOUR);
    expect(farm.occurrences('hourly')).toHaveLength(24);
    expect(new Set(farm.occurrences('hourly')).size).toBe(24);
  });

  test('waits for the job before to be over; what became due meanwhile is run once', async () => {
    const farm = await Farm.start();
    const instance = await farm.add({ often: { type: 'plough', every: '15m' } });
    await farm.clock.advance(20 * MINUTE); // due at 15
    await farm.clock.advance(30 * MINUTE); // and at 30, and at 45
    expect(await farm.pending()).toHaveLength(1);
    await farm.work();
    expect(await farm.pending()).toMatchObject([{ occurrence: '2024-01-01T00:45:00.000Z' }]);
    expect(eventsOf(instance.told, 'schedule:skipped')).toMatchObject([
      { reason: 'missed', count: 1, occurrence: '2024-01-01T00:30:00.000Z' },
    ]);
  });

  test('passes over what is due while the job before is not over, if it is to skip', async () => {
    const farm = await Farm.start();
    const instance = await farm.add({ often: { type: 'plough', every: '15m', overlap: 'skip' } });
    await farm.clock.advance(50 * MINUTE);
    await farm.work();
    expect(await farm.pending()).toEqual([]);
    expect(eventsOf(instance.told, 'schedule:skipped').map(({ reason }) => reason)).toEqual([
      'overlap',
      'overlap',
    ]);
    await farm.clock.advance(10 * MINUTE);
    expect(await farm.pending()).toMatchObject([{ occurrence: '2024-01-01T01:00:00.000Z' }]);
  });

  test('has the job before cancelled, if it is to, and runs when that is over', async () => {
    const farm = await Farm.start();
    await farm.add({ often: { type: 'plough', every: '15m', overlap: 'cancel-previous' } });
    await farm.clock.advance(20 * MINUTE);
    const [first] = await farm.pending();
    await farm.clock.advance(10 * MINUTE);
    expect(farm.cancelled).toEqual([first!.key]);
    await farm.work('failure');
    expect(await farm.pending()).toMatchObject([{ occurrence: '2024-01-01T00:30:00.000Z' }]);
  });

  test('learns of the end of a job that another instance filed, or that nobody told of', async () => {
    const farm = await Farm.start();
    await farm.add({ hourly: HOURLY });
    await farm.clock.advance(HOUR);
    await farm.work('success', false);
    await farm.clock.advance(10 * MINUTE);
    expect(await farm.schedules.get('hourly')).toMatchObject({
      current: undefined,
      last: { outcome: 'success' },
    });
  });

  test('whose job was deleted goes on, and its occurrence has failed', async () => {
    const farm = await Farm.start();
    await farm.add({ hourly: HOURLY });
    await farm.clock.advance(HOUR);
    const [pending] = await farm.pending();
    await farm.oada.delete({ path: `/${pending!.jobId}` });
    await farm.clock.advance(10 * MINUTE);
    expect(await farm.schedules.history('hourly')).toMatchObject([{ outcome: 'failure' }]);
  });

  test('counts its failures in a row', async () => {
    const farm = await Farm.start();
    const instance = await farm.add({ hourly: HOURLY });
    for (const status of ['failure', 'failure', 'success'] as const) {
      await farm.clock.advance(HOUR);
      await farm.work(status);
    }
    expect(eventsOf(instance.told, 'schedule:ended')).toMatchObject([
      { outcome: 'failure', failures: 1, before: 0, message: 'broken' },
      { outcome: 'failure', failures: 2, before: 1 },
      { outcome: 'success', failures: 0, before: 2 },
    ]);
  });
});

test('the history is deleted month by month, when it is old enough', async () => {
  const farm = await Farm.start();
  farm.historyAge = 60 * DAY;
  await farm.add({ monthly: { type: 'plough', cron: '0 0 15 * *' } });
  await farm.live(200 * DAY, DAY);
  const kept = (await farm.schedules.history('monthly')).map(({ occurrence }) => occurrence.slice(0, 7));
  // On the 15th of July all of April was older than 60 days, and not all of May.
  expect(kept).toEqual(['2024-07', '2024-06', '2024-05']);
  expect(farm.occurrences('monthly')).toHaveLength(7);
});

describe('nobody is there for a while', () => {
  const options = { type: 'plough', every: '1h' } as const;
  test.each([
    ['none', []],
    ['one', ['2024-01-01T05:00:00.000Z']],
    ['all', ['03', '04', '05'].map((hour) => `2024-01-01T${hour}:00:00.000Z`)],
  ] as const)('what was missed is made up for as catchUp says: %s', async (catchUp, made) => {
    const farm = await Farm.start();
    const first = await farm.add({ hourly: { ...options, catchUp, catchUpLimit: 3 } });
    await first.stop();
    await farm.clock.advance(5 * HOUR + 20 * MINUTE);
    await farm.add({ hourly: { ...options, catchUp, catchUpLimit: 3 } });
    for (let count = 0; count < 5; count++) await farm.work();
    expect(farm.occurrences('hourly')).toEqual(made);
    const missed = await farm.schedules.history('hourly');
    expect(missed.filter(({ outcome }) => outcome === 'missed')).toMatchObject([{ count: 5 - made.length }]);
    await farm.clock.advance(40 * MINUTE);
    expect(await farm.pending()).toMatchObject([{ occurrence: '2024-01-01T06:00:00.000Z' }]);
  });
});

describe('shouldRun', () => {
  test('that says no skips the occurrence, which is kept in the history', async () => {
    const farm = await Farm.start();
    const asked: Date[] = [];
    const shouldRun = ({ occurrence }: { occurrence: Date }): boolean => {
      asked.push(occurrence);
      return asked.length > 1;
    };
    await farm.add({ hourly: { ...HOURLY, shouldRun } });
    await farm.clock.advance(HOUR);
    expect(await farm.pending()).toEqual([]);
    expect(await farm.schedules.history('hourly')).toMatchObject([{ outcome: 'skipped' }]);
    await farm.clock.advance(HOUR);
    expect(await farm.pending()).toHaveLength(1);
    expect(asked).toEqual([new Date('2024-01-01T01:00:00Z'), new Date('2024-01-01T02:00:00Z')]);
  });

  test('that throws is a failed occurrence and no run; again and again, and the schedule is held', async () => {
    const farm = await Farm.start();
    let isBroken = true;
    const shouldRun = (): boolean => {
      if (isBroken) throw new Error(`no database for ${TOKEN}`);
      return true;
    };
    const instance = await farm.add({ hourly: { ...HOURLY, shouldRun } });
    await farm.live(8 * HOUR, HOUR);
    expect(farm.runs).toEqual([]);
    expect(await farm.schedules.get('hourly')).toMatchObject({
      failures: 5,
      heldBecause: 'no database for [token]',
    });
    expect(eventsOf(instance.told, 'schedule:held')).toMatchObject([
      { schedule: 'hourly', type: 'plough', reason: 'no database for [token]' },
    ]);
    isBroken = false;
    await farm.schedules.reset('hourly');
    await farm.clock.advance(1);
    await farm.work();
    expect(farm.occurrences('hourly')).toEqual(['2024-01-01T08:00:00.000Z']);
  });
});

describe('what runs after another', () => {
  test('does when that has succeeded, with the cause, and not when it has failed', async () => {
    const farm = await Farm.start();
    await farm.add({
      load: { type: 'plough', every: '1h', then: ['count'] },
      count: { type: 'count', manual: true },
    });
    await farm.clock.advance(HOUR);
    await farm.work('failure');
    expect(await farm.pending()).toEqual([]);
    await farm.clock.advance(HOUR);
    await farm.work();
    const cause = { schedule: 'load', occurrence: '2024-01-01T02:00:00.000Z' };
    expect(await farm.pending()).toMatchObject([{ schedule: 'count', startedBy: { cause } }]);
    await farm.work();
    expect(await farm.schedules.history('count')).toMatchObject([{ outcome: 'success', cause }]);
  });

  test('does in any case if it is to', async () => {
    const farm = await Farm.start();
    await farm.add({
      load: { type: 'plough', every: '1h', then: { run: ['clean'], on: 'always' } },
      clean: { type: 'clean', manual: true },
    });
    await farm.clock.advance(HOUR);
    await farm.work('failure');
    expect(await farm.pending()).toMatchObject([{ schedule: 'clean' }]);
  });
});
