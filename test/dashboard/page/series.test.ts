import { expect, test } from 'vitest';

import { durationData, minutesOf, throughputData } from '../../../lib/dashboard/page/overview/series.js';

const NOW = Date.parse('2026-01-31T12:00:35.000Z');

test('points of ten seconds are summed up to minutes, and those in which nothing was filed are there', () => {
  const minutes = minutesOf(
    [
      { time: '2026-01-31T11:59:50.000Z', success: 3, failure: 0 },
      { time: '2026-01-31T12:00:00.000Z', success: 5, failure: 1 },
      { time: '2026-01-31T12:00:10.000Z', success: 2, failure: 1 },
      { time: '2026-01-31T09:00:00.000Z', success: 99, failure: 99 }, // too long ago
    ],
    NOW,
  );
  expect(minutes).toHaveLength(60);
  expect(minutes.slice(-2)).toEqual([
    { at: Date.parse('2026-01-31T11:59:00Z') / 1000, success: 3, failure: 0 },
    { at: Date.parse('2026-01-31T12:00:00Z') / 1000, success: 7, failure: 2 },
  ]);
  expect(minutes.reduce((sum, { success }) => sum + success, 0)).toBe(10);
  expect(throughputData(minutes).map((values) => values.at(-1))).toEqual([NOW / 1000 - 35, 9, 2]);
});

test('a point without jobs has no duration', () => {
  const data = durationData([
    { time: '2026-01-31T12:00:00.000Z', success: 1, failure: 0, duration: { median: 5, p95: 9 } },
    { time: '2026-01-31T12:00:10.000Z', success: 0, failure: 0 },
  ]);
  expect(data.slice(1)).toEqual([
    [5, null],
    [9, null],
  ]);
});
