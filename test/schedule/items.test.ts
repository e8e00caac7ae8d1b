import { describe, expect, test } from 'vitest';

import { ConfigError } from '@oada/jobs';
import { resolveEach } from '../../lib/schedule/item-options.js';
import { countTo, eventsOf, makeService, read, startServer, TOKEN } from '../setup.js';
import type { Stored } from '../setup.js';
import { HOUR, MINUTE, PATHS } from './farm.js';
import type { Instance } from './farm.js';
import { HOURLY, isActive, LIST, PLAIN, Providers, TREE } from './providers.js';

function writes({ requested }: Instance): number {
  return requested.filter(({ method }) => method === 'put' || method === 'delete').length;
}

describe('each item of a list', () => {
  test('has a schedule, with a config made of it as it is when that is due', async () => {
    const providers = await Providers.start({ ann: { url: 'a' }, ben: { url: 'b' } });
    const { farm } = providers;
    await providers.add({
      config: ({ url }, { schedule, occurrence }) => ({ url, schedule, occurrence }),
    });
    expect(await farm.schedules.list()).toMatchObject([
      { key: 'providers.ann', group: 'providers', isRetired: false },
      { key: 'providers.ben', group: 'providers' },
    ]);
    await farm.clock.advance(30 * MINUTE);
    await providers.put({ ben: { url: 'c' } });
    expect((await farm.schedules.get('providers.ben')).nextRunAt).toEqual(new Date('2024-01-01T01:00:00Z'));
    await farm.clock.advance(30 * MINUTE);
    const configs = (await farm.pending()).map(({ config }) => config);
    const occurrence = '2024-01-01T01:00:00.000Z';
    expect(configs).toHaveLength(2);
    expect(configs).toContainEqual({ url: 'a', schedule: 'providers.ann', occurrence });
    expect(configs).toContainEqual({ url: 'c', schedule: 'providers.ben', occurrence });
  });

  test('has one job at a time', async () => {
    const providers = await Providers.start({ ann: {}, ben: {} });
    await providers.add();
    await providers.farm.clock.advance(3 * HOUR);
    expect(await providers.pending()).toEqual(['providers.ann', 'providers.ben']);
  });

  test('that comes while the service runs has one too, and one that goes has none any more', async () => {
    const providers = await Providers.start({ ann: {} });
    await providers.add();
    await providers.put({ ben: {} });
    expect(await providers.live()).toEqual(['providers.ann', 'providers.ben']);
    await providers.remove('ann');
    expect(await providers.live()).toEqual(['providers.ben']);
    await providers.farm.clock.advance(HOUR);
    expect(await providers.pending()).toEqual(['providers.ben']);
  });

  test('is in or out as `where` says of it as it is', async () => {
    const providers = await Providers.start({ ann: { active: true }, ben: { active: false } });
    await providers.add({ where: isActive });
    expect(await providers.live()).toEqual(['providers.ann']);
    await providers.put({ ann: { active: false }, ben: { active: true } });
    expect(await providers.live()).toEqual(['providers.ben']);
  });

  test('is out even if `where` says so of all', async () => {
    const providers = await Providers.start({ ann: { active: true }, ben: { active: true } });
    await providers.add({ where: isActive });
    await providers.put({ ann: { active: false }, ben: { active: false } });
    expect(await providers.live()).toEqual([]);
  });

  test('is told to `shouldRun`, which can skip it', async () => {
    const providers = await Providers.start({ ann: { ready: true }, ben: { ready: false } });
    await providers.add({ shouldRun: ({ item }) => item['ready'] === true });
    await providers.farm.clock.advance(HOUR);
    expect(await providers.pending()).toEqual(['providers.ann']);
    expect(await providers.farm.schedules.history('providers.ben')).toMatchObject([{ outcome: 'skipped' }]);
  });

  test('can be called by something of its own', async () => {
    const providers = await Providers.start({ x1: { id: 'ann' }, x2: { id: 'ann' }, x3: { id: 'ben' } });
    const { told } = await providers.add({ key: ({ id }: Stored) => id });
    expect(await providers.live()).toEqual(['providers.ann', 'providers.ben']);
    expect(eventsOf(told, 'schedule:refused')).toMatchObject([{ group: 'providers', item: 'x2' }]);
    await providers.put({ x3: { id: 'cat' } });
    expect(await providers.live()).toEqual(['providers.ann', 'providers.cat']);
    await providers.remove('x1'); // the other one of that name takes its place
    expect(await providers.live()).toEqual(['providers.ann', 'providers.cat']);
  });

  test('is followed by a schedule that is of no item', async () => {
    const providers = await Providers.start({ ann: {} });
    await providers.add({ then: ['sum'] }, { sum: { type: 'sum', manual: true } });
    await providers.farm.clock.advance(HOUR);
    await providers.farm.work();
    expect(await providers.pending()).toEqual(['sum']);
  });
});

describe('an item that goes', () => {
  test('leaves its job to run, whose end is in the history', async () => {
    const providers = await Providers.start({ ann: {}, ben: {} });
    const { farm } = providers;
    const { told } = await providers.add();
    await farm.clock.advance(HOUR);
    await providers.remove('ann');
    expect(await providers.pending()).toEqual(['providers.ann', 'providers.ben']);
    await farm.work();
    expect(eventsOf(told, 'schedule:ended').map(({ schedule }) => schedule)).toContain('providers.ann');
    expect(await farm.schedules.get('providers.ann')).toMatchObject({ isRetired: true, current: undefined });
    expect(await farm.schedules.history('providers.ann')).toMatchObject([{ outcome: 'success' }]);
  });

  test('leaves its job to run, also if the service is started anew meanwhile', async () => {
    const providers = await Providers.start({ ann: {}, ben: {} });
    const { farm } = providers;
    const first = await providers.add();
    await farm.clock.advance(HOUR);
    await providers.remove('ann');
    await first.stop();
    await providers.add();
    await farm.work();
    expect(await farm.schedules.history('providers.ann')).toMatchObject([{ outcome: 'success' }]);
  });

  test('finds its schedule as it was when it comes back: disabled, with its history', async () => {
    const providers = await Providers.start({ ann: {}, ben: {} });
    const { farm } = providers;
    await providers.add();
    await farm.clock.advance(HOUR);
    await farm.work();
    await farm.schedules.disable('providers.ann');
    await farm.schedules.override('providers.ben', { every: '2h' });
    for (const key of ['ann', 'ben']) {
      await providers.put({ other: {} });
      await providers.remove(key);
      await farm.clock.advance(5 * HOUR + MINUTE);
      await farm.work();
      await providers.put({ [key]: {} });
    }
    expect(await farm.schedules.get('providers.ann')).toMatchObject({ isRetired: false, enabled: false });
    expect(await farm.schedules.history('providers.ann')).toHaveLength(1);
    const next = new Date('2024-01-01T12:00:00Z'); // it is 11:02, and nothing is made up for
    expect(await farm.schedules.get('providers.ben')).toMatchObject({
      override: { every: '2h' },
      nextRunAt: next,
    });
    await farm.clock.advance(2 * HOUR);
    expect(await providers.pending()).toEqual(['providers.ben', 'providers.other']);
  });

  test('may be back before its job is over, and goes on after that', async () => {
    const providers = await Providers.start({ ann: {}, ben: {} });
    const { farm } = providers;
    await providers.add();
    await farm.clock.advance(HOUR);
    await providers.remove('ann');
    await providers.put({ ann: {} });
    await farm.clock.advance(HOUR);
    expect(await providers.pending()).toEqual(['providers.ann', 'providers.ben']);
    await farm.live(3 * HOUR, HOUR);
    expect(farm.occurrences('providers.ann')).toEqual(
      ['01', '03', '04'].map((hour) => `2024-01-01T${hour}:00:00.000Z`),
    );
  });

  test('may be back before anybody else has heard that it was gone', async () => {
    const providers = await Providers.start({ ann: {}, ben: {} });
    const { farm } = providers;
    for (let count = 0; count < 3; count++) await providers.add();
    for (let count = 0; count < 3; count++) {
      await farm.oada.delete({ path: `${LIST}/ann` });
      await providers.put({ ann: {} });
    }
    expect(await providers.live()).toEqual(['providers.ann', 'providers.ben']);
    await farm.clock.advance(HOUR);
    expect(await providers.pending()).toEqual(['providers.ann', 'providers.ben']);
  });
});

describe('several instances', () => {
  test('make the rows once, and run each occurrence once', async () => {
    const providers = await Providers.start({ ann: {}, ben: {} });
    const { farm } = providers;
    await Promise.all([providers.add(), providers.add(), providers.add()]);
    await providers.put({ cat: {} });
    await farm.live(6 * HOUR, HOUR);
    for (const key of ['ann', 'ben', 'cat']) {
      expect(farm.occurrences(`providers.${key}`)).toHaveLength(6);
      expect(new Set(farm.occurrences(`providers.${key}`)).size).toBe(6);
    }
    await providers.remove('ann');
    await farm.live(2 * HOUR, HOUR);
    expect(farm.occurrences('providers.ann')).toHaveLength(6);
    expect(farm.occurrences('providers.ben')).toHaveLength(8);
  });
});

test('a schedule that somebody has retired whose item is wanted goes on before long', async () => {
  const providers = await Providers.start({ ann: {}, ben: {} });
  const { farm } = providers;
  await providers.add();
  const rows: Stored = await read(farm.oada, PATHS.schedules);
  const path = `/${rows['providers.ann']._id}`;
  await farm.oada.put({ path, data: { retired: '2024-01-01T00:00:00Z' }, contentType: PLAIN });
  await providers.settle();
  expect(await providers.live()).toEqual(['providers.ben']);
  await farm.clock.advance(5 * MINUTE);
  expect(await providers.live()).toEqual(['providers.ann', 'providers.ben']);
});

test.each(Array.from({ length: 14 }, (_, index) => index + 1))(
  'an instance dies after request %i, and another one does the rest',
  async (count) => {
    const providers = await Providers.start({ ann: {}, ben: {}, cat: { active: false } });
    const { farm } = providers;
    const each = { providers: { ...HOURLY, where: ({ active }: Stored) => active !== false } };
    const first = await farm.add({}, { count, isDone: count % 2 === 0 }, each);
    await providers.settle();
    first.kill();
    await first.stop(); // so that it asks for nothing more
    await farm.add({}, undefined, each);
    await providers.settle();
    expect(await providers.live()).toEqual(['providers.ann', 'providers.ben']);
    await farm.live(2 * HOUR, HOUR);
    for (const key of ['ann', 'ben']) expect(farm.occurrences(`providers.${key}`)).toHaveLength(2);
  },
);

describe('the service starts anew', () => {
  test('without a write, and without a request for each item', async () => {
    const items = Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`p${String(index)}`, { index }]),
    );
    const providers = await Providers.start(items);
    const where = ({ index }: Stored): boolean => index >= 0;
    const first = await providers.add({ where });
    expect(await providers.live()).toHaveLength(300);
    expect(writes(first)).toBe(900); // an empty row, what fills it, and a link for each
    expect(first.requested.length).toBeLessThanOrEqual(300 * 4 + 10); // each is read twice: when made, and when told of
    await first.stop();
    const second = await providers.add({ where });
    expect(writes(second)).toBe(0);
    expect(second.requested.length).toBeLessThan(300 + 10); // a row has to be read
  });

  test('with other times, which hold at once', async () => {
    const providers = await Providers.start({ ann: {} });
    await (await providers.add()).stop();
    await providers.add({ every: '2h' });
    expect((await providers.farm.schedules.get('providers.ann')).nextRunAt).toEqual(
      new Date('2024-01-01T02:00:00Z'),
    );
  });

  test('without the list in its code: the schedules of its items go', async () => {
    const providers = await Providers.start({ ann: {} });
    await (await providers.add({}, { sum: { type: 'sum', manual: true } })).stop();
    await providers.farm.add({ sum: { type: 'sum', manual: true } });
    expect(await providers.live()).toEqual(['sum']);
  });

  test('and finds what has come and gone meanwhile', async () => {
    const providers = await Providers.start({ ann: {}, ben: {} });
    await (await providers.add()).stop();
    await providers.remove('ann');
    await providers.put({ cat: {} });
    await providers.add();
    expect(await providers.live()).toEqual(['providers.ben', 'providers.cat']);
  });
});

describe('an interval', () => {
  test('has the items spread over it, always in the same way', async () => {
    const items = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`p${String(index)}`, {}]));
    const providers = await Providers.start(items);
    await providers.add({ phase: undefined } as never);
    const times = (await providers.farm.schedules.list()).map(({ nextRunAt }) => nextRunAt!.getTime());
    const start = Date.UTC(2024, 0, 1);
    expect(times.every((time) => time > start && time <= start + HOUR)).toBe(true);
    for (let quarter = 0; quarter < 4; quarter++) {
      const from = start + quarter * 15 * MINUTE;
      expect(times.filter((time) => time > from && time <= from + 15 * MINUTE).length).toBeGreaterThan(5);
    }
    await providers.farm.clock.advance(HOUR);
    await providers.farm.work();
    const next = (await providers.farm.schedules.list()).map(({ nextRunAt }) => nextRunAt!.getTime() - HOUR);
    expect(next).toEqual(times);
  });
});

describe('what is asked for', () => {
  test.each([
    ['list', { list: 'bookmarks' }],
    ['list', { list: '/bookmarks//x' }],
    ['list', { list: '/bookmarks/../x' }],
    ['where', { where: true }],
    ['key', { key: 'id' }],
    ['shouldRun', { shouldRun: 1 }],
    ['refreshInterval', { refreshInterval: 'soon' }],
    ['type', { type: '' }],
    ['every', { every: 'often' }],
    ['lists', { lists: LIST }],
  ])('has to make sense: %s', (name, options) => {
    expect(() => resolveEach('providers', { ...HOURLY, ...options } as never)).toThrow(ConfigError);
    expect(() => resolveEach('providers', { ...HOURLY, ...options } as never)).toThrow(`\`${name}\``);
  });

  test('has to have a name, which is not the beginning of another, and be followed by what there is', async () => {
    const server = await startServer();
    const service = makeService(server);
    expect(() => service.scheduleEach('two words', HOURLY)).toThrow(ConfigError);
    service.scheduleEach('providers', HOURLY);
    expect(() => service.scheduleEach('providers.eu', HOURLY)).toThrow(ConfigError);
    service.scheduleEach('others', { ...HOURLY, then: ['nothing'] });
    await expect(service.start()).rejects.toThrow(ConfigError);
  });
});

test('a service does the jobs of the items of a list', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  await oada.ensure({ path: LIST, data: {}, tree: TREE });
  await oada.put({ path: LIST, data: { ann: { url: 'a' }, ben: { url: 'b' } }, contentType: PLAIN });
  const service = makeService(server);
  interface Provider {
    readonly url: string;
  }
  const seen: string[] = [];
  service.on<Provider>('check', '1m', ({ config }) => {
    seen.push(config.url);
  });
  service.scheduleEach<Provider>('providers', {
    ...{ list: LIST, type: 'check', manual: true },
    config: ({ url }) => ({ url }),
  });
  await service.start();
  const done = countTo(service, 'schedule:ended', 2);
  for (const { key } of await service.schedules.list()) await service.schedules.run(key);
  await done;
  expect(seen.toSorted()).toEqual(['a', 'b']);
});
