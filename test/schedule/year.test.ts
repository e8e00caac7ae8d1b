import { describe, expect, test } from 'vitest';

import { resolveTiming, timingNames } from '../../lib/schedule/definition.js';
import { occurrencesBetween } from '../../lib/schedule/occurrences.js';
import type { ScheduleOptions } from '../../lib/schedule/options.js';
import { randomFrom } from '../random.js';
import { DAY, Farm, HOUR, MINUTE } from './farm.js';
import type { Instance } from './farm.js';

const START = Date.UTC(2024, 0, 1); // a leap year
const END = Date.UTC(2025, 0, 1);
const type = 'plough';

const ALL = { type, catchUp: 'all', catchUpLimit: 10_000 } as const;
const NEW_YORK = { timeZone: 'America/New_York' } as const;

/** Each policy with each way to be due, and whatever is the oddest about it. */
const SCHEDULES: Readonly<Record<string, ScheduleOptions>> = {
  'all-nightly': { ...ALL, cron: '30 2 * * *', ...NEW_YORK },
  'all-leap-day': { ...ALL, cron: '0 0 29 2 *', timeZone: 'Pacific/Auckland' },
  'all-beat': { ...ALL, every: '41h', phase: '17m', overlap: 'cancel-previous' },
  'all-skip': { ...ALL, every: '53h', overlap: 'skip', jitter: '20m' },
  'one-beat': { type, every: '6h' },
  'one-night': { type, cron: '30 1-2 * * 0', ...NEW_YORK, overlap: 'cancel-previous' },
  'one-skip': { type, cron: '0 */8 * * 1,4', timeZone: 'Australia/Lord_Howe', overlap: 'skip' },
  'none-clock': { type, at: ['01:30', '02:30'], timeZone: 'Europe/Berlin', catchUp: 'none' },
  'none-skip': { type, every: '59h', catchUp: 'none', overlap: 'skip' },
};

/** Instances that come and go, and die where it hurts most. */
class Year {
  readonly #farm: Farm;
  readonly #random: () => number;
  /** By the request that is their last. */
  readonly #alive = new Map<Instance, number>();

  constructor(farm: Farm, random: () => number) {
    this.#farm = farm;
    this.#random = random;
  }

  async live(end: number): Promise<void> {
    await this.#add(Infinity);
    for (let time = START; time < end; time = this.#farm.clock.now().getTime()) {
      await this.#comeAndGo();
      const step = this.#step();
      await this.#farm.clock.advance(Math.min(step, end - time));
      await this.#bury();
      if (this.#isLikely(0.8))
        await this.#farm.work(this.#isLikely(0.8) ? 'success' : 'failure', this.#isLikely(0.8));
    }
    await this.#add(Infinity);
    // What is due is made up for, one after another.
    for (let idle = 0; idle < 3;) {
      await this.#farm.work();
      await this.#farm.clock.advance(idle === 0 ? 1 : MINUTE / 4); // one that died may just have begun with another
      await this.#bury();
      idle = (await this.#farm.pending()).length === 0 ? idle + 1 : 0;
    }
  }

  /** With somebody there, as much as a few jobs can be done in; with nobody, any time. */
  #step(): number {
    if (this.#alive.size === 0) return this.#random() ** 3 * 12 * DAY;
    return this.#isLikely(0.3) ? this.#random() * 2 * HOUR : this.#random() * 40 * HOUR;
  }

  async #comeAndGo(): Promise<void> {
    if (this.#alive.size < 2 && this.#isLikely(0.4))
      await this.#add(this.#isLikely(0.5) ? Infinity : Math.ceil(this.#random() * 150));
    for (const instance of this.#alive.keys()) {
      if (!this.#isLikely(0.2)) continue;
      this.#alive.delete(instance);
      if (this.#isLikely(0.5)) instance.kill();
      await instance.stop();
    }
  }

  /** What has died is nobody that time need go on for. */
  async #bury(): Promise<void> {
    for (const [instance, last] of this.#alive) {
      if (instance.requested.length < last) continue;
      this.#alive.delete(instance);
      instance.kill();
      await instance.stop();
    }
  }

  async #add(count: number): Promise<void> {
    const instance = await this.#farm.add(SCHEDULES, { count, isDone: this.#isLikely(0.5) });
    this.#alive.set(instance, count);
  }

  #isLikely(odds: number): boolean {
    return this.#random() < odds;
  }
}

/** All occurrences of the year up to now, and for each by what it is accounted for. */
async function account(farm: Farm, key: string): Promise<{ all: string[]; ran: string[]; told: string[] }> {
  const options = Object.entries(SCHEDULES[key]!);
  const timing = resolveTiming(
    Object.fromEntries(options.filter(([name]) => (timingNames as readonly string[]).includes(name))),
  );
  const all = [...occurrencesBetween(timing, new Date(START), farm.clock.now(), Infinity)].map((time) =>
    time.toISOString(),
  );
  const history = await farm.schedules.history(key, 100_000);
  const told = history.flatMap(({ occurrence, outcome, count }) => {
    if (outcome === 'success' || outcome === 'failure') return [`${occurrence} run`];
    const first = all.indexOf(occurrence);
    return all.slice(first, first + Number(count)).map((one) => `${one} passed over`);
  });
  return { all, ran: farm.occurrences(key), told: told.toSorted() };
}

describe('in a year of instances that come, go and die', () => {
  test.each([
    [1, 'July', Date.UTC(2024, 6, 1)],
    [Math.floor(Math.random() * 1e9), 'the next', END],
  ])(
    'each occurrence is run once, or is known to be passed over (seed %i, to %s)',
    async (seed, _, end) => {
      const farm = await Farm.start(4 * HOUR);
      await new Year(farm, randomFrom(seed)).live(end);
      for (const key of Object.keys(SCHEDULES)) {
        const { all, ran, told } = await account(farm, key);
        expect(ran.toSorted(), key).toEqual([...new Set(ran)].toSorted());
        const done = new Set(ran);
        const owed = all.map((one) => `${one} ${done.has(one) ? 'run' : 'passed over'}`);
        expect(told, key).toEqual(owed);
        if (key.startsWith('all-') && key !== 'all-skip') expect(ran, key).toEqual(all);
        expect(all.length, key).toBeGreaterThan(0);
        expect(await farm.schedules.get(key)).toMatchObject({ current: undefined });
      }
    },
    60_000,
  );
});

test('the clocks of New York change twice without an occurrence lost or run again', async () => {
  const farm = await Farm.start(4 * HOUR);
  const schedules = {
    nightly: { type, cron: '30 2 10,11 3 *', ...NEW_YORK },
    twice: { type, cron: '30 1 2,3 11 *', ...NEW_YORK },
  } as const;
  await farm.add(schedules);
  await farm.add(schedules);
  await farm.live(366 * DAY, 6 * HOUR + 7 * MINUTE);
  expect(farm.occurrences('nightly')).toEqual(['2024-03-10T07:00:00.000Z', '2024-03-11T06:30:00.000Z']);
  expect(farm.occurrences('twice')).toEqual(['2024-11-02T05:30:00.000Z', '2024-11-03T05:30:00.000Z']);
});
