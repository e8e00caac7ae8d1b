import { describe, expect, test } from 'vitest';

import { ConfigError } from '../../lib/errors.js';
import type { Json } from '../../lib/json.js';
import { eventsOf, read } from '../setup.js';
import { DAY, Farm, HOUR, MINUTE, PATHS } from './farm.js';

const HOURLY = { type: 'plough', every: '1h' } as const;
const DAILY = { type: 'plough', at: ['07:00'], timeZone: 'America/New_York' } as const;
const contentType = 'application/json';

function at(time: string): string {
  return `2024-01-01T${time}:00.000Z`;
}

/** What somebody writes into a row, past the library. */
async function putRow(farm: Farm, key: string, data: Json): Promise<void> {
  await farm.oada.put({ path: `${PATHS.schedules}/${key}`, data: data, contentType });
  await farm.clock.idle();
}

/** The switches of the controls reach the instances by the queue; here by hand. */
async function tellSwitches(farm: Farm): Promise<void> {
  const { parseSwitches, viewOf } = await import('../../lib/schedule/switches.js');
  const controls = await read(farm.oada, PATHS.controls);
  for (const { scheduler } of farm.instances) scheduler.see(viewOf(parseSwitches(controls.schedules)));
  await farm.clock.idle();
}

describe('times that an operator has set', () => {
  test('hold at once, and also after a new version of the code, until they are taken back', async () => {
    const farm = await Farm.start();
    const first = await farm.add({ job: DAILY });
    await farm.schedules.override('job', { every: '15m' });
    await farm.clock.advance(16 * MINUTE);
    await farm.work();
    expect(farm.occurrences('job')).toEqual([at('00:15')]);
    await first.stop();
    await farm.add({ job: { type: 'plough', every: '1d' } });
    await farm.clock.advance(15 * MINUTE);
    await farm.work();
    expect(farm.occurrences('job')).toEqual([at('00:15'), at('00:30')]);
    expect(await farm.schedules.get('job')).toMatchObject({
      timing: { every: '1d' },
      override: { every: '15m' },
    });
    await farm.schedules.override('job', undefined);
    expect(await farm.schedules.get('job')).toMatchObject({
      override: undefined,
      nextRunAt: new Date('2024-01-02'),
    });
    await farm.clock.advance(12 * HOUR);
    expect(await farm.pending()).toEqual([]);
    await farm.clock.advance(12 * HOUR);
    expect(await farm.pending()).toMatchObject([{ occurrence: '2024-01-02T00:00:00.000Z' }]);
  });

  test('are replaced, not mixed, by others', async () => {
    const farm = await Farm.start();
    await farm.add({ job: HOURLY });
    await farm.schedules.override('job', { cron: '0 5 * * *', timeZone: 'Europe/Berlin' });
    expect(await farm.schedules.get('job')).toMatchObject({ nextRunAt: new Date(at('04:00')) });
    await farm.schedules.override('job', { every: '20m', phase: '5m' });
    const state = await farm.schedules.get('job');
    expect(state.override).toEqual({ every: '20m', phase: '5m' });
    expect(state.nextRunAt).toEqual(new Date(at('00:05')));
    await farm.clock.advance(5 * MINUTE);
    expect(await farm.pending()).toMatchObject([{ occurrence: at('00:05') }]);
    expect(await farm.schedules.preview('job', 2)).toEqual([new Date(at('00:25')), new Date(at('00:45'))]);
    await farm.schedules.override('job', { manual: true });
    expect(await farm.schedules.preview('job')).toEqual([]);
    expect((await farm.schedules.get('job')).nextRunAt).toBeUndefined();
  });

  test.each([
    { every: '1h', cron: '* * * * *' },
    { every: '1ms' },
    { cron: 'now' },
    { overlap: 'skip' },
    {},
    'often',
  ])('are refused if they are none: %j', async (timing) => {
    const farm = await Farm.start();
    await farm.add({ job: HOURLY });
    await expect(farm.schedules.override('job', timing as never)).rejects.toThrow(ConfigError);
    expect((await farm.schedules.get('job')).override).toBeUndefined();
  });
});

describe('a schedule that is disabled', () => {
  test.each([
    ['run', [at('03:00')]],
    ['reschedule', []],
  ] as const)('is not run, and when it is enabled again, with %s', async (due, ran) => {
    const farm = await Farm.start();
    await farm.add({ job: HOURLY });
    await farm.schedules.disable('job');
    await farm.live(3 * HOUR + MINUTE, HOUR);
    expect(farm.runs).toEqual([]);
    expect((await farm.schedules.get('job')).enabled).toBe(false);
    await farm.schedules.enable('job', due);
    await farm.work();
    expect(farm.occurrences('job')).toEqual(ran);
    await farm.live(HOUR, HOUR);
    expect(farm.occurrences('job')).toEqual([...ran, at('04:00')]);
  });

  test('is run when it is asked for all the same', async () => {
    const farm = await Farm.start();
    await farm.add({ job: HOURLY });
    await farm.schedules.disable('job');
    await farm.schedules.run('job');
    await farm.work();
    expect(farm.occurrences('job')).toEqual([expect.stringMatching(/^asked:/)]);
    expect(await farm.schedules.history('job')).toMatchObject([{ outcome: 'success' }]);
  });
});

describe('a run that is asked for', () => {
  test('waits for the job that is not over, and takes no occurrence away', async () => {
    const farm = await Farm.start();
    await farm.add({ job: HOURLY });
    await farm.clock.advance(HOUR);
    await farm.schedules.run('job');
    await farm.clock.idle();
    expect(await farm.pending()).toHaveLength(1);
    await farm.work();
    await farm.work();
    await farm.live(HOUR, HOUR);
    expect(farm.occurrences('job')).toEqual([at('01:00'), expect.stringMatching(/^asked:/), at('02:00')]);
    expect(await farm.schedules.history('job')).toHaveLength(3);
  });

  test('twice before it began is one run, and twice after that are two', async () => {
    const farm = await Farm.start();
    await farm.add({ job: HOURLY });
    await farm.clock.advance(HOUR);
    await farm.schedules.run('job');
    await farm.schedules.run('job');
    for (let round = 0; round < 3; round++) await farm.work();
    expect(farm.runs).toHaveLength(2);
    await farm.schedules.run('job');
    await farm.clock.idle();
    await farm.schedules.run('job');
    for (let round = 0; round < 3; round++) await farm.work();
    expect(farm.runs).toHaveLength(4);
    expect(await farm.schedules.history('job')).toHaveLength(4);
  });

  test.each(Array.from({ length: 9 }, (_, index) => index + 1))(
    'while another is being submitted leaves both in the history (held up at request %i)',
    async (count) => {
      const farm = await Farm.start();
      const first = await farm.add({ job: HOURLY });
      await first.stop();
      let release: () => void = () => undefined;
      const until = new Promise<void>((resolve) => {
        release = resolve;
      });
      const idle = await farm.add({ job: HOURLY });
      const start = idle.requested.length;
      await idle.stop();
      await farm.add({ job: HOURLY }, { count: start + count, isDone: false, until });
      await farm.clock.advance(HOUR);
      await farm.schedules.run('job');
      await farm.schedules.disable('job');
      release();
      for (let round = 0; round < 4; round++) {
        await farm.clock.idle();
        await farm.work();
      }
      const told = await farm.schedules.history('job');
      expect(told.map(({ occurrence }) => occurrence).toSorted()).toEqual(farm.occurrences('job').toSorted());
    },
  );
});

describe('all schedules held', () => {
  test.each([
    ['run', [at('03:00'), at('04:00')]],
    ['reschedule', [at('04:00')]],
  ] as const)('are not run, and go on with %s', async (due, ran) => {
    const farm = await Farm.start();
    const instance = await farm.add({ job: HOURLY });
    await farm.schedules.hold();
    expect(await farm.schedules.heldSince()).toEqual(new Date(at('00:00')));
    await tellSwitches(farm);
    await farm.schedules.run('job');
    await farm.live(3 * HOUR + MINUTE, HOUR);
    expect(farm.runs).toEqual([]);
    await farm.schedules.release(due);
    expect(await farm.schedules.heldSince()).toBeUndefined();
    await tellSwitches(farm);
    await farm.work();
    await farm.work();
    await farm.live(HOUR, HOUR);
    expect(farm.occurrences('job')).toEqual([expect.stringMatching(/^asked:/), ...ran]);
    const passed = eventsOf(instance.told, 'schedule:skipped');
    expect(passed).toMatchObject([
      due === 'run' ? { reason: 'missed', count: 2 } : { reason: 'rescheduled', count: 3 },
    ]);
  });

  test('go on by nonsense as they were, but for what is to hold them, however it is put', async () => {
    const farm = await Farm.start();
    await farm.add({ job: HOURLY });
    for (const schedules of [
      'held',
      { pausedTypes: ['plough'] },
      { rescheduledAt: '9999-01-01T00:00:00Z', pausedTypes: { plough: 'yes' } },
      { hold: 'till Monday' },
    ]) {
      await farm.schedules.resumeType('hay');
      await farm.oada.put({ path: PATHS.controls, data: { schedules }, contentType });
      await tellSwitches(farm);
      await farm.live(HOUR, HOUR);
    }
    expect(farm.occurrences('job')).toEqual([at('01:00'), at('02:00'), at('03:00')]);
  });
});

test('schedules of a type that is paused are not run, and others are', async () => {
  const farm = await Farm.start();
  await farm.add({ job: HOURLY, other: { type: 'mow', every: '1h' } });
  await farm.schedules.pauseType('plough');
  expect(await farm.schedules.pausedTypes()).toEqual(['plough']);
  await tellSwitches(farm);
  await farm.live(2 * HOUR, HOUR);
  expect([farm.occurrences('job').length, farm.occurrences('other').length]).toEqual([0, 2]);
  await farm.schedules.resumeType('plough');
  expect(await farm.schedules.pausedTypes()).toEqual([]);
  await tellSwitches(farm);
  await farm.work();
  expect(farm.occurrences('job')).toEqual([at('02:00')]);
});

describe('the history', () => {
  test('goes on from month to month, the latest first, and as far as it is asked for', async () => {
    const farm = await Farm.start(DAY);
    await farm.add({ job: { type: 'plough', every: '10d', phase: '1h' } });
    await farm.live(95 * DAY, 5 * DAY);
    const all = await farm.schedules.history('job');
    const occurrences = all.map(({ occurrence }) => occurrence);
    expect(occurrences).toHaveLength(9);
    expect(occurrences).toEqual(occurrences.toSorted().toReversed());
    expect(await farm.schedules.history('job', 4)).toEqual(all.slice(0, 4));
    for (const limit of [0, -1, Number.NaN, 1.5])
      await expect(farm.schedules.history('job', limit)).rejects.toThrow(ConfigError);
  });

  test('is still there when a month of it is deleted, or is nonsense', async () => {
    const farm = await Farm.start(DAY);
    await farm.add({ job: { type: 'plough', every: '20d' } });
    await farm.live(70 * DAY, 5 * DAY);
    const all = await farm.schedules.history('job');
    const months: Record<string, { _id: string }> = (await read(farm.oada, `${PATHS.schedules}/job`)).history;
    const [first, second] = Object.keys(months);
    await farm.oada.delete({ path: `/${months[first!]!._id}` });
    const data = { x: 5, y: { occurrence: 7 }, z: { occurrence: 'other' }, __proto__x: null };
    await farm.oada.put({ path: `/${months[second!]!._id}`, data, contentType });
    const left = await farm.schedules.history('job');
    expect(left).toEqual(all.filter(({ ended }) => !JSON.stringify(ended).startsWith(`"${first!}`)));
    expect(left.length).toBeLessThan(all.length);
  });

  test.each(['never', '+275760-09-13T00:00:00.000Z', 5, null])(
    'takes what a job says of its end as it is: %j',
    async (time) => {
      const farm = await Farm.start();
      const instance = await farm.add({ job: HOURLY });
      await farm.clock.advance(HOUR);
      const [pending] = await farm.pending();
      const updates = { a: { status: 'started', time }, b: { status: 'failure', time } };
      const data = {
        status: 'failure',
        failureType: 'x'.repeat(100_000),
        updates,
        result: { message: 'y'.repeat(100_000) },
      };
      await farm.oada.put({ path: `/${pending!.jobId}`, data, contentType });
      await farm.clock.advance(10 * MINUTE);
      expect(await farm.schedules.history('job')).toMatchObject([{ outcome: 'failure', ended: at('01:10') }]);
      expect(JSON.stringify(await farm.schedules.history('job')).length).toBeLessThan(2000);
      expect(eventsOf(instance.told, 'schedule:delayed')).toEqual([]);
    },
  );
});

describe('the code', () => {
  test('that declares other times has them hold from its start', async () => {
    const farm = await Farm.start();
    const first = await farm.add({ job: { ...DAILY, windows: [{ from: '01:00', to: '02:00' }] } });
    await first.stop();
    await farm.add({ job: { type: 'mow', every: '15m', then: ['next'] }, next: { type: 'x', manual: true } });
    const state = await farm.schedules.get('job');
    expect(state).toMatchObject({ type: 'mow', nextRunAt: new Date(at('00:15')) });
    expect(state.timing).toEqual({ every: '15m' });
    expect(await farm.schedules.preview('job', 1)).toEqual([new Date(at('00:15'))]);
    const third = await farm.add({ job: { type: 'mow', every: '15m' }, next: { type: 'x', manual: true } });
    const again = await farm.add({ job: { type: 'mow', every: '15m' }, next: { type: 'x', manual: true } });
    expect(again.requested.filter(({ method }) => method === 'put')).toEqual([]);
    await third.stop();
  });

  test('that has a schedule no more retires it, and its history stays for when it comes back', async () => {
    const farm = await Farm.start();
    const first = await farm.add({ job: HOURLY, other: HOURLY });
    await farm.live(HOUR, HOUR);
    await first.stop();
    const second = await farm.add({ other: HOURLY });
    expect(await farm.schedules.get('job')).toMatchObject({ isRetired: true });
    await expect(farm.schedules.run('job')).rejects.toThrow(ConfigError);
    await putRow(farm, 'job', { request: { id: 'asked:old', time: at('00:00') } });
    await farm.live(3 * HOUR, HOUR);
    expect(farm.occurrences('job')).toEqual([at('01:00')]);
    expect(await farm.schedules.history('job')).toHaveLength(1);
    await second.stop();
    await farm.add({ job: HOURLY, other: HOURLY });
    await farm.live(HOUR, HOUR);
    expect(farm.occurrences('job')).toEqual([at('01:00'), at('05:00')]);
    expect(await farm.schedules.history('job')).toHaveLength(2);
  });

  test('that declares none retires nobody', async () => {
    const farm = await Farm.start();
    await farm.add({ job: HOURLY });
    await farm.add({});
    expect(await farm.schedules.get('job')).toMatchObject({ isRetired: false });
  });
});

test('a schedule that is not there is an error, and a service without any has none', async () => {
  const farm = await Farm.start();
  expect(await farm.schedules.list()).toEqual([]);
  expect(await farm.schedules.heldSince()).toBeUndefined();
  await farm.add({ job: HOURLY });
  for (const key of ['nobody', '', '../job', 'job/timing', '_id', '__proto__', '5', 'a b']) {
    for (const ask of ['get', 'run', 'disable', 'enable', 'reset', 'preview', 'history'] as const)
      await expect(farm.schedules[ask](key), `${ask} ${key}`).rejects.toThrow(ConfigError);
    await expect(farm.schedules.override(key, { every: '1h' })).rejects.toThrow(ConfigError);
  }
  await expect(farm.schedules.preview('job', 1e9)).rejects.toThrow(ConfigError);
  await expect(farm.schedules.enable('job', 'reshedule' as never)).rejects.toThrow(ConfigError);
  await expect(farm.schedules.release(undefined as never)).rejects.toThrow(ConfigError);
  for (const type of ['_id', '', 5]) await expect(farm.schedules.pauseType(type as never)).rejects.toThrow();
});

describe('whatever others write into a row, it goes on', () => {
  const hostile: readonly (readonly [string, Json])[] = [
    ['wrong types', { nextRunAt: 5, enabled: 'no', failures: 'many', retired: 5, held: 5, last: 'x' }],
    ['huge counts', { failures: 1e308, thrown: -1 }],
    ['a time that is none', { nextRunAt: 'soon' }],
    ['a year far ahead', { nextRunAt: '+200000-01-01T00:00:00.000Z' }],
    ['times that are none', { override: { cron: 'x' }, timing: { every: -1 } }],
    ['times of two kinds', { override: { cron: '* * * * *', every: '1s' } }],
    ['an override that is text', { override: 'x'.repeat(50_000) }],
    ['an override of many names', { override: { ['y'.repeat(500)]: 1, manual: null } }],
    ['a request that is none', { request: { id: 5, time: 'x' } }],
    ['a request for the prototype', { request: { id: '__proto__', time: at('00:00') } }],
    ['a request of digits', { request: { id: '0', time: at('00:00') } }],
    ['a request that is the id', { request: { id: '_id', time: at('00:00') } }],
    ['a request with slashes', { request: { id: 'a/../b', time: at('00:00') } }],
    ['a request that is long', { request: { id: 'z'.repeat(100_000), time: at('00:00') } }],
    ['a run that is none', { current: { occurrence: 'x', job: { _id: 'bookmarks' }, key: 'x', since: 'y' } }],
    [
      'a run of its own',
      { current: { occurrence: '_id', job: { _id: 'resources/x' }, key: 'x', since: at('00:00') } },
    ],
    ['no history', { history: 'none', passed: { occurrence: '_id', outcome: 'missed', ended: 'x' } }],
  ];
  test.each(hostile)('%s', async (_, data) => {
    const farm = await Farm.start();
    const first = await farm.add({ job: HOURLY });
    await putRow(farm, 'job', data);
    await farm.live(2 * HOUR, HOUR);
    await first.stop();
    await farm.add({ job: HOURLY });
    await farm.live(2 * HOUR, HOUR);
    expect(farm.occurrences('job')).toEqual(['01:00', '02:00', '03:00', '04:00'].map(at));
    expect(await farm.schedules.history('job')).toHaveLength(4);
    expect((await read(farm.oada, `${PATHS.schedules}/job`))._id).toMatch(/^resources\//);
  });

  test('a run whose job is somebody else’s is over when that is', async () => {
    const farm = await Farm.start();
    await farm.add({ job: HOURLY });
    const current = { occurrence: 'x', job: { _id: 'resources/nobody' }, key: 'x', since: at('00:00') };
    await putRow(farm, 'job', { current });
    await farm.live(2 * HOUR, HOUR);
    expect(farm.occurrences('job')).toEqual([at('01:00'), at('02:00')]);
  });
});

describe('a row that is taken away', () => {
  test('with its link is made anew', async () => {
    const farm = await Farm.start();
    await farm.add({ job: HOURLY });
    await farm.live(HOUR, HOUR);
    await farm.oada.delete({ path: `${PATHS.schedules}/job` });
    await farm.live(2 * HOUR, HOUR);
    expect(farm.occurrences('job')).toEqual(['01:00', '02:00', '03:00'].map(at));
    expect(await farm.schedules.list()).toHaveLength(1);
  });

  test('and its link left, is made anew', async () => {
    const farm = await Farm.start();
    const instance = await farm.add({ job: HOURLY });
    const id: string = (await read(farm.oada, `${PATHS.schedules}/job`))._id;
    await farm.oada.delete({ path: `/${id}` });
    await farm.live(3 * HOUR, HOUR);
    expect(farm.occurrences('job').length).toBeGreaterThanOrEqual(2);
    expect(await farm.schedules.get('job')).toMatchObject({ type: 'plough', timing: { every: '1h' } });
    expect(instance.requested.length).toBeLessThan(150);
  });

  test('while the process was away', async () => {
    const farm = await Farm.start();
    const first = await farm.add({ job: HOURLY });
    await first.stop();
    const id: string = (await read(farm.oada, `${PATHS.schedules}/job`))._id;
    await farm.oada.delete({ path: `/${id}` });
    expect(await farm.schedules.list()).toEqual([]);
    await expect(farm.schedules.get('job')).rejects.toThrow(ConfigError);
    await farm.add({ job: HOURLY });
    await farm.live(HOUR, HOUR);
    expect(farm.occurrences('job')).toEqual([at('01:00')]);
  });
});

test.each([{ _id: 5 }, 'text', { inline: true }, { _id: 'bookmarks/x' }, null])(
  'an entry of the list that is no link to a row harms nobody: %j',
  async (entry) => {
    const farm = await Farm.start();
    const first = await farm.add({ other: HOURLY });
    await first.stop();
    const data = { job: entry, stranger: entry };
    await farm.oada.put({ path: PATHS.schedules, data: data, contentType });
    await farm.add({ job: HOURLY, other: HOURLY });
    await farm.live(HOUR, HOUR);
    expect(farm.occurrences('job')).toEqual([at('01:00')]);
    expect(farm.occurrences('other')).toEqual([at('01:00')]);
    expect((await farm.schedules.list()).map(({ key }) => key)).toEqual(['job', 'other']);
  },
);

test('a schedule that is held is not made to go on by the code, and is by an operator', async () => {
  const farm = await Farm.start();
  let isBroken = true;
  const job = {
    ...HOURLY,
    config: () => {
      if (isBroken) throw new Error('no database');
      return {};
    },
  };
  const first = await farm.add({ job });
  await farm.live(5 * HOUR, HOUR);
  await first.stop();
  isBroken = false;
  await farm.add({ job });
  await farm.live(HOUR, HOUR);
  expect(farm.runs).toEqual([]);
  await farm.schedules.reset('job');
  await farm.work();
  expect(farm.occurrences('job')).toEqual([at('06:00')]);
  expect(await farm.schedules.get('job')).toMatchObject({ failures: 0, heldBecause: undefined });
});
