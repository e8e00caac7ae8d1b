import { Service } from '@oada/jobs';
import { expect, onTestFinished, test } from 'vitest';

import { StoreError } from '../lib/errors.js';
import { IDLE_BEAT_MS, OtherInstances, OwnInstance } from '../lib/instances.js';
import type { Store } from '../lib/oada/store.js';
import { pathsOf } from '../lib/paths.js';
import { FakeClock } from './fake-clock.js';
import { jobOf, NAME, postJob, startServer, TOKEN } from './setup.js';

const LEASE_MS = 300;

test('an instance that has nothing to do until a retry is due is not taken for dead when it runs that', async () => {
  const server = await startServer();
  const runs: string[] = [];
  const running = new Set<string>();
  const runTwice: string[] = [];
  const instances = [1, 2].map(() => {
    const service = new Service({
      name: NAME,
      oada: { domain: server.url, token: TOKEN },
      leaseTimeout: LEASE_MS,
      drainTimeout: 50,
    });
    onTestFinished(() => service.stop());
    const retries = { limit: 1, backoff: 2 * LEASE_MS, jitter: 0 };
    service.on('plough', { timeout: '10s', retries }, async ({ _id, attempts }) => {
      runs.push(_id);
      if (running.has(_id)) runTwice.push(_id);
      running.add(_id);
      // Long enough for the other one to look, and to begin with it as well.
      await new Promise((resolve) => setTimeout(resolve, LEASE_MS));
      running.delete(_id);
      if (attempts === 0) throw new Error('not yet');
    });
    return service;
  });
  for (const instance of instances) await instance.start();
  let filed = 0;
  const allFiled = new Promise<void>((resolve) => {
    for (const instance of instances)
      instance.events.on('job:filed', () => {
        if (++filed === 8) resolve();
      });
  });
  for (let count = 0; count < 8; count++) await postJob(server.client(), jobOf('plough'));
  await allFiled;
  expect(runTwice).toEqual([]);
  expect(runs).toHaveLength(16);
});

/** Others as they are seen by way of a store that answers as the test says: with a revision, or not. */
function watchOthers(answer: () => number | undefined): { clock: FakeClock; dead: string[] } {
  const clock = new FakeClock();
  const head = async (path: string): Promise<{ rev: number; etag: string }> => {
    const rev = answer();
    if (rev === undefined) throw new StoreError('OADA_JOBS_STORE_UNREACHABLE', 'It is away', { path });
    return { rev, etag: String(rev) };
  };
  const store = { head, delete: () => Promise.resolve() } as unknown as Store; // no more is asked of it
  const dead: string[] = [];
  const options = { store, paths: pathsOf(NAME), clock, leaseTimeout: LEASE_MS };
  const others = new OtherInstances(options, (instance) => dead.push(instance));
  onTestFinished(() => {
    others.stop();
  });
  others.holds('other', 'job');
  return { clock, dead };
}

test('an instance whose heartbeat has stood still for as long as the lease is dead', async () => {
  const { clock, dead } = watchOthers(() => 5);
  await clock.advance(0.9 * LEASE_MS);
  expect(dead).toEqual([]);
  await clock.advance(0.2 * LEASE_MS);
  expect(dead).toEqual(['other']);
});

test('a store that was away says nothing of the instances: the lease begins anew', async () => {
  let isAway = false;
  const { clock, dead } = watchOthers(() => (isAway ? undefined : 5));
  await clock.advance(0.5 * LEASE_MS);
  isAway = true;
  await clock.advance(5 * LEASE_MS);
  isAway = false;
  await clock.advance(0.9 * LEASE_MS);
  expect(dead).toEqual([]);
  await clock.advance(LEASE_MS);
  expect(dead).toEqual(['other']);
});

test('an instance beats often while it holds jobs, and now and then while it does not; what it holds is told', async () => {
  const clock = new FakeClock();
  const beats: unknown[] = [];
  const put = async (path: string, data: object): Promise<{ rev: number; etag: string }> => {
    if ('beats' in data) beats.push(data);
    return { rev: 1, etag: path };
  };
  const store = { put, ensure: () => Promise.resolve(), delete: () => Promise.resolve() } as unknown as Store;
  const options = { store, paths: pathsOf(NAME), clock, leaseTimeout: LEASE_MS, concurrency: 2 };
  const own = new OwnInstance(options);
  await own.register();
  beats.length = 0;
  await clock.advance(2 * IDLE_BEAT_MS);
  expect(beats).toMatchObject([{ running: 0, jobs: [] }, { running: 0 }]);
  await clock.advance(LEASE_MS);
  beats.length = 0;
  let finish: () => void = () => undefined;
  const lease = { isFiling: false };
  const held = own.holding('resources/a', lease, () => new Promise<void>((resolve) => (finish = resolve)));
  await clock.advance(LEASE_MS);
  expect(beats.length).toBeGreaterThanOrEqual(3);
  expect(beats.at(-1)).toMatchObject({ running: 1, filing: 0, jobs: ['resources/a'] });
  lease.isFiling = true;
  beats.length = 0;
  await clock.advance(LEASE_MS);
  expect(beats.length).toBeGreaterThanOrEqual(2);
  expect(beats.at(-1)).toMatchObject({ running: 0, filing: 1, jobs: [] });
  finish();
  await held;
  await own.unregister();
  beats.length = 0;
  await clock.advance(3 * IDLE_BEAT_MS);
  expect(beats).toEqual([]);
});
