import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { resolveTiming } from '../../lib/schedule/definition.js';
import { parseRow } from '../../lib/schedule/row.js';
import { nextStep } from '../../lib/schedule/step.js';
import { root } from './program.js';

const text = readFileSync(join(root, 'docs/learning/how-jobs-work.md'), 'utf8');
const MINUTE = 60_000;
const START = Date.UTC(2024, 0, 1);
const VIEW = { isHeld: false, rescheduledAt: undefined, isPaused: () => false };

/** When the runs of a schedule begin that is due every 15 minutes, with a job that takes 20, and how many are left out. */
function live(overlap: string, catchUp: string, minutes: number): { begins: string[]; leftOut: number } {
  const timing = resolveTiming({ every: '15m', overlap, catchUp });
  const begins: string[] = [];
  let leftOut = 0;
  let nextRunAt: Date | undefined;
  let current: object | null = null;
  let began = 0;
  for (let minute = 0; minute <= minutes; minute++) {
    const now = new Date(START + minute * MINUTE);
    if (current !== null && minute - began >= 20) current = null;
    for (let isOver = false; !isOver;) {
      const data = { nextRunAt: nextRunAt?.toISOString() ?? null, current } as never;
      const row = parseRow('often', 'resources/a', { data, rev: 1, etag: '' });
      const step = nextStep(row, 'plough', timing, { ...VIEW, now });
      if (step.kind === 'rest') isOver = true;
      else if (step.kind === 'cancel' || step.kind === 'drop') current = null;
      else {
        leftOut += step.missed;
        nextRunAt = step.next;
        if (step.kind !== 'start') continue;
        const since = now.toISOString();
        begins.push(since.slice('2024-01-01T'.length, '2024-01-01T00:00'.length));
        current = { occurrence: since, job: { _id: 'resources/b' }, key: 'b', since };
        began = minute;
      }
    }
  }
  return { begins, leftOut };
}

describe('what is said of a schedule whose job takes longer than its interval', () => {
  const rows = [
    ...text.matchAll(/^\| `'([\w-]+)'`[^|]*\| (?:`'(\w+)'`|(any))[^|]*\| (\d\d:\d\d, [^|…]+), …/gm),
  ];

  it('is there for each policy', () => {
    expect(rows).toHaveLength(5);
  });

  it.each(rows.map(([, overlap = '', catchUp, , begins = '']) => ({ overlap, catchUp, begins })))(
    'holds: $overlap, $catchUp',
    ({ overlap, catchUp, begins }) => {
      const expected = begins.trim().split(', ');
      for (const one of catchUp === undefined ? ['none', 'one', 'all'] : [catchUp]) {
        expect(live(overlap, one, 240).begins.slice(0, expected.length)).toEqual(expected);
      }
    },
  );

  it.each([
    ['queue', 'one', 1 / 4],
    ['queue', 'none', 1 / 2],
    ['skip', 'one', 1 / 2],
    ['cancel-previous', 'one', 0],
  ])('leaves out what it says: %s, %s', (overlap, catchUp, share) => {
    const { leftOut } = live(overlap, catchUp, 100 * 60);
    expect(leftOut / 400).toBeCloseTo(share, 1);
  });

  it('makes all up until ten wait, with catchUp all', () => {
    expect(live('queue', 'all', 10 * 60).leftOut).toBe(0);
    expect(live('queue', 'all', 100 * 60).leftOut).toBeGreaterThan(50);
  });
});
