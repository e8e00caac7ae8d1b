import { Service } from '@oada/jobs';
import type { RetentionOptions, ServiceOptions } from '@oada/jobs';
import type { OADAClient } from '@oada/client';
import { describe, expect, onTestFinished, test } from 'vitest';

import { systemClock } from '../../lib/clock.js';
import { Events } from '../../lib/events.js';
import type { Store } from '../../lib/oada/store.js';
import { resolveServiceOptions } from '../../lib/options.js';
import { Queue } from '../../lib/queue.js';
import { resolveRetention } from '../../lib/retention/options.js';
import { firstKept } from '../../lib/retention/policy.js';
import { Retention } from '../../lib/retention/retention.js';
import { Slots } from '../../lib/slots.js';
import { FakeClock } from '../fake-clock.js';
import { around } from '../observed-store.js';
import type { Around } from '../observed-store.js';
import { EVENT_NAMES, eventsOf, NAME, OTHER_TOKEN, TOKEN } from '../setup.js';
import type { Told } from '../setup.js';
import { Archive, cutOff, limits, PATHS, PatientClock, YOUNG } from './setup.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

interface Pruner {
  readonly clock: PatientClock;
  readonly told: Told[];
  readonly retention: Retention;
  /** How many requests were made. */
  readonly requests: () => number;
}

/** What prunes the jobs of an archive while time goes on. */
function pruner(archive: Archive, options: RetentionOptions, hook: Around = (_, send) => send()): Pruner {
  let inFlight = 0;
  let requests = 0;
  const clock: PatientClock = new PatientClock(() => inFlight === 0);
  const store: Store = around(archive.store, async (requested, send) => {
    requests++;
    inFlight++;
    try {
      return await hook(requested, send);
    } finally {
      inFlight--;
    }
  });
  const events = new Events();
  const told: Told[] = [];
  for (const name of EVENT_NAMES) events.on(name, (event) => told.push({ name, event }));
  const secrets = new Set([TOKEN]);
  const retention = new Retention({
    ...{ queue: 'default', store, paths: PATHS, clock, events, retention: limits(options), secrets },
  });
  onTestFinished(() => retention.stop());
  return { clock, told, retention, requests: () => requests };
}

test('begins a while after the start, goes on every hour or so, and tells of what it deleted', async () => {
  const archive = await Archive.start();
  await archive.file();
  await archive.file();
  await archive.file({ status: 'failure' });
  const { clock, told, retention, requests } = pruner(archive, { success: '30d', failure: '10d' });
  retention.start();
  await clock.advance(MINUTE);
  expect(requests()).toBe(0);
  await clock.advance(5 * MINUTE);
  expect(eventsOf(told, 'jobs:pruned')).toEqual([
    { queue: 'default', status: 'success', count: 2, before: '2023-12-02' },
    { queue: 'default', status: 'failure', count: 1, before: '2023-12-22' },
  ]);
  const first = requests();
  await clock.advance(40 * MINUTE);
  expect(requests()).toBe(first);
  await clock.advance(40 * MINUTE);
  // The index of each status, and the types of failures, of both layouts.
  expect(requests()).toBe(first + 6);
  const late = await archive.file({ date: YOUNG });
  await clock.advance(30 * 24 * HOUR);
  expect(await archive.among([late])).toEqual([]);
  expect(told.map(({ name }) => name)).toEqual(Array(3).fill('jobs:pruned'));
});

test('when it begins and goes on is a matter of chance', async () => {
  const archive = await Archive.start();
  const begun: number[] = [];
  for (const chance of [0, 0.999]) {
    const { clock, retention, requests } = pruner(archive, { keep: 10 });
    clock.chance = chance;
    retention.start();
    for (const least of [1, 7]) {
      while (requests() < least) await clock.advance(10_000);
      begun.push(clock.monotonic());
    }
  }
  const [first = 0, again = 0, last = 0, lastAgain = 0] = begun;
  expect(first).toBe(MINUTE);
  expect(last).toBe(3 * MINUTE);
  expect(again - first).toBe(45 * MINUTE);
  expect(lastAgain - last).toBe(75 * MINUTE);
});

test('a failure of the store is told, and what is left is tried again, ever later', async () => {
  const archive = await Archive.start();
  const id = await archive.file();
  let isDown = true;
  const { clock, told, retention } = pruner(archive, { success: '30d' }, ({ path }, send) => {
    if (isDown && path === `/${id}`) throw cutOff(path, `cut off with ${TOKEN}`);
    return send();
  });
  retention.start();
  await clock.advance(15 * MINUTE);
  const failed = eventsOf(told, 'prune:failed');
  expect(failed.map(({ retryIn }) => retryIn / MINUTE)).toEqual([1, 2, 4, 8].map((full) => full * 0.875));
  expect(failed[0]).toMatchObject({ queue: 'default', error: { message: 'cut off with [token]' } });
  isDown = false;
  await clock.advance(HOUR);
  expect(eventsOf(told, 'prune:failed')).toHaveLength(4);
  expect(await archive.among([id])).toEqual([]);
});

test('stops at once, in the middle of a step, and says nothing of what it could not do', async () => {
  const archive = await Archive.start();
  const ids = [];
  for (let job = 0; job < 20; job++) ids.push(await archive.file());
  let deletes = 0;
  let stopped: Promise<void> | undefined;
  const { clock, told, retention, requests } = pruner(
    archive,
    { success: '30d' },
    async ({ method, path }, send) => {
      if (method === 'delete' && ++deletes === 5) {
        stopped = retention.stop();
        throw cutOff(path); // the store is closed, say
      }
      return await send();
    },
  );
  retention.start();
  await clock.advance(2 * MINUTE);
  await stopped;
  const last = requests();
  expect(deletes).toBeLessThanOrEqual(6);
  expect(await archive.among(ids)).toHaveLength(20 - deletes + 1);
  await clock.advance(5 * HOUR);
  expect(requests()).toBe(last);
  expect(eventsOf(told, 'prune:failed')).toEqual([]);
  expect(eventsOf(told, 'jobs:pruned')).toHaveLength(1);
});

test('can be stopped before it is started, and more than once', async () => {
  const archive = await Archive.start();
  const { retention, requests } = pruner(archive, { success: '30d' });
  await retention.stop();
  retention.start();
  await retention.stop();
  expect(requests()).toBe(0);
});

describe('a queue', () => {
  /** Time goes on, in small parts, until the answer is yes. */
  async function until(clock: FakeClock, isOver: () => Promise<boolean>, seconds: number): Promise<boolean> {
    for (let second = 0; second < seconds; second++) {
      if (await isOver()) return true;
      await clock.advance(1000);
    }
    return false;
  }

  async function startQueue(
    oada: OADAClient,
    options: ServiceOptions,
  ): Promise<{ stop: () => Promise<void>; clock: FakeClock }> {
    const clock = new FakeClock();
    clock.key = () => systemClock.key(); // the keys of two users' instances are to differ
    const resolved = resolveServiceOptions(options, {});
    const queue = Queue.create('more', oada, {
      ...{ service: NAME, options: resolved, clock, prefersNested: false, events: new Events() },
      retention: resolveRetention(options.retention),
      workers: new Map(),
      slots: new Slots(1, () => Infinity),
      running: new Set(),
      stores: new Map(),
      onSwitches: () => undefined,
      secrets: new Set<string>(),
    });
    let isStopped = false;
    const stop = async (): Promise<void> => {
      const stopping = queue.stop().then(() => (isStopped = true));
      await until(clock, async () => isStopped, 100);
      await stopping;
    };
    onTestFinished(stop);
    await queue.start();
    return { stop, clock };
  }

  test('prunes the jobs of its own store and token, and no others', async () => {
    const archive = await Archive.start();
    const old = await archive.file();
    const { clock } = await startQueue(archive.server.client(OTHER_TOKEN), { retention: { success: '30d' } });
    expect(await until(clock, async () => (await archive.among([old])).length === 0, 600)).toBe(false);
    const own = await startQueue(archive.server.client(TOKEN), { retention: { success: '30d' } });
    expect(await until(own.clock, async () => (await archive.days()).length === 0, 600)).toBe(true);
    expect(await archive.among([old])).toEqual([]);
  });

  test('stops to prune when it is stopped', async () => {
    const archive = await Archive.start();
    const { stop, clock } = await startQueue(archive.server.client(TOKEN), { retention: { keep: 1 } });
    expect(clock.timers).toBeGreaterThan(0);
    await stop();
    expect(clock.timers).toBe(0);
  });

  test('prunes nothing by default', async () => {
    const archive = await Archive.start();
    const old = await archive.file({ date: '1999-01-01' });
    const { clock } = await startQueue(archive.server.client(TOKEN), {});
    expect(await until(clock, async () => (await archive.among([old])).length === 0, 4000)).toBe(false);
    expect(await archive.days()).toEqual(['1999-01-01']);
  });
});

describe('the options', () => {
  test('are of the service', () => {
    const settings = { name: NAME, oada: { domain: 'http://localhost', token: TOKEN } };
    expect(() => new Service({ ...settings, retention: { success: '30d' } })).not.toThrow();
    expect(() => new Service({ ...settings, retention: { success: '30x' as '30d' } })).toThrow(
      'expected `retention.success` to be a time of more than 0 and at most 36500 days',
    );
  });

  test('set no limit where they are left out', () => {
    expect(resolveRetention(undefined)).toBeUndefined();
    expect(resolveRetention({})).toBeUndefined();
    expect(resolveRetention({ success: Infinity, failure: Infinity, keep: Infinity })).toBeUndefined();
    expect(resolveRetention({ failure: '365d', keep: { success: 5 } })).toEqual({
      success: { age: Infinity, keep: 5 },
      failure: { age: 365 * 24 * HOUR, keep: Infinity },
    });
    expect(resolveRetention({ success: 48 * HOUR, keep: 7 })).toEqual({
      success: { age: 48 * HOUR, keep: 7 },
      failure: { age: Infinity, keep: 7 },
    });
  });

  test.each<[unknown, string]>([
    [{ success: '23h' }, 'expected `retention.success` to be a time of at least a day'],
    [{ failure: 0 }, 'expected `retention.failure` to be a time of more than 0'],
    [{ failure: '36501d' }, 'at most 36500 days'],
    [{ failure: Number.NaN }, 'expected `retention.failure`'],
    [{ failure: null }, 'expected `retention.failure`'],
    [{ sucess: '30d' }, 'did you mean `success`?'],
    [{ keep: 0 }, 'expected `retention.keep` to be a whole number from 1, got `0` (number)'],
    [{ keep: 1.5 }, 'expected `retention.keep`'],
    [{ keep: [1] }, 'expected `retention.keep`'],
    [{ keep: { success: 0 } }, 'expected `retention.keep.success` to be a whole number from 1'],
    [{ keep: { failed: 1 } }, 'there is no option `failed`'],
    ['30d', "expected `retention` to be an object like { success: '30d' }, got `30d` (string)"],
    [null, 'expected `retention`'],
  ])('refuses %j', (options, message) => {
    expect(() => resolveRetention(options as RetentionOptions)).toThrow(message);
    expect(() => resolveRetention(options as RetentionOptions)).toThrow(
      expect.objectContaining({ code: 'OADA_JOBS_CONFIG' }),
    );
  });

  test.each([
    ['2023-12-31T23:59:59.999Z', '30d', '2023-12-01'],
    ['2024-01-01T00:00:00.000Z', '30d', '2023-12-02'],
    ['2024-01-01T12:00:00.000Z', '36h', '2023-12-31'],
    ['2024-01-01T11:59:59.999Z', '36h', '2023-12-30'],
    ['2024-01-01T12:00:00.000Z', '1d', '2023-12-31'],
    ['2024-01-01T12:00:00.000Z', '36500d', '1924-01-26'],
  ] as const)('at %s, %s keep the days from %s on', async (now, age, first) => {
    const { success } = limits({ success: age });
    expect(await firstKept(success, [], new Date(now))).toBe(first);
  });
});
