import { expect, test } from 'vitest';

import { Line } from '../lib/line.js';

interface Item {
  readonly id: string;
}

function lineOf(count: number, random: () => number): Line<Item> {
  const line = new Line<Item>({ random });
  for (let index = 0; index < count; index++) line.add({ id: String(index) });
  return line;
}

function takeAll(line: Line<Item>): string[] {
  const taken: string[] = [];
  for (let item = line.next(); item !== undefined; item = line.next()) taken.push(item.id);
  return taken;
}

test('alone, an instance takes what came first first', () => {
  expect(takeAll(lineOf(4, () => 0.99))).toEqual(['0', '1', '2', '3']);
});

test('the more often others are faster, the further from the front it takes, and comes back when they are not', () => {
  const line = lineOf(100, () => 0.99);
  for (let times = 0; times < 4; times++) line.lost();
  expect(line.next()?.id).toBe('15');
  for (let times = 0; times < 40; times++) line.lost();
  expect(line.next()?.id).toBe('99');
  for (let times = 0; times < 1000; times++) line.won();
  expect(line.next()?.id).toBe('0');
});

test('each is taken once, wherever it is taken from', () => {
  let seed = 1;
  const line = lineOf(500, () => (seed = (seed * 16807) % 2147483647) / 2147483647);
  for (let times = 0; times < 6; times++) line.lost();
  const taken = takeAll(line);
  expect(new Set(taken).size).toBe(500);
  expect(taken).toHaveLength(500);
  expect(line.next()).toBeUndefined();
});

test('what is put in front comes before what waits, and what is deleted does not come', () => {
  const line = lineOf(3, () => 0);
  line.inFront(() => {
    line.add({ id: 'first' });
    line.add({ id: '2' });
  });
  line.delete('0');
  expect(takeAll(line)).toEqual(['first', '2', '1']);
});
