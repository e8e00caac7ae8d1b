import { Cron } from 'croner';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { cronOccurrences } from '../../lib/schedule/cron.js';
import { resolveTiming } from '../../lib/schedule/definition.js';
import { latestDue, nextAfter, occurrencesBetween, preview } from '../../lib/schedule/occurrences.js';
import { zoneOf } from '../../lib/schedule/zone.js';
import { changeDays, DAY, MINUTE, naiveOccurrences } from './naive.js';

const ZONES = [
  'America/New_York',
  'Europe/Berlin',
  'Australia/Lord_Howe', // by half an hour
  'Asia/Kathmandu', // 5:45 from UTC, never changed
  'America/Havana', // at midnight, and back to it
  'Africa/Cairo', // from midnight on, and back from it to the day before
  'America/Nuuk', // past the end of a day
  'Africa/Casablanca', // around Ramadan
  'America/St_Johns', // 3:30 from UTC
  'UTC',
];
const [FROM, TO] = [Date.UTC(2023, 0, 1), Date.UTC(2027, 0, 1)];

const changes = new Map(ZONES.map((zone) => [zone, changeDays(zone, FROM, TO)]));

function firsts(timing: object, from: string, count: number): string[] {
  return preview(resolveTiming(timing), new Date(from), count).map((time) => time.toISOString());
}

function field(least: number, most: number): fc.Arbitrary<string> {
  const value = fc.integer({ min: least, max: most });
  const range = fc.tuple(value, value).map(([one, other]) => [Math.min(one, other), Math.max(one, other)]);
  return fc.oneof(
    { weight: 3, arbitrary: value.map(String) },
    { weight: 2, arbitrary: fc.constant('*') },
    fc.integer({ min: 1, max: Math.min(most, 40) }).map((step) => `*/${String(step)}`),
    range.map(([from, to]) => `${String(from)}-${String(to)}`),
    fc
      .tuple(range, fc.integer({ min: 1, max: 6 }))
      .map(([ends, step]) => `${ends.join('-')}/${String(step)}`),
    fc.uniqueArray(value, { minLength: 2, maxLength: 3 }).map((values) => values.join(',')),
  );
}

function mostly(usual: string, field: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: field });
}

/** Hours at which clocks are changed, more often than not. */
const anHour = fc.oneof(field(0, 23), fc.constantFrom('0', '1', '2', '3', '23', '1-3', '0,2', '0-4/2'));
const aPattern = fc
  .tuple(field(0, 59), anHour, mostly('*', field(1, 31)), mostly('*', field(1, 12)), mostly('*', field(0, 6)))
  .map((fields) => fields.join(' '));
const aZone = fc.constantFrom(...ZONES);

/** A day, and usually one on which the clocks of that zone are changed. */
const aPlace = aZone.chain((timeZone) => {
  const any = fc.integer({ min: 0, max: (TO - FROM) / DAY - 1 }).map((day) => FROM + day * DAY);
  const days = changes.get(timeZone)!;
  const day = days.length === 0 ? any : fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...days) }, any);
  return fc.record({ timeZone: fc.constant(timeZone), day });
});

/** The field of the seconds, where there is one. */
const someSeconds = fc.constantFrom('', '0 ', '* ', '*/20 ', '5,40 ');

/** Within a day and its neighbours, often next to when clocks may be changed. */
const aMoment = fc.oneof(
  fc.integer({ min: -DAY / 2, max: 1.5 * DAY }),
  fc
    .tuple(fc.integer({ min: -12, max: 60 }), fc.integer({ min: -1500, max: 1500 }))
    .map(([half, ms]) => half * 30 * MINUTE + ms),
);

test('cron is due when the clock on the wall says so, also on days on which it is changed', () => {
  let [due, twice] = [0, 0];
  fc.assert(
    fc.property(aPattern, aPlace, (cron, { timeZone, day }) => {
      const timing = resolveTiming({ cron, timeZone });
      const [from, to] = [new Date(day - DAY / 8), new Date(day + 1.25 * DAY)];
      const expected = naiveOccurrences(cron, timeZone, from.getTime(), to.getTime());
      const before = new Date(from.getTime() - 1);
      const found = [...occurrencesBetween(timing, before, to, Infinity)].map((time) => time.getTime());
      expect(found.join()).toBe(expected.join()); // much faster than one by one
      const { latest, count } = latestDue(timing, from, to, 3000);
      expect(latest.map((time) => time.getTime()).join()).toBe(expected.join());
      expect(count).toBe(expected.length);
      due += expected.length > 0 ? 1 : 0;
      twice += changes.get(timeZone)?.includes(day) === true ? 1 : 0;
    }),
    { numRuns: 100 },
  );
  expect(due).toBeGreaterThan(25); // it has been about something
  expect(twice).toBeGreaterThan(25);
});

test('cron is due when croner finds it to be, except where clocks are put forward past the end of a day', () => {
  fc.assert(
    fc.property(someSeconds, aPattern, aPlace, aMoment, (second, rest, { timeZone, day }, moment) => {
      fc.pre(timeZone !== 'America/Nuuk'); // there croner drops what is due in the last hour of that day
      const time = new Date(day + moment);
      const { after, upTo } = cronOccurrences(second + rest, zoneOf(timeZone)!);
      const options = { timezone: timeZone, fixedTimeRule: 'no-wildcard', paused: true } as const;
      const croner = new Cron(second + rest, options);
      expect(after(time)).toEqual(croner.nextRun(time) ?? undefined);
      expect(upTo(time)).toEqual(croner.previousRuns(1, new Date(time.getTime() + 1))[0]);
    }),
    { numRuns: 300 },
  );
});

test('occurrences come one after the other, and none lies between two', () => {
  const seconds = fc.constantFrom('', '0 ', '*/20 ', '5,40 ');
  fc.assert(
    fc.property(
      seconds,
      aPattern,
      aPlace,
      fc.integer({ min: 0, max: 2 * DAY }),
      (second, rest, place, ms) => {
        const { timeZone, day } = place;
        const timing = resolveTiming({ cron: second + rest, timeZone });
        const time = new Date(day - DAY / 2 + ms);
        const next = nextAfter(timing, time);
        if (next === undefined) return;
        expect(next.getTime()).toBeGreaterThan(time.getTime());
        expect(nextAfter(timing, new Date(next.getTime() - 1))).toEqual(next);
        const between = new Date(time.getTime() + Math.floor((next.getTime() - time.getTime()) / 2));
        expect(nextAfter(timing, new Date(Math.min(between.getTime(), next.getTime() - 1)))).toEqual(next);
        expect([...occurrencesBetween(timing, time, next, 5)]).toEqual([next]);
        expect(latestDue(timing, next, next, 5)).toEqual({ latest: [next], count: 1 });
        expect(latestDue(timing, new Date(time.getTime() + 1), next, 5)).toEqual({
          latest: [next],
          count: 1,
        });
      },
    ),
    { numRuns: 200 },
  );
});

test('times of the day are the same whether cron or a list names them', () => {
  const aTime = fc.tuple(fc.constantFrom(0, 1, 2, 3, 12, 23), fc.constantFrom(0, 15, 30, 59));
  const two = (value: number): string => String(value).padStart(2, '0');
  fc.assert(
    fc.property(aTime, aPlace, ([hour, minute], { timeZone, day }) => {
      const at = resolveTiming({ at: [`${two(hour)}:${two(minute)}`], timeZone });
      const cron = resolveTiming({ cron: `${String(minute)} ${String(hour)} * * *`, timeZone });
      const from = new Date(day - DAY);
      expect(preview(at, from, 4)).toEqual(preview(cron, from, 4));
      const until = new Date(day + 2 * DAY);
      expect(latestDue(at, from, until, 9)).toEqual(latestDue(cron, from, until, 9));
    }),
  );
});

describe('where clocks are put forward past a time of the day', () => {
  const NEW_YORK = { timeZone: 'America/New_York' }; // 2024-03-10, 2:00 to 3:00

  test.each([
    [{ at: ['02:30'] }],
    [{ cron: '30 2 * * *' }],
    [{ cron: '0,30,45 2 * * 0,1' }], // several of them come to the same moment
    [{ cron: '30 2-3 10 * *' }, '2024-03-10T07:30:00.000Z'],
  ])('%j is due at that moment', (when, second = '2024-03-11T06:30:00.000Z') => {
    const [first, ...rest] = firsts({ ...when, ...NEW_YORK }, '2024-03-10T05:00:00Z', 3);
    expect(first).toBe('2024-03-10T07:00:00.000Z');
    expect(rest).toContain(second);
  });

  test('a beat goes on', () => {
    expect(firsts({ cron: '*/30 * * * *', ...NEW_YORK }, '2024-03-10T06:29:59Z', 3)).toEqual([
      '2024-03-10T06:30:00.000Z',
      '2024-03-10T07:00:00.000Z',
      '2024-03-10T07:30:00.000Z',
    ]);
    expect(firsts({ cron: '*/30 2 * * *', ...NEW_YORK }, '2024-03-10T05:00:00Z', 1)).toEqual([
      '2024-03-11T06:00:00.000Z',
    ]);
  });

  test('the end of a day is no end to that', () => {
    // 2024-03-30, 23:00 to 24:00
    expect(firsts({ at: ['23:30'], timeZone: 'America/Nuuk' }, '2024-03-30T12:00:00Z', 2)).toEqual([
      '2024-03-31T01:00:00.000Z',
      '2024-04-01T00:30:00.000Z',
    ]);
  });

  test('half an hour is enough', () => {
    // 2024-10-06, 2:00 to 2:30
    const timing = { at: ['02:15', '02:45'], timeZone: 'Australia/Lord_Howe' };
    expect(firsts(timing, '2024-10-05T15:00:00Z', 2)).toEqual([
      '2024-10-05T15:30:00.000Z',
      '2024-10-05T15:45:00.000Z',
    ]);
  });
});

describe('where clocks show a time of the day twice', () => {
  test.each([
    ['America/New_York', '01:30', '2024-11-03T05:30:00.000Z', '2024-11-04T06:30:00.000Z'],
    ['Australia/Lord_Howe', '01:45', '2024-04-06T14:45:00.000Z', '2024-04-07T15:15:00.000Z'],
    ['America/Havana', '00:00', '2024-11-03T04:00:00.000Z', '2024-11-04T05:00:00.000Z'],
    ['Africa/Cairo', '23:30', '2024-10-31T20:30:00.000Z', '2024-11-01T21:30:00.000Z'],
  ])('in %s, %s is due the first time', (timeZone, at, first, second) => {
    const eve = new Date(Date.parse(first) - DAY / 2).toISOString();
    expect(firsts({ at: [at], timeZone }, eve, 2)).toEqual([first, second]);
  });

  test('a beat goes on', () => {
    const timing = { cron: '*/30 1 * * *', timeZone: 'America/New_York' };
    expect(firsts(timing, '2024-11-03T04:00:00Z', 5)).toEqual([
      '2024-11-03T05:00:00.000Z',
      '2024-11-03T05:30:00.000Z',
      '2024-11-03T06:00:00.000Z',
      '2024-11-03T06:30:00.000Z',
      '2024-11-04T06:00:00.000Z',
    ]);
  });

  test('what is found does not depend on where it is looked for from', () => {
    const [timeZone, long] = ['America/New_York', new Date('2020-01-01T00:00:00Z')];
    const latest = (cron: string, now: string): Date[] => [
      ...latestDue(resolveTiming({ cron, timeZone }), long, new Date(now), 1).latest,
    ];
    // At 1:03 the second time, 1:50 has been.
    expect(latest('50 1 * * *', '2024-11-03T06:03:00Z')).toEqual([new Date('2024-11-03T05:50:00Z')]);
    // A beat that comes on one day of the year: the next may be years away by the calendar, and is minutes away.
    expect(firsts({ cron: '*/5 1 3 11 *', timeZone }, '2024-11-03T05:57:00Z', 1)).toEqual([
      '2024-11-03T06:00:00.000Z',
    ]);
    expect(latest('*/58 1 3 11 *', '2024-11-03T05:59:00Z')).toEqual([new Date('2024-11-03T05:58:00Z')]);
    expect(latest('58-58/1 1 7 11 *', '2021-11-07T06:03:00Z')).toEqual([new Date('2021-11-07T05:58:00Z')]);
    // Seconds next to the change itself, from either side.
    expect(latest('* * * * * *', '2024-11-03T05:59:59Z')).toEqual([new Date('2024-11-03T05:59:59Z')]);
    expect(latest('59 */1 1 * * *', '2024-11-03T06:00:30Z')).toEqual([new Date('2024-11-03T05:59:59Z')]);
  });
});

test.each([
  [{ cron: '0 12 29 2 *' }, ['2024-02-29T12:00:00.000Z', '2028-02-29T12:00:00.000Z']],
  [{ cron: '0 0 L * *' }, ['2024-01-31T00:00:00.000Z', '2024-02-29T00:00:00.000Z']],
  [{ cron: '0 0 * * 5#2' }, ['2024-01-12T00:00:00.000Z', '2024-02-09T00:00:00.000Z']],
  [{ cron: '0 6 13 * +FRI' }, ['2024-09-13T06:00:00.000Z', '2024-12-13T06:00:00.000Z']],
  [{ at: ['06:00'], timeZone: 'Asia/Kathmandu' }, ['2024-01-01T00:15:00.000Z', '2024-01-02T00:15:00.000Z']],
  [
    { cron: '15 0 1 1 *', timeZone: 'Pacific/Kiritimati' },
    ['2024-12-31T10:15:00.000Z', '2025-12-31T10:15:00.000Z'],
  ],
  [{ at: ['19:30:15', '07:00'] }, ['2024-01-01T07:00:00.000Z', '2024-01-01T19:30:15.000Z']],
])('%j is due when it says', (timing, expected) => {
  expect(firsts(timing, '2024-01-01T00:00:00Z', 2)).toEqual(expected);
});

test.each(['0 0 30 2 *', '*/5 * 31 2,4,6,9,11 *', '0 0 29 2 +1#1'])(
  '%s is never due, and that is soon told',
  (cron) => {
    const timing = resolveTiming({ cron, timeZone: 'Europe/Berlin' });
    const now = new Date('2024-01-01T00:00:00Z');
    const start = performance.now();
    expect(nextAfter(timing, now)).toBeUndefined();
    expect(latestDue(timing, new Date(0), now, 1)).toEqual({ latest: [], count: 0 });
    expect(performance.now() - start).toBeLessThan(1000);
  },
);

test('far from our days there is an end', () => {
  const timing = resolveTiming({ cron: '*/10 * * * *', timeZone: 'Europe/Berlin' });
  expect(nextAfter(timing, new Date(8.64e15))).toBeUndefined();
  expect(nextAfter(timing, new Date('3000-01-01T00:00:00Z'))).toBeUndefined();
  expect(nextAfter(timing, new Date('2999-12-31T00:00:00Z'))).toEqual(new Date('2999-12-31T00:10:00Z'));
  expect(nextAfter(timing, new Date(-8.64e15))?.getUTCFullYear()).toBe(1900);
  expect(nextAfter(timing, new Date(Number.NaN))).toBeUndefined();
  expect(nextAfter(resolveTiming({ every: '1d' }), new Date(8.64e15))).toBeUndefined();
  expect(nextAfter(resolveTiming({ every: '1d' }), new Date(8.64e15 - MINUTE))).toEqual(new Date(8.64e15));
});
