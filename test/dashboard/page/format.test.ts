import { expect, test } from 'vitest';

import {
  absolute,
  count,
  counted,
  duration,
  ownerOf,
  relative,
  shareOf,
  userName,
} from '../../../lib/dashboard/page/format.js';

test.each([
  [0, '0 ms'],
  [820, '820 ms'],
  [3449, '3.4 s'],
  [9999, '9.9 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [125_000, '2 min 5 s'],
  [12_000_000, '3 h 20 min'],
  [90_000_000, '1 d 1 h'],
])('%d ms are told as %s', (milliseconds, text) => {
  expect(duration(milliseconds)).toBe(text);
});

test.each([
  [-12_000, '12 s ago'],
  [-90_000, '1 min ago'],
  [-86_400_000, '1 day ago'],
  [-200_000_000, '2 days ago'],
  [0, 'now'],
  [2000, 'now'], // the clock of another machine
  [180_000, 'in 3 min'],
  [7_300_000, 'in 2 h'],
])('what is %d ms away is %s', (distance, text) => {
  expect(relative(1e12 + distance, 1e12)).toBe(text);
});

test('numbers have separators, and nouns follow them', () => {
  expect([
    count(1_234_567),
    counted(1, 'job'),
    counted(12_000, 'job'),
    counted(2, 'child', 'children'),
  ]).toEqual(['1,234,567', '1 job', '12,000 jobs', '2 children']);
});

test('what is no time is told as it stands', () => {
  expect([absolute('2026-01-31T07:00:12.345Z'), absolute('soon')]).toEqual([
    '2026-01-31 07:00:12 UTC',
    'soon',
  ]);
});

test('nobody knows how much is done of nobody knows what', () => {
  expect([shareOf({ done: 3 }), shareOf({ done: 3, total: 0 }), shareOf({ done: 5, total: 4 })]).toEqual([
    undefined,
    undefined,
    1,
  ]);
});

test('an owner is taken by its name or by its path', () => {
  expect(['sam', ' sam ', 'users/sam', '', 'users/'].map(ownerOf)).toEqual([
    ...['users/sam', 'users/sam', 'users/sam'],
    ...['', ''],
  ]);
  expect(userName(ownerOf('sam'))).toBe('sam');
});
