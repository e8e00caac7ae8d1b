import { describe, expect, test } from 'vitest';

import type { ScheduleOptions } from '../../lib/schedule/options.js';
import { deferred } from '../setup.js';
import { Farm, HOUR, MINUTE } from './farm.js';
import type { Instance, LastRequest } from './farm.js';

const SCHEDULES: Readonly<Record<string, ScheduleOptions>> = {
  load: { type: 'plough', every: '1h', then: ['count'] },
  count: { type: 'count', manual: true, then: { run: ['mail'], on: 'always' } },
  mail: { type: 'mail', manual: true },
};
const [FIRST, SECOND] = ['2024-01-01T01:00:00.000Z', '2024-01-01T02:00:00.000Z'];
const CHAIN = [`after:load:${FIRST}`, `after:count:after:load:${FIRST}`] as const;

/** An occurrence with all that comes after it: due, submitted, done, settled, and the same for those that follow. */
async function liveAnHour(farm: Farm): Promise<void> {
  await farm.clock.advance(farm.clock.now().getTime() < Date.parse(FIRST) ? HOUR : MINUTE);
  for (let round = 0; round < 3; round++) {
    await farm.work();
    await farm.clock.advance(1);
  }
}

/** All of it has happened, once; and it goes on. */
async function checkOnce(farm: Farm): Promise<void> {
  const schedules = Object.keys(SCHEDULES);
  const wanted = [[FIRST], [CHAIN[0]], [CHAIN[1]]];
  expect(schedules.map((key) => farm.occurrences(key))).toEqual(wanted);
  for (const [index, key] of schedules.entries()) {
    const history = await farm.schedules.history(key);
    expect(history.map(({ occurrence, outcome }) => [occurrence, outcome])).toEqual([
      [wanted[index]![0], 'success'],
    ]);
    const state = await farm.schedules.get(key);
    expect(state).toMatchObject({ current: undefined, failures: 0, last: { outcome: 'success' } });
  }
  await farm.clock.advance(HOUR);
  await farm.work();
  expect(farm.occurrences('load')).toEqual([FIRST, SECOND]);
}

/** What was told of the end of each occurrence, by anybody. */
function ends(instances: readonly Instance[]): string[] {
  return instances.flatMap(({ told }) =>
    told.flatMap(({ name, event }) =>
      name === 'schedule:ended' && 'occurrence' in event ? [event.occurrence] : [],
    ),
  );
}

/** How many requests an instance makes while it lives through that. */
async function requestsOfAnHour(): Promise<number> {
  const farm = await Farm.start();
  const first = await farm.add(SCHEDULES);
  await first.stop();
  const second = await farm.add(SCHEDULES);
  await liveAnHour(farm);
  await checkOnce(farm);
  return second.requested.length;
}

function points(count: number): LastRequest[] {
  return Array.from({ length: count }, (_, index) => [
    { count: index + 1, isDone: false },
    { count: index + 1, isDone: true },
  ]).flat();
}

describe('an instance that dies at any of its requests', () => {
  test('leaves nothing undone or done twice, when another one comes', async () => {
    const count = await requestsOfAnHour();
    expect(count).toBeGreaterThan(20);
    for (const point of points(count)) {
      const farm = await Farm.start();
      const first = await farm.add(SCHEDULES);
      await first.stop();
      const victim = await farm.add(SCHEDULES, point);
      await liveAnHour(farm);
      victim.kill();
      await victim.stop();
      const heir = await farm.add(SCHEDULES);
      for (let round = 0; round < 2; round++) await liveAnHour(farm);
      try {
        await checkOnce(farm);
        expect(ends([heir]).length).toBe(new Set(ends([heir])).size);
      } catch (error) {
        throw new Error(`at ${JSON.stringify(point)}`, { cause: error });
      }
      await heir.stop();
    }
  }, 60_000);

  test('from the very first start of a service leaves rows that are whole', async () => {
    for (const point of points(20)) {
      const farm = await Farm.start();
      const victim = await farm.add(SCHEDULES, point);
      victim.kill();
      await victim.stop();
      const heir = await farm.add(SCHEDULES);
      await liveAnHour(farm);
      await checkOnce(farm);
      await heir.stop();
    }
  }, 30_000);
});

describe('of two instances that live, one may be held up at any of its requests', () => {
  test.each([
    ['before', false],
    ['after', true],
  ])(
    '%s it is done, for as long as the other one takes',
    async (_, isDone) => {
      const count = await requestsOfAnHour();
      for (let request = 1; request <= count; request++) {
        const farm = await Farm.start();
        const first = await farm.add(SCHEDULES);
        await first.stop();
        const release = deferred();
        const adding = farm.add(SCHEDULES, { count: request, isDone, until: release.promise });
        const other = await farm.add(SCHEDULES);
        await farm.clock.idle();
        await liveAnHour(farm);
        release.resolve();
        const slow = await adding;
        await farm.clock.idle();
        await liveAnHour(farm);
        try {
          await checkOnce(farm);
          // Each end was told by one of them.
          const told = ends([slow, other]);
          expect(told.toSorted()).toEqual([...new Set(told)].toSorted());
        } catch (error) {
          throw new Error(`at request ${String(request)}`, { cause: error });
        }
        await slow.stop();
        await other.stop();
      }
    },
    60_000,
  );
});
