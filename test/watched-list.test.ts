import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { Json } from '../lib/json.js';
import type { ResourceChange, Store, StoreWatch } from '../lib/oada/store.js';
import { Feed } from '../lib/oada/feed.js';
import { WatchedList } from '../lib/watched-list.js';
import { FakeClock } from './fake-clock.js';

const CHECK_INTERVAL = 30_000;

/** A list in a store that can lose, repeat and reorder what it tells. */
class FakeList {
  rev = 1;
  entries = new Map<string, Json>();
  feed = new Feed<ResourceChange>();
  reads = 0;
  watches = 0;
  failing = false;
  told: ResourceChange[] = [];

  put(key: string, entry: Json): void {
    this.entries.set(key, entry);
    this.#write('merge', { [key]: entry });
  }

  delete(key: string): void {
    this.entries.delete(key);
    this.#write('delete', { [key]: null });
  }

  #write(type: 'merge' | 'delete', body: Record<string, Json>): void {
    this.rev++;
    this.told.push([
      { resource_id: 'resources/list', path: '', type, body: { ...body, _rev: this.rev } },
    ] as never);
  }

  /** Delivers what was told since, in this order; what is left out is lost. */
  deliver(order: readonly number[]): void {
    for (const index of order) {
      const change = this.told[index];
      if (change !== undefined) this.feed.push(change);
    }
    this.told = [];
  }

  store(): Store {
    const missing = (): never => {
      throw new Error('not for lists');
    };
    const answer = async (): Promise<void> => {
      if (this.failing) throw new Error('no connection');
    };
    return {
      get client(): never {
        return missing();
      },
      check: missing,
      put: missing,
      delete: missing,
      ensure: missing,
      close: missing,
      get: async () => {
        await answer();
        this.reads++;
        const data = { _id: 'resources/list', _rev: this.rev, ...Object.fromEntries(this.entries) };
        return { data, rev: this.rev, etag: '' };
      },
      head: async () => {
        await answer();
        return { rev: this.rev, etag: '' };
      },
      watch: async (): Promise<StoreWatch> => {
        await answer();
        this.watches++;
        const feed = new Feed<ResourceChange>();
        this.feed = feed;
        return { changes: feed.items(), stop: () => feed.end() };
      },
    };
  }
}

interface Seen {
  readonly list: FakeList;
  readonly clock: FakeClock;
  readonly known: Map<string, Json>;
  readonly lost: [string, number][];
  readonly watched: WatchedList;
}

async function watchList(list = new FakeList()): Promise<Seen> {
  const clock = new FakeClock();
  const known = new Map<string, Json>();
  const lost: [string, number][] = [];
  const watched = new WatchedList({
    store: list.store(),
    clock,
    path: '/list',
    checkInterval: CHECK_INTERVAL,
    observer: {
      listed: (entries) => {
        known.clear();
        for (const [key, entry] of entries) known.set(key, entry);
      },
      changed: (key, entry) => known.set(key, entry),
      removed: (key) => known.delete(key),
      lost: (error, retryIn) => lost.push([error.message, retryIn]),
    },
  });
  await watched.start();
  return { list, clock, known, lost, watched };
}

test('what is told in order is known at once, without reading the list again', async () => {
  const { list, clock, known } = await watchList();
  list.put('a', 1);
  list.put('b', { _id: 'resources/b' });
  list.delete('a');
  list.deliver([0, 1, 2]);
  await clock.advance(0);
  expect([...known]).toEqual([['b', { _id: 'resources/b' }]]);
  expect(list.reads).toBe(1);
});

test('what is told twice is known once', async () => {
  const { list, clock, known } = await watchList();
  list.put('a', 1);
  list.delete('a');
  list.deliver([0, 1, 0]);
  await clock.advance(0);
  expect([...known]).toEqual([]);
  expect(list.reads).toBe(1);
});

test('a gap is noticed at once', async () => {
  const { list, clock, known } = await watchList();
  list.put('a', 1);
  list.put('b', 2);
  list.deliver([1]);
  await clock.advance(0);
  expect([...known]).toEqual([
    ['a', 1],
    ['b', 2],
  ]);
  expect(list.reads).toBe(2);
});

test('a change that is never told of is found by the next check', async () => {
  const { list, clock, known } = await watchList();
  list.put('a', 1);
  list.deliver([]);
  await clock.advance(CHECK_INTERVAL - 1);
  expect([...known]).toEqual([]);
  await clock.advance(1);
  expect([...known]).toEqual([['a', 1]]);
  await clock.advance(10 * CHECK_INTERVAL);
  expect(list.reads).toBe(2);
});

test.each<[string, unknown]>([
  ['no own part', [{ resource_id: 'resources/x', path: '/x', type: 'merge', body: {} }]],
  ['nothing', []],
  ['no body', [{ resource_id: 'resources/list', path: '', type: 'delete', body: null }]],
  ['no revision', [{ resource_id: 'resources/list', path: '', type: 'merge', body: { a: 1 } }]],
])('a change with %s has the list read', async (_what, change) => {
  const { list, clock } = await watchList();
  list.feed.push(change as ResourceChange);
  await clock.advance(0);
  expect(list.reads).toBe(2);
});

test('keys that every resource has are no entries', async () => {
  const { list, clock, known } = await watchList();
  list.put('_meta', { modified: 1 });
  list.put('_type', 'x');
  list.deliver([0, 1]);
  await clock.advance(0);
  expect([...known]).toEqual([]);
});

test('a watch that ends is opened again, and the list read', async () => {
  const { list, clock, known, lost } = await watchList();
  list.feed.end(new Error('cut'));
  list.put('a', 1);
  list.told = [];
  await clock.advance(1000);
  expect(lost).toEqual([['cut', 175]]);
  expect([...known]).toEqual([['a', 1]]);
  list.put('b', 2);
  list.deliver([0]);
  await clock.advance(0);
  expect([...known.keys()]).toEqual(['a', 'b']);
  expect(list.watches).toBe(2);
});

test('a store that does not answer is asked after longer and longer waits, up to a limit', async () => {
  const { list, clock, known, lost } = await watchList();
  list.failing = true;
  list.feed.end(new Error('cut'));
  await clock.advance(CHECK_INTERVAL - 1);
  const waits = lost.map(([, wait]) => wait);
  expect(waits).toEqual([175, 350, 700, 1400, 2800, 5600, 11_200, 13_125]);
  list.failing = false;
  list.put('a', 1);
  await clock.advance(15_000);
  expect([...known.keys()]).toEqual(['a']);
});

test('a list that was read before the last change was told is read again', async () => {
  const list = new FakeList();
  const store = list.store();
  const get = store.get.bind(store);
  let release: (() => void) | undefined;
  let slow = false;
  store.get = async (path) => {
    const answer = await get(path);
    if (slow) {
      slow = false;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    }
    return answer;
  };
  list.store = () => store;
  const { clock, known, watched } = await watchList(list);
  slow = true;
  const refreshed = watched.refresh();
  await clock.advance(0);
  list.put('a', 1);
  list.deliver([0]);
  await clock.advance(0);
  release?.();
  await refreshed;
  expect([...known]).toEqual([['a', 1]]);
});

test('nothing is told, or asked, after stop()', async () => {
  const { list, clock, known, lost, watched } = await watchList();
  watched.stop();
  list.put('a', 1);
  list.deliver([0]);
  await clock.advance(10 * CHECK_INTERVAL);
  expect([...known]).toEqual([]);
  expect(lost).toEqual([]);
  expect(list.reads).toBe(1);
  expect(clock.timers).toBe(0);
});

test('whatever is lost, repeated or reordered, the list is known after the next check', async () => {
  const key = fc.constantFrom('a', 'b', 'c', '__proto__', '1');
  const step = fc.record({
    writes: fc.array(fc.tuple(key, fc.option(fc.integer())), { maxLength: 5 }),
    order: fc.array(fc.nat(5), { maxLength: 8 }),
    cut: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      const { list, clock, known, watched } = await watchList();
      for (const { writes, order, cut } of steps) {
        for (const [name, value] of writes) {
          if (value === null) list.delete(name);
          else list.put(name, value);
        }
        list.deliver(order);
        if (cut) list.feed.end(new Error('cut'));
        await clock.advance(10);
      }
      await clock.advance(CHECK_INTERVAL);
      expect(new Map([...known].toSorted())).toEqual(new Map([...list.entries].toSorted()));
      watched.stop();
    }),
    { numRuns: 150 },
  );
});
