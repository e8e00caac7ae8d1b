import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { ConfigError } from '../../lib/errors.js';
import { parseTiming, resolveTiming, timingRecord, withOverride } from '../../lib/schedule/definition.js';
import type { ScheduleTiming } from '../../lib/schedule/definition.js';

const TIMINGS: readonly ScheduleTiming[] = [
  { manual: true },
  { every: '15m', phase: '20m', jitter: '10s' },
  { every: 90_000 },
  { cron: ' 0  7 * * MON-FRI ', timeZone: 'America/New_York', catchUp: 'all', catchUpLimit: 100 },
  { cron: '*/10 * * * * *', overlap: 'skip', catchUp: 'none' },
  {
    at: ['07:00', '19:30:15'],
    timeZone: 'Asia/Kathmandu',
    overlap: 'cancel-previous',
    windows: [
      { from: '22:00', to: '02:30' },
      { from: '12:00', to: '13:00', timeZone: 'UTC', days: ['sat', 'sun', 'sat'] },
    ],
  },
];

test('a timing is complete once it is resolved, and stays as it is', () => {
  const timing = resolveTiming({ every: '15m' });
  expect(timing).toEqual({
    when: { kind: 'every', every: 900_000, phase: 0 },
    jitter: 0,
    catchUp: 'one',
    catchUpLimit: 10,
    overlap: 'queue',
    windows: [],
  });
  expect(resolveTiming({ at: ['07:00'] }).when).toEqual({ kind: 'at', at: ['07:00'], timeZone: 'UTC' });
  expect(resolveTiming({ cron: '0 7 * * *' }).when).toMatchObject({ timeZone: 'UTC' });
  for (const part of [timing, timing.when, timing.windows]) expect(Object.isFrozen(part)).toBe(true);
});

test('what is undefined counts as not given', () => {
  expect(resolveTiming({ every: '1m', cron: undefined, timeZone: undefined, jitter: undefined })).toEqual(
    resolveTiming({ every: '1m' }),
  );
});

test('lengths of time come in milliseconds, and the phase is part of a step of the grid', () => {
  expect(resolveTiming(TIMINGS[1])).toMatchObject({
    when: { every: 900_000, phase: 300_000 },
    jitter: 10_000,
  });
  expect(resolveTiming({ every: '1.0015s', phase: '0s', jitter: 0 }).when).toEqual({
    kind: 'every',
    every: 1002,
    phase: 0,
  });
});

test('windows are in the zone of their schedule, unless they have their own', () => {
  expect(resolveTiming(TIMINGS[5]).windows).toEqual([
    { from: 79_200_000, to: 95_400_000, timeZone: 'Asia/Kathmandu', days: [0, 1, 2, 3, 4, 5, 6] },
    { from: 43_200_000, to: 46_800_000, timeZone: 'UTC', days: [6, 0] },
  ]);
  expect(resolveTiming({ manual: true, windows: [{ from: '01:00', to: '02:00' }] }).windows).toMatchObject([
    { timeZone: 'UTC' },
  ]);
});

describe('refuses, and says why:', () => {
  const window = { from: '01:00', to: '02:00' };
  test.each([
    [undefined, "expected `timing` to be an object like { every: '15m' }, got `undefined` (undefined)"],
    [[], 'got an object'],
    [{}, 'expected one of `cron`, `every`, `at` and `manual`, got none'],
    [{ cron: '0 7 * * *', every: '1m' }, 'got `cron` and `every`'],
    [{ corn: '0 7 * * *' }, 'there is no option `corn`; did you mean `cron`?'],
    [{ every: '1m', perHour: 4 }, 'there is no option `perHour`'],
    [JSON.parse('{"every":"1m","__proto__":{}}'), 'there is no option `__proto__`'],
    [{ cron: 7 }, 'got `7` (number)'],
    [{ cron: '' }, 'expected `cron`'],
    [{ cron: '7 * * *' }, 'expected `cron` to be cron of 5 or 6 fields'],
    [{ cron: '0 0 7 * * * 2027' }, 'expected `cron`'],
    [{ cron: '60 * * * *' }, 'Invalid value for minute: 60'],
    [{ cron: '0 7 * * FOO' }, 'expected `cron`'],
    [{ cron: '5/10 * * * *' }, 'expected `cron`'],
    [{ cron: '@daily' }, 'no part of cron'],
    [{ cron: '2027-01-01T00:00:00' }, 'no part of cron'],
    [{ cron: '0 7 * * 10:00' }, 'no part of cron'],
    [{ cron: `${'0,'.repeat(200)}0 7 * * *` }, 'expected `cron`'],
    [
      { cron: '0 7 * * *', timeZone: 'Mars/Olympus' },
      "the name of a time zone, like 'America/New_York', got `Mars/Ol",
    ],
    [{ cron: '0 7 * * *', timeZone: '' }, 'expected `timeZone`'],
    [{ cron: '0 7 * * *', timeZone: '+05:30' }, 'expected `timeZone`'],
    [{ cron: '0 7 * * *', phase: '1m' }, 'expected `phase` only with `every`, got it with `cron`'],
    [{ every: '1m', timeZone: 'UTC' }, 'expected `timeZone` only with `cron` and `at`, got it with `every`'],
    [{ manual: false }, 'expected `manual` to be true, or not there'],
    [{ every: 0 }, "expected `every` to be a time from '1s' on that ends, got `0` (number)"],
    [{ every: '999ms' }, 'expected `every`'],
    [{ every: Infinity }, 'expected `every`'],
    [{ every: Number.NaN }, 'expected `every`'],
    [{ every: '30d' }, 'at most 24 days'],
    [{ every: 'often' }, 'expected `every`'],
    [{ every: '1m', jitter: -1 }, 'expected `jitter`'],
    [{ every: '1m', jitter: Infinity }, 'expected `jitter`'],
    [{ every: '1m', jitter: { toString: 1, valueOf: 1 } }, 'expected `jitter`'],
    [{ every: '1m', phase: null }, 'expected `phase`'],
    [{ at: '07:00' }, "expected `at` to be a list of 1 to 100 local times, like '07:00' or '07:00:30'"],
    [{ at: [] }, 'expected `at`'],
    [{ at: ['07:00', '24:00'] }, 'got `24:00`'],
    [{ at: ['7:00'] }, 'got `7:00`'],
    [{ at: Array.from({ length: 101 }, () => '07:00') }, 'expected `at`'],
    [
      { every: '1m', catchUp: 'some' },
      "expected `catchUp` to be 'none' or 'one' or 'all', got `some` (string)",
    ],
    [{ every: '1m', catchUpLimit: 0 }, 'expected `catchUpLimit`'],
    [{ every: '1m', catchUpLimit: 10_001 }, 'expected `catchUpLimit`'],
    [{ every: '1m', overlap: true }, 'expected `overlap`'],
    [{ every: '1m', windows: window }, 'expected `windows`'],
    [{ every: '1m', windows: [null] }, 'expected `windows`'],
    [{ every: '1m', windows: [{ ...window, day: 'mon' }] }, 'there is no option `day`; did you mean `days`?'],
    [{ every: '1m', windows: [{ from: '1:00', to: '02:00' }] }, 'expected `windows.from`'],
    [{ every: '1m', windows: [{ from: '01:00' }] }, 'expected `windows.to`'],
    [{ every: '1m', windows: [{ ...window, timeZone: 'Moon' }] }, 'expected `windows.timeZone`'],
    [{ every: '1m', windows: [{ ...window, days: ['mon', 'Tuesday'] }] }, 'got `Tuesday`'],
    [{ every: '1m', windows: [{ ...window, days: [] }] }, 'expected `windows.days`'],
    [{ every: '1m', windows: [{ from: '01:00', to: '01:00' }] }, 'it would be the whole day'],
    [
      { every: '1m', windows: [window, { from: '02:00', to: '01:00' }] },
      'expected `windows` to leave some time free',
    ],
    [{ every: '1m', windows: Array.from({ length: 21 }, () => window) }, 'expected `windows`'],
  ])('%j', (timing: unknown, message) => {
    const resolve = (): unknown => resolveTiming(timing);
    expect(resolve).toThrow(ConfigError);
    expect(resolve).toThrow(message);
    expect(parseTiming(timing)).toBeUndefined();
  });
});

test('windows may take all but a minute of the week', () => {
  const windows = [
    { from: '00:00', to: '23:59' },
    { from: '23:59', to: '00:00', days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
  ];
  expect(resolveTiming({ every: '1m', windows }).windows).toHaveLength(2);
});

test('what is stored is what was given, and comes to the same again', () => {
  for (const timing of TIMINGS) {
    const record = timingRecord({ ...timing, ...{ service: 'some other option', cronus: undefined } });
    expect(record).toEqual(timing);
    expect(parseTiming(JSON.parse(JSON.stringify(record)))).toEqual(resolveTiming(timing));
  }
});

test('no record in the store does any harm', () => {
  const names = [
    'cron',
    'every',
    'at',
    'manual',
    'timeZone',
    'phase',
    'jitter',
    'catchUp',
    'windows',
    'toString',
  ];
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom('0 7 * * *', '1m', 'UTC', true, ['07:00'], 0, -1));
  const timing = resolveTiming({ every: '1m' });
  fc.assert(
    fc.property(
      fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 3 })),
      (record) => {
        const parsed = parseTiming(record);
        if (parsed !== undefined) expect(parsed).toEqual(resolveTiming(record));
        try {
          expect(withOverride(timing, record)).toMatchObject({ jitter: 0 });
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

describe('an override', () => {
  const timing = resolveTiming(TIMINGS[5]);

  test('says when, and leaves the rest', () => {
    expect(withOverride(timing, { every: '1h', phase: '5m' })).toEqual({
      ...timing,
      when: { kind: 'every', every: 3_600_000, phase: 300_000 },
    });
    expect(withOverride(timing, { at: ['08:00'] }).when).toEqual({
      kind: 'at',
      at: ['08:00'],
      timeZone: 'UTC',
    });
    expect(Object.isFrozen(withOverride(timing, { manual: true }))).toBe(true);
  });

  test.each([[undefined], [null]])('may be %s: then there is none', (override) => {
    expect(withOverride(timing, override)).toBe(timing);
  });

  test.each([
    [{}, 'got none'],
    [{ timeZone: 'UTC' }, 'got none'],
    [{ every: '1h', at: ['08:00'] }, 'got `every` and `at`'],
    [{ every: '1h', overlap: 'skip' }, 'there is no option `overlap`'],
    ['1h', 'expected `override` to be an object'],
  ])('may not be %j', (override, message) => {
    expect(() => withOverride(timing, override)).toThrow(message);
  });
});
