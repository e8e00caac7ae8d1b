import fc from 'fast-check';
import { expect, test } from 'vitest';

import { resolveTiming } from '../../lib/schedule/definition.js';
import { deferredTo } from '../../lib/schedule/occurrences.js';
import { DAY, MINUTE, wallTime } from './naive.js';

function deferred(windows: readonly object[], time: string, timeZone = 'UTC'): string {
  const timing = resolveTiming({ cron: '0 0 * * *', timeZone, windows });
  return deferredTo(timing, new Date(time)).toISOString().replace(':00.000Z', 'Z');
}

const NIGHT = { from: '22:00', to: '02:30' };

test.each([
  ['21:59', '21:59'],
  ['22:00', '02:30 tomorrow'],
  ['23:59', '02:30 tomorrow'],
  ['00:00', '02:30'],
  ['02:29', '02:30'],
  ['02:30', '02:30'],
  ['12:00', '12:00'],
])('with a window from 22:00 to 2:30, what is due at %s runs at %s', (time, expected) => {
  const [clock, isNextDay] = expected.split(' ');
  const day = isNextDay === undefined ? '2024-05-01' : '2024-05-02';
  expect(deferred([NIGHT], `2024-05-01T${time}:00Z`)).toBe(`${day}T${clock!}Z`);
});

test('without windows nothing waits, not even for a millisecond', () => {
  const time = new Date('2024-05-01T22:00:00.123Z');
  expect(deferredTo(resolveTiming({ every: '1m' }), time)).toEqual(time);
});

test('windows that meet or overlap are one', () => {
  const windows = [
    { from: '03:00', to: '04:00' },
    NIGHT,
    { from: '02:30', to: '03:10' },
    { from: '04:01', to: '05:00' },
  ];
  expect(deferred(windows, '2024-05-01T22:30:00Z')).toBe('2024-05-02T04:00Z');
});

test('a window is of the day on which it begins', () => {
  const weekend = [{ ...NIGHT, days: ['sat'] }]; // 2024-05-04
  expect(deferred(weekend, '2024-05-04T01:00:00Z')).toBe('2024-05-04T01:00Z');
  expect(deferred(weekend, '2024-05-04T23:00:00Z')).toBe('2024-05-05T02:30Z');
  expect(deferred(weekend, '2024-05-05T01:00:00Z')).toBe('2024-05-05T02:30Z');
  expect(deferred(weekend, '2024-05-05T23:00:00Z')).toBe('2024-05-05T23:00Z');
});

test('each window goes by the clock of its zone', () => {
  const windows = [
    { from: '22:00', to: '23:00' },
    { from: '09:00', to: '12:00', timeZone: 'Asia/Tokyo' },
  ];
  // 22:30 in New York is 11:30 in Tokyo, and 23:00 is 12:00.
  expect(deferred(windows, '2024-05-02T02:30:00Z', 'America/New_York')).toBe('2024-05-02T03:00Z');
  // 20:30 is 9:30: from the one window into the other.
  expect(deferred(windows, '2024-05-02T00:30:00Z', 'America/New_York')).toBe('2024-05-02T03:00Z');
});

test.each([
  [
    'is over when clocks are put forward past its end',
    '01:30',
    '02:30',
    '2024-03-10T06:45Z',
    '2024-03-10T07:00Z',
  ],
  [
    'begins when they are put forward past its start',
    '02:30',
    '03:30',
    '2024-03-10T07:10Z',
    '2024-03-10T07:30Z',
  ],
  [
    'does not open when they are put forward past all of it',
    '02:10',
    '02:50',
    '2024-03-10T07:00Z',
    '2024-03-10T07:00Z',
  ],
  ['is as long as ever over such a night', '22:00', '02:30', '2024-03-10T03:00Z', '2024-03-10T07:00Z'],
  ['ends the first time that its end is shown', '00:30', '01:30', '2024-11-03T05:10Z', '2024-11-03T05:30Z'],
  ['does not open again the second time', '00:30', '01:30', '2024-11-03T06:10Z', '2024-11-03T06:10Z'],
  ['goes on over the second time', '01:30', '02:30', '2024-11-03T06:10Z', '2024-11-03T07:30Z'],
])('a window %s', (_, from, to, time, expected) => {
  expect(deferred([{ from, to }], time.replace('Z', ':00Z'), 'America/New_York')).toBe(expected);
});

test('nothing is put off into a window, nor past a time that is free', () => {
  const aTime = fc.integer({ min: 0, max: 47 }).map((half) => half * 30);
  const aWindow = fc.tuple(aTime, aTime).filter(([from, to]) => from !== to);
  const text = (minutes: number): string => new Date(minutes * MINUTE).toISOString().slice(11, 16);
  const isOpen = ([from, to]: [number, number], minute: number): boolean =>
    from < to ? minute >= from && minute < to : minute >= from || minute < to;
  fc.assert(
    fc.property(
      fc.array(aWindow, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('UTC', 'Asia/Kathmandu', 'America/New_York'),
      fc.integer({ min: 0, max: DAY / MINUTE - 1 }),
      (windows, timeZone, minute) => {
        const isOpenAt = (time: number): boolean => {
          const wall = (wallTime(timeZone, time) % DAY) / MINUTE;
          return windows.some((window) => isOpen(window, wall));
        };
        fc.pre(
          Array.from({ length: 48 }, (_, half) => half * 30).some(
            (half) => !windows.some((one) => isOpen(one, half)),
          ),
        );
        const named = windows.map(([from, to]) => ({ from: text(from), to: text(to), timeZone }));
        const timing = resolveTiming({ manual: true, windows: named });
        const time = Date.UTC(2024, 4, 15) + minute * MINUTE; // no change of the clocks near
        const end = deferredTo(timing, new Date(time)).getTime();
        expect(isOpenAt(end)).toBe(false);
        for (let at = time; at < end; at += 15 * MINUTE) expect(isOpenAt(at)).toBe(true);
      },
    ),
  );
});
