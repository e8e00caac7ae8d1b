import { expect, test } from 'vitest';

import { parseSwitches, viewOf } from '../../lib/schedule/switches.js';

const EPOCH = '1970-01-01T00:00:00.000Z';

test.each([
  [undefined, undefined],
  [null, undefined],
  [false, undefined],
  ['2026-02-01T08:30:00.000Z', '2026-02-01T08:30:00.000Z'],
  ['2026-02-01', '2026-02-01T00:00:00.000Z'],
  ['since this morning', EPOCH],
  ['2026-13-01T00:00:00.000Z', EPOCH],
  ['5', EPOCH],
  [true, EPOCH],
])('with %j written as hold, all schedules are held since %s', (hold, since) => {
  const switches = parseSwitches({ ...(hold !== undefined && { hold }) });
  expect(switches.heldSince?.toISOString()).toBe(since);
  expect(viewOf(switches).isHeld).toBe(since !== undefined);
});

test('a day is its beginning, in UTC; what is no time reschedules nothing', () => {
  expect(parseSwitches({ rescheduledAt: '2026-02-01' }).rescheduledAt).toEqual(new Date('2026-02-01'));
  expect(parseSwitches({ rescheduledAt: 'today' }).rescheduledAt).toBeUndefined();
});
