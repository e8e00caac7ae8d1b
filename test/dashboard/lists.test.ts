import { describe, expect, test } from 'vitest';

import { KeptLinks } from '../../lib/dashboard/kept-links.js';
import { ListCache } from '../../lib/dashboard/list-cache.js';
import { Opening } from '../../lib/dashboard/opening.js';
import { Paced } from '../../lib/dashboard/paced.js';
import { Throughput } from '../../lib/dashboard/throughput.js';
import type { ThroughputPoint } from '../../lib/dashboard/api.js';
import { StoreError } from '../../lib/errors.js';
import type { Json } from '../../lib/json.js';
import type { Store } from '../../lib/oada/store.js';
import { FakeClock } from '../fake-clock.js';
import { operate } from '../operator/setup.js';
import { deferred, startServer, TOKEN } from '../setup.js';

const linkTo = (key: string): Json => ({ _id: `resources/${key}` });
const keysOf = (links: KeptLinks): string[] => links.entries.map(({ key }) => key);

describe('the links of a list in view', () => {
  test('stay in order, whatever comes and goes', () => {
    const links = new KeptLinks();
    expect(links.replace(Array.from('bd').map((key) => [key, linkTo(key)])).added).toHaveLength(2);
    for (const key of ['e', 'a', 'c'])
      expect(links.put(key, linkTo(key))).toEqual({ key, id: `resources/${key}` });
    expect(links.put('c', linkTo('x'))).toBeUndefined();
    expect(links.put('e', linkTo('e'))).toBeUndefined();
    expect(keysOf(links)).toEqual(Array.from('abcde'));
    expect(links.entries[2]?.id).toBe('resources/x');
    expect([links.remove('a'), links.remove('e'), links.remove('a'), links.remove('z')]).toEqual([
      ...[true, true, false, false],
    ]);
    expect(keysOf(links)).toEqual(Array.from('bcd'));
    for (const [key, written] of [
      ['pending', linkTo('pending')],
      ['f', { _rev: 3 }],
      ['g h', linkTo('g')],
    ] as const)
      expect(links.put(key, written)).toBeUndefined();
    expect(keysOf(links)).toEqual(Array.from('bcd'));
  });

  test('tell what is new in a list that is read again, and whether anything is gone', () => {
    const links = new KeptLinks();
    const read = (keys: string): [string, boolean] => {
      const { added, isLess } = links.replace(Array.from(keys).map((key) => [key, linkTo(key)]));
      return [added.map(({ key }) => key).join(''), isLess];
    };
    expect(read('bdf')).toEqual(['bdf', false]);
    expect(read('abcdfg')).toEqual(['acg', false]);
    expect(read('acg')).toEqual(['', true]);
    expect(read('xa')).toEqual(['x', true]);
    expect(read('')).toEqual(['', true]);
    expect(read('')).toEqual(['', false]);
  });
});

describe('the cache of lists', () => {
  /** The store, and how often a document was read. */
  async function scene(): Promise<{
    store: Store;
    readonly put: (name: string, count: number) => Promise<void>;
    readonly reads: () => number;
    /** The next read has its answer when this is called. */
    readonly hold: () => { readonly asked: Promise<void>; readonly release: () => void };
  }> {
    const server = await startServer();
    const { store } = operate(server);
    const oada = server.client(TOKEN);
    let reads = 0;
    let held = { asked: deferred(), released: deferred() };
    held.released.resolve();
    const get: Store['get'] = async (path) => {
      reads++;
      const { asked, released } = held;
      const answer = await store.get(path);
      asked.resolve();
      await released.promise;
      return answer;
    };
    const counting = new Proxy(store, {
      get: (target, name) => {
        if (name === 'get') return get;
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    return {
      store: counting,
      reads: () => reads,
      hold: () => {
        const { asked, released } = { asked: deferred(), released: deferred() };
        const before = held;
        held = { asked, released };
        void asked.promise.then(() => (held = before));
        return { asked: asked.promise, release: released.resolve };
      },
      put: async (name, count) => {
        const keys = Array.from({ length: count }, (_, index) => `k${String(index)}`);
        const data = Object.fromEntries(keys.map((key) => [key, linkTo(key)]));
        await oada.put({ path: `/resources/${name}`, data: data, contentType: 'application/json' });
      },
    };
  }

  test('reads a list again when it has changed, and not before', async () => {
    const { store, put, reads } = await scene();
    const { entries, count } = new ListCache().readerOf('store', store);
    await put('a', 3);
    expect(await entries('/resources/a')).toHaveLength(3);
    expect(await entries('/resources/a')).toHaveLength(3);
    expect(await count('/resources/a')).toBe(3);
    expect(reads()).toBe(1);
    await put('a', 4);
    expect(await count('/resources/a')).toBe(4);
    expect(await count('/resources/a')).toBe(4);
    expect(reads()).toBe(2);
    expect(await entries('/resources/none')).toEqual([]);
    expect(await count('/resources/none')).toBe(0);
  });

  test('never takes an answer for newer than it is, though others ask meanwhile', async () => {
    const { store, put, hold } = await scene();
    const { entries, count } = new ListCache().readerOf('store', store);
    await put('a', 3);
    const { asked, release } = hold();
    const first = entries('/resources/a');
    await asked;
    await put('a', 4);
    expect(await entries('/resources/a')).toHaveLength(4);
    expect(await count('/resources/a')).toBe(4);
    release();
    expect(await first).toHaveLength(3);
    expect(await entries('/resources/a')).toHaveLength(4);
    expect(await count('/resources/a')).toBe(4);
  });

  test('keeps no more than so many entries, and those of the lists that were used last', async () => {
    const { store, put, reads } = await scene();
    const cache = new ListCache(250);
    const { entries } = cache.readerOf('store', store);
    for (const name of ['a', 'b', 'c']) await put(name, 100);
    await put('d', 251);
    for (const name of ['a', 'b', 'a', 'c']) await entries(`/resources/${name}`);
    expect(cache.size).toBe(200);
    expect(reads()).toBe(3);
    await entries('/resources/a');
    expect(reads()).toBe(3);
    await entries('/resources/b');
    expect(reads()).toBe(4);
    expect(await entries('/resources/d')).toHaveLength(251);
    expect(cache.size).toBe(200);
  });

  test('tells the stores apart, and reads a list once for all who ask at once', async () => {
    const [one, other] = [await scene(), await scene()];
    const cache = new ListCache();
    await one.put('a', 1);
    await other.put('a', 2);
    const readers = [cache.readerOf('one', one.store), cache.readerOf('other', other.store)];
    const all = await Promise.all(
      [...readers, ...readers, ...readers].map(
        async (reader) => (await reader.entries('/resources/a')).length,
      ),
    );
    expect(all).toEqual([1, 2, 1, 2, 1, 2]);
    expect([one.reads(), other.reads()]).toEqual([1, 1]);
  });
});

describe('the throughput', () => {
  test('has each ten seconds of the last hour, and no more', async () => {
    const clock = new FakeClock();
    const told: ThroughputPoint[] = [];
    const throughput = new Throughput(clock, (point) => told.push(point));
    throughput.add('success', 3);
    throughput.addDuration(10, clock.now().getTime());
    await clock.advance(9999);
    throughput.add('failure', 1);
    await clock.advance(1000);
    throughput.add('success', 7);
    throughput.addDuration(30, clock.now().getTime() - 1000);
    await clock.advance(1);
    const first = { time: '2024-01-01T00:00:00.000Z', success: 3, failure: 1 };
    expect(told).toEqual([{ ...first, duration: { median: 30, p95: 30 } }]);
    expect(throughput.points).toEqual(told);
    await clock.advance(10_000);
    expect(told[1]).toEqual({ time: '2024-01-01T00:00:10.000Z', success: 7, failure: 0 });
    await clock.advance(2 * 3_600_000);
    expect(throughput.points.length).toBeLessThanOrEqual(361);
    expect(throughput.points.at(-1)?.success).toBe(0);
    throughput.stop();
    expect(clock.timers).toBe(0);
  });

  test('begins with what is known of the time before', () => {
    const clock = new FakeClock();
    const now = clock.now().getTime();
    const throughput = new Throughput(clock, () => undefined);
    throughput.seed(
      [
        { time: now - 25_000, status: 'success', duration: 5 },
        { time: now - 5000, status: 'failure', duration: undefined },
      ],
      false,
    );
    expect(throughput.points.map(({ success, failure }) => [success, failure])).toEqual([
      [1, 0],
      [0, 0],
      [0, 1],
    ]);
    throughput.stop();
  });

  test('knows of a whole hour in which there was nothing else', () => {
    const clock = new FakeClock();
    const throughput = new Throughput(clock, () => undefined);
    throughput.seed([], true);
    expect(throughput.points).toHaveLength(359);
    throughput.stop();
  });
});

test('what is asked for often is done at once, and then now and then', async () => {
  const clock = new FakeClock();
  let done = 0;
  const paced = new Paced(clock, 500, () => done++);
  for (let index = 0; index < 5; index++) paced.ask();
  await clock.advance(0);
  expect(done).toBe(1);
  for (let index = 0; index < 5; index++) paced.ask();
  await clock.advance(499);
  expect(done).toBe(1);
  await clock.advance(1);
  expect(done).toBe(2);
  await clock.advance(10_000);
  expect(done).toBe(2);
});

describe('what may not be there yet', () => {
  const missing = (): StoreError => new StoreError('OADA_JOBS_STORE_NOT_FOUND', 'none', { path: '/x' });
  const away = (): StoreError => new StoreError('OADA_JOBS_STORE_UNREACHABLE', 'away', { path: '/x' });

  function open(outcomes: readonly (StoreError | undefined)[]): {
    clock: FakeClock;
    opening: Opening;
    readonly tries: () => number;
    readonly isTried: () => boolean;
  } {
    const clock = new FakeClock();
    let tries = 0;
    let tried = false;
    const opening = new Opening({
      clock,
      open: async () => {
        const error = outcomes[tries++];
        if (error !== undefined) throw error;
      },
      onMissing: () => undefined,
      onFailed: () => undefined,
    });
    void opening.tried.then(() => (tried = true));
    return { clock, opening, tries: () => tries, isTried: () => tried };
  }

  test('is looked for when somebody says so, and now and then', async () => {
    const { clock, opening, tries, isTried } = open([missing(), missing(), missing()]);
    await clock.advance(1000);
    expect([tries(), isTried()]).toEqual([1, true]);
    opening.look();
    await clock.advance(0);
    expect(tries()).toBe(2);
    await clock.advance(31_000);
    expect(tries()).toBe(3);
    for (let index = 0; index < 5; index++) opening.look();
    await clock.advance(500);
    expect(tries()).toBe(4);
    await clock.advance(100_000);
    opening.look();
    await clock.advance(100_000);
    expect(tries()).toBe(4);
    expect(clock.timers).toBe(0);
  });

  test('is not given up while the store is away, nor taken for missing', async () => {
    const { clock, tries, isTried } = open([away(), away(), away()]);
    await clock.advance(100);
    expect([tries(), isTried()]).toEqual([1, false]);
    await clock.advance(60_000);
    expect([tries(), isTried()]).toEqual([4, true]);
  });

  test('is not looked for any more when that is stopped', async () => {
    const { clock, opening, tries, isTried } = open([away(), missing()]);
    await clock.advance(0);
    opening.stop();
    await clock.advance(100_000);
    expect([tries(), isTried(), clock.timers]).toEqual([1, true, 0]);
  });
});
