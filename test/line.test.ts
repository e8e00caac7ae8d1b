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
  expect(line.next()?.id).toBe('2'); // 0 and 1 have changed places with those that were taken
});

test('among others it is worth to take fewer ahead', () => {
  const line = lineOf(1, () => 0);
  expect(line.ahead).toBe(100);
  line.lost();
  expect(line.ahead).toBe(10);
  line.won();
  expect(line.ahead).toBe(100);
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

test('what is urgent comes before what waits, however wide the draw; what is deleted does not come', () => {
  const line = lineOf(2000, () => 0.99);
  for (let times = 0; times < 10; times++) line.lost();
  line.addUrgent({ id: 'first' });
  line.addUrgent({ id: '2' });
  line.addUrgent({ id: 'gone' });
  line.delete('gone');
  expect([line.next()?.id, line.next()?.id]).toEqual(['first', '2']);
  const rest = takeAll(line);
  expect(rest).toHaveLength(1999);
  expect(rest).not.toContain('2');
});

test('what is found again waits at the end', () => {
  const line = lineOf(3, () => 0);
  line.add({ id: '0' });
  expect(takeAll(line)).toEqual(['1', '2', '0']);
});

test('whatever is added, deleted and added again, what waits is taken once, and nothing else', () => {
  let seed = 7;
  const random = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const line = new Line<Item>({ random });
  const waiting = new Map<string, Item>();
  for (let step = 0; step < 50_000; step++) {
    const item = { id: String(Math.floor(random() * 300)) };
    const chance = random();
    if (chance < 0.45) {
      waiting.set(item.id, item);
      if (chance < 0.02) line.addUrgent(item);
      else line.add(item);
    } else if (chance < 0.75) {
      waiting.delete(item.id);
      line.delete(item.id);
    } else {
      const taken = line.next();
      if (taken === undefined) expect(waiting.size).toBe(0);
      else expect(waiting.get(taken.id)).toBe(taken);
      if (taken !== undefined) waiting.delete(taken.id);
      if (chance < 0.8) line.lost();
      else line.won();
    }
  }
  expect(takeAll(line).toSorted()).toEqual([...waiting.keys()].toSorted());
});
