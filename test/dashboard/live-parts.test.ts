import { expect, onTestFinished, test } from 'vitest';

import { LiveDays } from '../../lib/dashboard/live-days.js';
import { LiveFinished } from '../../lib/dashboard/live-finished.js';
import { LiveInstances } from '../../lib/dashboard/live-instances.js';
import { QueueHealths } from '../../lib/dashboard/queue-health.js';
import type { Store } from '../../lib/oada/store.js';
import { storeReader } from '../../lib/operator/lists.js';
import type { ListEntry } from '../../lib/operator/lists.js';
import type { OperatorDeps } from '../../lib/operator/operator-deps.js';
import type { QueueEntry, QueueHealth } from '../../lib/operator/queues.js';
import { TREE } from '../../lib/paths.js';
import { FakeClock } from '../fake-clock.js';
import { operate } from '../operator/setup.js';
import { BASE, deferred, ensureLists, NAME, startServer, TOKEN } from '../setup.js';

function withGet({ store, ...deps }: OperatorDeps, get: Store['get']): OperatorDeps {
  const changed = new Proxy(store, {
    get: (target, name) => {
      const value: unknown = name === 'get' ? get : Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { ...deps, store: changed };
}

function liveDays(deps: OperatorDeps, after: Promise<void>): LiveDays {
  const ignore = (): void => undefined;
  const lists = storeReader(deps);
  const days = new LiveDays(deps, { after, lists, changed: ignore, filed: ignore, lost: ignore });
  onTestFinished(() => {
    days.stop();
  });
  return days;
}

test('nothing is told of today before it is known, and then that it is nothing', async () => {
  const server = await startServer();
  const deps = operate(server);
  await ensureLists(server.client(TOKEN));
  const day = deps.clock.now().toISOString().slice(0, 10);
  await deps.store.ensure(deps.paths.nested.dayIndex('success', day), TREE);
  const ready = deferred();
  const days = liveDays(deps, ready.promise);
  expect(days.counts()).toEqual([]);
  ready.resolve();
  await days.tried();
  expect(days.counts()).toEqual([{ day, success: 0, failure: 0 }]);
});

test('the last hour has what was filed before midnight', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  const clock = new FakeClock();
  await clock.advance(10 * 60_000);
  const deps = { ...operate(server), clock };
  const file = async (key: string, finished: string): Promise<void> => {
    const job = { service: NAME, type: 'mow', status: 'success', times: {}, finished, updates: {} };
    const data = { ...job, updates: { end: { status: 'success', time: finished } } };
    await oada.put({ path: `/resources/${key}`, data, contentType: 'application/json' });
    const list = deps.paths.nested.dayIndex('success', finished.slice(0, 10));
    await deps.store.ensure(list, TREE);
    await deps.store.put(list, { [key]: { _id: `resources/${key}` } });
  };
  await ensureLists(oada);
  await file('a', '2023-12-31T22:00:00.000Z');
  await file('b', '2023-12-31T23:30:00.000Z');
  await file('c', '2024-01-01T00:05:00.000Z');
  const days = liveDays(deps, Promise.resolve());
  await days.tried();
  const ignore = (): void => undefined;
  const finished = new LiveFinished(deps, { finished: ignore, point: ignore, lost: ignore });
  await finished.seed(days);
  const counted = finished.throughput.points.filter(({ success }) => success > 0);
  expect(counted.map(({ time, success }) => [time, success])).toEqual([
    ['2023-12-31T23:30:00.000Z', 1],
    ['2024-01-01T00:05:00.000Z', 1],
  ]);
  finished.stop();
});

test('a few jobs of long ago do not make the time since look idle', async () => {
  const clock = new FakeClock();
  await clock.advance(2 * 3_600_000);
  const now = clock.now().getTime();
  const entries = Array.from({ length: 200 }, (_, index): ListEntry => {
    const key = `k${String(index).padStart(3, '0')}`;
    return { key, id: `resources/${key}` };
  });
  const deps = withGet({ ...operate(await startServer()), clock }, async (path) => {
    const index = Number(path.slice(-3));
    const finished = new Date(now - (index % 10 === 0 ? 50 * 60_000 : index * 1000)).toISOString();
    const data = {
      ...{ service: NAME, type: 'mow', status: 'success' },
      updates: { end: { status: 'success', time: finished } },
    };
    return { rev: 1, etag: '', data };
  });
  const ignore = (): void => undefined;
  const finished = new LiveFinished(deps, { finished: ignore, point: ignore, lost: ignore });
  await finished.seed({
    latest: () => entries.map((entry) => ({ entry, status: 'success' })),
    latestBefore: async () => [],
  });
  const { points } = finished.throughput;
  expect(Date.parse(points[0]?.time ?? '')).toBeGreaterThan(now - 200_000);
  expect(points.reduce((sum, { success }) => sum + success, 0)).toBe(150);
  finished.stop();
});

test('of very many instances those are followed that were started last', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  const deps = operate(server);
  const keys = Array.from({ length: 202 }, (_, index) => `i${String(index).padStart(3, '0')}`);
  await deps.store.ensure(deps.paths.instances, TREE);
  for (const key of [keys[0], keys[201]]) {
    const path = `/resources/${key ?? ''}`;
    await oada.put({ path, data: { pid: 7, running: 0 }, contentType: 'application/json' });
  }
  await oada.put({
    path: `${BASE}/instances`,
    data: Object.fromEntries(keys.map((key) => [key, { _id: `resources/${key}` }])),
    contentType: 'application/json',
  });
  const ignore = (): void => undefined;
  const instances = new LiveInstances(deps, { changed: ignore, lost: ignore });
  onTestFinished(() => {
    instances.stop();
  });
  await instances.tried();
  expect(instances.summaries().map(({ instance }) => instance)).toEqual(['i201']);
});

test('the stores of queues are asked five at once, and again after fifteen seconds', async () => {
  const clock = new FakeClock();
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const healths = new QueueHealths(clock, async (_clock, { domain }): Promise<QueueHealth> => {
    asked.push(domain);
    const answer = deferred();
    answers.push(answer.resolve);
    await answer.promise;
    return { ok: true, took: 1 };
  });
  const entries = Array.from({ length: 7 }, (_, index): QueueEntry => {
    const queue = `q${String(index)}`;
    return { summary: { queue, domain: queue }, address: { domain: queue, token: 't' } };
  });
  const wrong: QueueEntry = { summary: { queue: 'wrong', problem: 'it is none' } };
  const views = Promise.all([healths.viewsOf([...entries, wrong]), healths.viewsOf(entries)]);
  await clock.advance(0);
  expect(asked).toEqual(['q0', 'q1', 'q2', 'q3', 'q4']);
  answers[0]?.();
  await clock.advance(0);
  expect(asked).toHaveLength(6);
  answers[1]?.();
  await clock.advance(0);
  for (const answer of answers) answer();
  const [first, second] = await views;
  expect(first.slice(0, 7)).toEqual(second);
  expect(first[7]).toEqual({ ...wrong.summary, health: { ok: false, problem: 'it is none', took: 0 } });
  expect(asked).toHaveLength(7);
  await clock.advance(14_999);
  await healths.viewsOf(entries);
  expect(asked).toHaveLength(7);
  await clock.advance(1);
  void healths.viewsOf(entries);
  await clock.advance(0);
  expect(asked).toHaveLength(12);
});
