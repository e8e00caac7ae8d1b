import { describe, expect, onTestFinished, test } from 'vitest';

import { systemClock } from '../../lib/clock.js';
import { StoreError } from '../../lib/errors.js';
import { openStore } from '../../lib/oada/store.js';
import type { Store, StoredDocument } from '../../lib/oada/store.js';
import { ItemList } from '../../lib/schedule/item-list.js';
import { eventsOf, read } from '../setup.js';
import type { Stored } from '../setup.js';
import { HOUR, MINUTE } from './farm.js';
import { isActive, LIST, PLAIN, Providers } from './providers.js';

describe('a list that is found empty', () => {
  test('has no schedule retired, and that is told of; they go on', async () => {
    const providers = await Providers.start({ ann: { url: 'a' }, ben: { url: 'b' } });
    const { farm } = providers;
    const { told } = await providers.add({ config: ({ url }) => ({ url }) });
    const _id = await providers.resource({});
    await farm.oada.delete({ path: LIST });
    await farm.oada.put({ path: '/bookmarks', data: { providers: { _id, _rev: 0 } }, contentType: PLAIN });
    await farm.clock.advance(20 * MINUTE);
    expect(eventsOf(told, 'schedule:kept')).toEqual([{ group: 'providers', list: LIST, count: 2 }]);
    await farm.clock.advance(40 * MINUTE);
    expect((await farm.pending()).map(({ config }) => config.url).toSorted()).toEqual(['a', 'b']);
    await providers.put({ cat: {} });
    expect(await providers.live()).toEqual(['providers.cat']);
  });

  test('has none retired when the service starts; what needs the item waits for it', async () => {
    const providers = await Providers.start({ ann: { url: 'a' }, ben: { url: 'b' } });
    const { farm } = providers;
    await (await providers.add({ config: ({ url }) => ({ url }) })).stop();
    for (const key of ['ann', 'ben']) await providers.remove(key);
    const { told } = await providers.add({ config: ({ url }) => ({ url }) });
    expect(eventsOf(told, 'schedule:kept')).toMatchObject([{ count: 2 }]);
    await farm.clock.advance(2 * HOUR);
    expect(await providers.pending()).toEqual([]);
    expect(await providers.live()).toEqual(['providers.ann', 'providers.ben']);
    await providers.put({ ann: { url: 'c' } });
    expect(await farm.pending()).toMatchObject([{ schedule: 'providers.ann', config: { url: 'c' } }]);
    expect(await providers.live()).toEqual(['providers.ann']);
  });

  test('has the schedule of an item retired that somebody was seen to take away, also the last', async () => {
    const providers = await Providers.start({ ann: {} });
    const { told } = await providers.add();
    await providers.remove('ann');
    expect(await providers.live()).toEqual([]);
    expect(eventsOf(told, 'schedule:kept')).toEqual([]);
  });

  test('is one as well that holds nothing that could be an item', async () => {
    const providers = await Providers.start({ ann: {}, ben: {} });
    await (await providers.add()).stop();
    for (const key of ['ann', 'ben']) await providers.remove(key);
    await providers.put({ 'not a key': {} });
    const { told } = await providers.add();
    expect(eventsOf(told, 'schedule:kept')).toMatchObject([{ count: 2 }]);
    expect(await providers.live()).toEqual(['providers.ann', 'providers.ben']);
  });
});

describe('a list that cannot be read', () => {
  test('keeps nobody from starting, and is read as soon as it is there', async () => {
    const providers = await Providers.start();
    const { told } = await providers.add();
    expect(eventsOf(told, 'schedule:delayed')).toMatchObject([
      { schedule: 'providers', error: { code: 'OADA_JOBS_STORE_NOT_FOUND' } },
    ]);
    await providers.make({ ann: {} });
    await providers.farm.clock.advance(MINUTE);
    await providers.settle();
    expect(await providers.live()).toEqual(['providers.ann']);
  });

  test('changes nothing: the schedules that there are go on, also after a restart', async () => {
    const providers = await Providers.start({ ann: {}, ben: {} });
    const { farm } = providers;
    const first = await providers.add();
    await farm.oada.delete({ path: LIST });
    await farm.clock.advance(HOUR);
    expect(eventsOf(first.told, 'schedule:delayed').length).toBeGreaterThan(0);
    expect(await providers.pending()).toEqual(['providers.ann', 'providers.ben']);
    await farm.work();
    await first.stop();
    await providers.add();
    await farm.clock.advance(HOUR);
    expect(await providers.pending()).toEqual(['providers.ann', 'providers.ben']);
    await providers.make({ ben: {} });
    await farm.clock.advance(2 * MINUTE);
    await providers.settle();
    expect(await providers.live()).toEqual(['providers.ben']);
  });

  test('may be another one when it is there again, of the same revision', async () => {
    const providers = await Providers.start({ ann: {}, ben: {} });
    const { farm } = providers;
    await providers.add();
    const { _rev }: Stored = await read(farm.oada, LIST);
    await farm.oada.delete({ path: LIST });
    await farm.clock.advance(15 * MINUTE);
    await providers.make({ ben: {}, cat: {} });
    expect(await read(farm.oada, LIST)).toMatchObject({ _rev });
    await farm.clock.advance(10 * MINUTE);
    await providers.settle();
    expect(await providers.live()).toEqual(['providers.ben', 'providers.cat']);
    await providers.put({ dan: {} });
    await farm.clock.advance(10 * MINUTE);
    expect(await providers.live()).toEqual(['providers.ben', 'providers.cat', 'providers.dan']);
  });

  test('is one that is part of another resource', async () => {
    const providers = await Providers.start();
    await providers.farm.oada.put({
      path: '/bookmarks',
      data: { providers: { ann: {} } },
      contentType: PLAIN,
    });
    const { told } = await providers.add();
    expect(eventsOf(told, 'schedule:delayed')).toMatchObject([
      { error: { code: 'OADA_JOBS_STORE_REFUSED' } },
    ]);
  });
});

describe('an item that is not what it should be', () => {
  const long = 'x'.repeat(300);
  const hostile = ['two words', 'a/b', '..', '.', '123', 'ü', '%zz', long, ''];

  test('by its key is told of and left out, and the others are not', async () => {
    const text = `{${hostile.map((key) => `${JSON.stringify(key)}:{}`).join()},"__proto__":{},"constructor":{},"ann":{}}`;
    const providers = await Providers.start(JSON.parse(text) as object);
    const { told } = await providers.add({ config: (item) => ({ is: typeof item }) });
    const refused = eventsOf(told, 'schedule:refused').map(({ item }) => item);
    const stored: object = await read(providers.farm.oada, LIST);
    expect(refused.length).toBeGreaterThan(6);
    expect(refused.toSorted()).toEqual(hostile.filter((key) => Object.hasOwn(stored, key)).toSorted());
    expect(await providers.live()).toContain('providers.ann');
    expect(await providers.live()).toContain('providers.constructor');
    await providers.farm.clock.advance(HOUR);
    expect(await providers.pending()).toEqual(await providers.live());
  });

  test('is told of, and its schedule stays as it is', async () => {
    const providers = await Providers.start({ ann: { tags: ['a'] }, ben: { tags: ['a'] } });
    const where = ({ tags }: Stored): boolean => tags.includes('a');
    const { told } = await providers.add({ where });
    await providers.put({ ann: { tags: null }, cat: { tags: null }, ben: { tags: [] } });
    expect(await providers.live()).toEqual(['providers.ann']);
    expect(eventsOf(told, 'schedule:refused').map(({ item }) => item)).toEqual(['ann', 'cat']);
    await providers.put({ dan: { tags: ['a'] }, eve: 'text', fay: null });
    expect(await providers.live()).toEqual(['providers.ann', 'providers.dan']);
    expect(eventsOf(told, 'schedule:refused').map(({ item }) => item)).toEqual(['ann', 'cat', 'eve']);
  });

  test('has its schedule wait for it, and go on when it is', async () => {
    const providers = await Providers.start({ ann: { url: 'a' } });
    await providers.add({ config: ({ url }) => ({ url }) });
    await providers.put({ ann: 'text' });
    await providers.farm.clock.advance(HOUR);
    expect(await providers.pending()).toEqual([]);
    expect(await providers.live()).toEqual(['providers.ann']);
    await providers.put({ ann: { url: 'b' } });
    expect(await providers.farm.pending()).toMatchObject([{ config: { url: 'b' } }]);
  });

  test('by a `where` that promises an answer is not taken for a yes', async () => {
    const providers = await Providers.start({ ann: {} });
    const { told } = await providers.add({ where: (async () => false) as never });
    expect(await providers.live()).toEqual([]);
    expect(eventsOf(told, 'schedule:refused')).toMatchObject([{ item: 'ann' }]);
  });

  test('whose name cannot be told might be that of any, so that none goes', async () => {
    const providers = await Providers.start({ x1: { id: 'ann' }, x2: { id: 'ben' } });
    const key = ({ id }: Stored): string => id.toLowerCase();
    await (await providers.add({ key })).stop();
    await providers.put({ x1: { id: 5 } });
    await providers.add({ key });
    expect(await providers.live()).toEqual(['providers.ann', 'providers.ben']);
    await providers.put({ x1: { id: 'cat' } });
    expect(await providers.live()).toEqual(['providers.ben', 'providers.cat']);
  });

  test('but is called as another schedule leaves that alone', async () => {
    const providers = await Providers.start({ sum: {}, ann: {} });
    const { told } = await providers.add({}, { 'providers.sum': { type: 'sum', manual: true } });
    expect(eventsOf(told, 'schedule:refused')).toMatchObject([{ item: 'sum' }]);
    expect(await providers.farm.schedules.get('providers.sum')).toMatchObject({
      type: 'sum',
      group: undefined,
    });
    await providers.farm.clock.advance(HOUR);
    expect(await providers.pending()).toEqual(['providers.ann']);
  });
});

describe('items behind links', () => {
  test('that are versioned are read when they change, and no other', async () => {
    const providers = await Providers.start();
    const [ann, ben] = [
      await providers.resource({ active: true, url: 'a' }),
      await providers.resource({ active: true, url: 'b' }),
    ];
    await providers.make({ ann: { _id: ann, _rev: 0 }, ben: { _id: ben, _rev: 0 } });
    const { requested } = await providers.add({ where: isActive, config: ({ url }) => ({ url }) });
    expect(await providers.live()).toEqual(['providers.ann', 'providers.ben']);
    requested.length = 0;
    await providers.farm.oada.put({ path: `/${ann}`, data: { active: false }, contentType: PLAIN });
    await providers.farm.oada.put({ path: `/${ben}`, data: { url: 'c' }, contentType: PLAIN });
    await providers.settle();
    expect(await providers.live()).toEqual(['providers.ben']);
    const reads = requested.filter(({ method }) => method === 'get').map(({ path }) => path);
    expect(reads).not.toContain(LIST);
    expect(reads.filter((path) => path === `/${ann}`)).toHaveLength(1);
    await providers.farm.clock.advance(HOUR);
    expect(await providers.farm.pending()).toMatchObject([
      { schedule: 'providers.ben', config: { url: 'c' } },
    ]);
  });

  test('that are not versioned are read again from time to time, and when an occurrence is due', async () => {
    const providers = await Providers.start();
    const { farm } = providers;
    const [ann, ben] = [
      await providers.resource({ active: true }),
      await providers.resource({ active: true }),
    ];
    await providers.make({ ann: { _id: ann }, ben: { _id: ben } });
    await providers.add({ where: isActive, config: ({ url }) => ({ url }), refreshInterval: '25m' });
    await farm.oada.put({ path: `/${ann}`, data: { active: false }, contentType: PLAIN });
    await farm.clock.advance(24 * MINUTE);
    expect(await providers.live()).toEqual(['providers.ann', 'providers.ben']);
    await farm.clock.advance(2 * MINUTE);
    expect(await providers.live()).toEqual(['providers.ben']);
    await farm.clock.advance(30 * MINUTE);
    await farm.oada.put({ path: `/${ben}`, data: { url: 'fresh' }, contentType: PLAIN });
    await farm.clock.advance(10 * MINUTE);
    expect(await farm.pending()).toMatchObject([{ schedule: 'providers.ben', config: { url: 'fresh' } }]);
    await farm.work();
    await farm.clock.advance(50 * MINUTE);
    await farm.oada.put({ path: `/${ben}`, data: { active: false }, contentType: PLAIN });
    await farm.clock.advance(10 * MINUTE);
    expect(await providers.pending()).toEqual([]);
    expect(await providers.live()).toEqual([]);
    expect(await farm.schedules.history('providers.ben')).toMatchObject([{ outcome: 'success' }]);
  });

  test('are not read at all where nothing is made of them', async () => {
    const providers = await Providers.start();
    const ann = await providers.resource({ url: 'a' });
    await providers.make({ ann: { _id: ann }, ben: { _id: 'resources/nowhere', _rev: 0 } });
    const { requested } = await providers.add({ config: { all: true } });
    await providers.farm.clock.advance(HOUR);
    expect(await providers.pending()).toEqual(['providers.ann', 'providers.ben']);
    expect(requested.map(({ path }) => path)).not.toContain(`/${ann}`);
  });

  test('are not read before they are needed', async () => {
    const providers = await Providers.start();
    const ann = await providers.resource({ url: 'a' });
    await providers.make({ ann: { _id: ann } });
    const { requested } = await providers.add({ config: ({ url }) => ({ url }) });
    expect(requested.map(({ path }) => path)).not.toContain(`/${ann}`);
    await providers.farm.clock.advance(HOUR);
    expect(await providers.farm.pending()).toMatchObject([{ config: { url: 'a' } }]);
  });

  test('that lead nowhere are told of, and looked at again', async () => {
    const providers = await Providers.start();
    await providers.make({
      ann: { _id: 'resources/nowhere' },
      ben: { _id: await providers.resource({ active: true }) },
    });
    const { told } = await providers.add({ where: isActive });
    expect(await providers.live()).toEqual(['providers.ben']);
    expect(eventsOf(told, 'schedule:refused')).toMatchObject([{ item: 'ann' }]);
    await providers.farm.oada.put({ path: '/resources/nowhere', data: { active: true }, contentType: PLAIN });
    await providers.farm.clock.advance(5 * MINUTE);
    await providers.settle();
    expect(await providers.live()).toEqual(['providers.ann', 'providers.ben']);
  });

  test('may be linked before they are written', async () => {
    const providers = await Providers.start();
    const ann = await providers.resource({});
    await providers.make({ ann: { _id: ann }, ben: {} });
    const { told } = await providers.add({ where: ({ active }) => active !== false });
    expect(await providers.live()).toEqual(['providers.ben']);
    await providers.farm.oada.put({ path: `/${ann}`, data: { active: true }, contentType: PLAIN });
    await providers.farm.clock.advance(1000);
    await providers.settle();
    expect(await providers.live()).toEqual(['providers.ann', 'providers.ben']);
    expect(eventsOf(told, 'schedule:refused')).toEqual([]);
  });

  test('are read as soon as a versioned link tells that they are written', async () => {
    const providers = await Providers.start();
    const ann = await providers.resource({});
    await providers.make({ ann: { _id: ann, _rev: 0 } });
    await providers.add({ where: isActive });
    await providers.farm.clock.advance(600);
    expect(await providers.live()).toEqual([]);
    await providers.farm.oada.put({ path: `/${ann}`, data: { active: true }, contentType: PLAIN });
    await providers.settle();
    expect(await providers.live()).toEqual(['providers.ann']);
  });
});

describe('the items of a list behind a store that is not always there', () => {
  interface Watched {
    readonly list: ItemList;
    readonly reads: string[];
    readonly lost: { error: Error; retryIn: number }[];
  }

  /** @param answer what becomes of a read of an item */
  function watch({ farm }: Providers, answer: (document: StoredDocument) => StoredDocument): Watched {
    const real = openStore(farm.oada, { clock: systemClock, timeout: 10_000, onRequest: () => undefined });
    const reads: string[] = [];
    const lost: Watched['lost'] = [];
    const store: Store = {
      client: real.client,
      check: () => real.check(),
      close: () => real.close(),
      watch: (path) => real.watch(path),
      head: (path) => real.head(path),
      put: (path, data) => real.put(path, data),
      delete: (path) => real.delete(path),
      ensure: (path, tree) => real.ensure(path, tree),
      get: async (path) => {
        const document = await real.get(path);
        if (path === LIST) return document;
        reads.push(path);
        return answer(document);
      },
    };
    const list = new ItemList({
      ...{ store, clock: farm.clock, path: LIST, checkInterval: 10 * MINUTE, refreshInterval: 5 * MINUTE },
      isRead: true,
      onChanged: () => undefined,
      onRemoved: () => undefined,
      onLost: (error, retryIn) => lost.push({ error, retryIn }),
    });
    onTestFinished(() => list.stop());
    return { list, reads, lost };
  }

  async function linked(count: number): Promise<Providers> {
    const providers = await Providers.start();
    const links: Record<string, object> = {};
    for (let index = 0; index < count; index++)
      links[`p${String(index)}`] = { _id: await providers.resource({ index }), _rev: 0 };
    await providers.make(links);
    return providers;
  }

  test('are not all asked for in vain, and are there when it is back', async () => {
    const providers = await linked(50);
    let isThere = false;
    const { list, reads, lost } = watch(providers, (document) => {
      if (isThere) return document;
      throw new StoreError('OADA_JOBS_STORE_UNREACHABLE', 'it is gone', { path: '/' });
    });
    await list.start();
    expect(list.keys()).toHaveLength(50);
    expect(reads.length).toBeLessThanOrEqual(10);
    expect(lost).toHaveLength(1);
    isThere = true;
    await providers.farm.clock.advance(lost[0]!.retryIn);
    await providers.settle();
    expect(list.keys().filter((key) => list.get(key)?.value === undefined)).toEqual([]);
  });

  test('are known, and not asked for again and again, while they seem older than the list says', async () => {
    const providers = await linked(1);
    const { list, reads } = watch(providers, (document) => {
      const data = document.data as Record<string, never>;
      return { ...document, data: { ...data, _rev: Number(data['_rev']) - 1 } };
    });
    await list.start();
    expect(list.get('p0')?.value).toMatchObject({ index: 0 });
    for (let seconds = 0; seconds < 60; seconds++) {
      await providers.farm.clock.advance(1000);
      await providers.settle();
    }
    expect(reads.length).toBeGreaterThan(2);
    expect(reads.length).toBeLessThan(12);
  });
});
