import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { resolveTiming } from '../../lib/schedule/definition.js';
import type { CatchUp, ResolvedTiming } from '../../lib/schedule/definition.js';
import {
  jitterOf,
  latestDue,
  nextAfter,
  occurrencesBetween,
  plan,
  preview,
} from '../../lib/schedule/occurrences.js';
import type { Plan } from '../../lib/schedule/occurrences.js';
import { DAY, MINUTE } from './naive.js';

function planned(timing: object, nextRunAt: string, now: string, lateBy?: number): Plan {
  const request = {
    nextRunAt: new Date(nextRunAt),
    now: new Date(now),
    ...(lateBy !== undefined && { lateBy }),
  };
  return plan(resolveTiming(timing), request);
}

function on(clock: string): Date {
  return new Date(`2024-05-01T${clock}Z`);
}

describe('of what has come since the last plan', () => {
  const [from, now] = ['2024-05-01T10:00:00Z', '2024-05-01T10:41:00Z'];
  const next = on('10:50:00');

  test('the latest is run by default, and the others are passed over', () => {
    expect(planned({ every: '10m' }, from, now)).toEqual({ due: [on('10:40:00')], missed: 4, next });
  });

  test('all are run where it is asked for, oldest first', () => {
    const due = [on('10:00:00'), on('10:10:00'), on('10:20:00'), on('10:30:00'), on('10:40:00')];
    expect(planned({ every: '10m', catchUp: 'all' }, from, now)).toEqual({ due, missed: 0, next });
  });

  test('the latest of all are run where there are too many', () => {
    const timing = { cron: '*/10 * * * *', catchUp: 'all', catchUpLimit: 2 };
    expect(planned(timing, from, now)).toEqual({ due: [on('10:30:00'), on('10:40:00')], missed: 3, next });
  });

  test('none is run that is late, where none is to be made up for', () => {
    const timing = { every: '10m', catchUp: 'none' };
    expect(planned(timing, from, now)).toEqual({ due: [on('10:40:00')], missed: 4, next });
    expect(planned(timing, from, '2024-05-01T10:41:00.001Z')).toEqual({ due: [], missed: 5, next });
    expect(planned(timing, from, now, 59_999)).toEqual({ due: [], missed: 5, next });
  });

  test('nothing is run before its time, nor planned before what has been', () => {
    const nothing = { due: [], missed: 0, next: on('10:50:00') };
    expect(planned({ every: '10m' }, '2024-05-01T10:50:00Z', now)).toEqual(nothing);
    // A clock that was put back.
    expect(planned({ every: '10m' }, '2024-05-01T10:50:00Z', '2024-05-01T09:00:00Z')).toEqual(nothing);
  });

  test('nothing is due that is not on the grid', () => {
    expect(planned({ every: '10m' }, '2024-05-01T10:41:00Z', '2024-05-01T10:42:00Z')).toEqual({
      due: [],
      missed: 0,
      next,
    });
  });

  test('nothing ever comes that only comes when it is asked for', () => {
    const timing = resolveTiming({ manual: true });
    expect(planned({ manual: true }, from, now)).toEqual({ due: [], missed: 0, next: undefined });
    expect(preview(timing, new Date(from), 3)).toEqual([]);
  });
});

test('years of missed seconds cost no more than a few', () => {
  const [from, now] = [new Date('2004-01-01T00:00:00Z'), new Date('2024-01-01T00:00:00Z')];
  const start = performance.now();
  const every = latestDue(resolveTiming({ every: '1s' }), from, now, 2);
  expect(every).toEqual({
    latest: [new Date(now.getTime() - 1000), now],
    count: (now.getTime() - from.getTime()) / 1000 + 1,
  });
  const cron = latestDue(resolveTiming({ cron: '* * * * * *', timeZone: 'Europe/Berlin' }), from, now, 2);
  expect(cron).toEqual({ latest: every.latest, count: 1002 });
  const [first] = occurrencesBetween(resolveTiming({ every: '1s' }), from, now, Infinity);
  expect(first).toEqual(new Date('2004-01-01T00:00:01Z'));
  expect(performance.now() - start).toBeLessThan(1000);
});

const START = Date.UTC(2024, 0, 1); // a leap year
const TIMINGS = [
  { cron: '0 * * * *', timeZone: 'America/New_York' },
  { cron: '30 1-3 * * *', timeZone: 'America/New_York' },
  { cron: '*/20 1-3 * * *', timeZone: 'Europe/Berlin' },
  { cron: '15 2 29 2 *', timeZone: 'Europe/Berlin' },
  { cron: '5 0 * * 1-5', timeZone: 'America/Havana' },
  { at: ['01:45', '02:15', '02:15', '23:30'], timeZone: 'Australia/Lord_Howe' },
  { at: ['23:30'], timeZone: 'America/Nuuk' },
  { every: '7h', phase: '13m' },
  { every: '5d' },
];

/** How a year goes by: mostly on, at times back, at times not at all for weeks. */
const someSteps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: 36 * 60 * MINUTE }) },
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 20 * MINUTE }) },
    { weight: 1, arbitrary: fc.integer({ min: -3 * 60 * MINUTE, max: 0 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 40 * DAY }) },
  ),
  { minLength: 50, maxLength: 150 },
);

interface Year {
  readonly plans: readonly (Plan & { readonly now: Date; readonly nextRunAt: Date })[];
  readonly all: readonly number[];
}

/** Plans again and again, as an engine would, and tells what there was to be planned. */
function live(timing: ResolvedTiming, steps: readonly number[]): Year {
  const plans: Year['plans'][number][] = [];
  let nextRunAt = nextAfter(timing, new Date(START));
  let now = START;
  let latest = START;
  for (const step of steps) {
    if (nextRunAt === undefined) break;
    now += step;
    latest = Math.max(latest, now);
    const made = plan(timing, { nextRunAt, now: new Date(now) });
    plans.push({ ...made, now: new Date(now), nextRunAt });
    nextRunAt = made.next;
  }
  const all = [...occurrencesBetween(timing, new Date(START), new Date(latest), Infinity)];
  return { plans, all: all.map((time) => time.getTime()) };
}

function aYear(catchUp: CatchUp): fc.Arbitrary<Year> {
  return fc
    .tuple(fc.constantFrom(...TIMINGS), someSteps)
    .map(([when, steps]) => live(resolveTiming({ ...when, catchUp, catchUpLimit: 10_000 }), steps));
}

function runs({ plans }: Year): number[] {
  return plans.flatMap(({ due }) => due.map((time) => time.getTime()));
}

test('where all are made up for, each occurrence of a year is run exactly once, in order', () => {
  fc.assert(
    fc.property(aYear('all'), (year) => {
      expect(runs(year).join()).toBe(year.all.join()); // much faster than one by one
      expect(year.plans.every(({ missed }) => missed === 0)).toBe(true);
    }),
    { numRuns: 20 },
  );
});

test.each(['one', 'none'] as const)(
  "with catchUp '%s' each occurrence is run or missed, and none twice",
  (catchUp) => {
    fc.assert(
      fc.property(aYear(catchUp), (year) => {
        const ran = runs(year);
        expect(new Set(ran).size).toBe(ran.length);
        const all = new Set(year.all);
        expect(ran.filter((time) => !all.has(time))).toEqual([]);
        const missed = year.plans.reduce((sum, one) => sum + one.missed, 0);
        expect(ran.length + missed).toBe(year.all.length);
        for (const { due, missed: passed, now, nextRunAt } of year.plans) {
          const open = year.all.filter((time) => time >= nextRunAt.getTime() && time <= now.getTime());
          const last = open.at(-1);
          const isRun = last !== undefined && (catchUp === 'one' || now.getTime() - last <= MINUTE);
          expect(due.map((time) => time.getTime())).toEqual(isRun ? [last] : []);
          expect(passed).toBe(open.length - due.length);
        }
      }),
      { numRuns: 20 },
    );
  },
);

test('what repeats at a fixed length of time is on one grid, wherever one begins', () => {
  const aLength = fc.integer({ min: 1000, max: 20 * DAY });
  const aTime = fc.integer({ min: -1e12, max: 4e12 });
  fc.assert(
    fc.property(
      aLength,
      fc.integer({ min: 0, max: 20 * DAY }),
      aTime,
      fc.nat(50),
      (every, phase, time, count) => {
        const timing = resolveTiming({ every, phase });
        const times = preview(timing, new Date(time), count).map((next) => next.getTime());
        expect(times).toHaveLength(count);
        for (const [index, next] of times.entries()) {
          expect(Math.abs((next - phase) % every)).toBe(0);
          expect(next).toBeGreaterThan(time + index * every);
          expect(next).toBeLessThanOrEqual(time + (index + 1) * every);
        }
        const until = new Date(times.at(-1) ?? time);
        expect(latestDue(timing, new Date(time + 1), until, 100)).toEqual({
          latest: times.map((next) => new Date(next)),
          count,
        });
      },
    ),
  );
});

test('what is put off by chance is put off alike by everybody, and by less than the most', () => {
  const timing = resolveTiming({ every: '1h', jitter: '10s' });
  const times = preview(timing, new Date(START), 2000);
  const delays = times.map((time) => jitterOf('nightly', time, timing));
  expect(times.map((time) => jitterOf('nightly', new Date(time), timing))).toEqual(delays);
  expect(delays.every((delay) => Number.isInteger(delay) && delay >= 0 && delay < 10_000)).toBe(true);
  // Evenly: each tenth has its share, and what it comes to depends on both the schedule and the occurrence.
  const tenths = Array.from({ length: 10 }, (_, tenth) =>
    delays.filter((delay) => Math.floor(delay / 1000) === tenth),
  );
  expect(tenths.map(({ length }) => length).filter((length) => length < 130 || length > 270)).toEqual([]);
  expect(times.map((time) => jitterOf('weekly', time, timing))).not.toEqual(delays);
  expect(jitterOf('nightly', new Date(START), resolveTiming({ every: '1h' }))).toBe(0);
});
