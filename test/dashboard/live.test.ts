import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { submit } from '@oada/jobs';
import { describe, expect, onTestFinished, test } from 'vitest';

import { systemClock } from '../../lib/clock.js';
import type { Clock } from '../../lib/clock.js';
import { LiveServices } from '../../lib/dashboard/live-services.js';
import type { LiveViewer } from '../../lib/dashboard/live-service.js';
import type { Store } from '../../lib/oada/store.js';
import { storeReader } from '../../lib/operator/lists.js';
import type { OperatorDeps } from '../../lib/operator/operator-deps.js';
import { operate } from '../operator/setup.js';
import {
  BASE,
  countTo,
  deferred,
  ensureLists,
  makeService,
  NAME,
  read,
  startServer,
  TOKEN,
} from '../setup.js';
import { AT, signIn, start } from './setup.js';
import type { Stored } from '../setup.js';

interface Counts {
  readonly pending: number;
  readonly running: number;
  readonly paused: boolean;
  readonly instances: { readonly alive: number };
  readonly days: readonly { readonly day: string; readonly success: number; readonly failure: number }[];
}

const hasToday =
  (success: number, failure: number) =>
  ({ pending, days: [today] }: Counts): boolean =>
    pending === 0 && today?.success === success && today.failure === failure;

describe('what is pushed', () => {
  test('tells of a job from its arrival to its end', async () => {
    const server = await startServer();
    const service = makeService(server);
    const held = deferred();
    service.on('good', '60s', async (_job, { log }) => {
      await log.info('half of it');
      await held.promise;
      return { did: 'it' };
    });
    await service.start();
    const browser = await signIn(
      await start({ stores: [{ name: 'store', domain: server.url, token: TOKEN }] }),
    );
    const live = await browser.events(`${AT}/live`);
    expect(live.response.headers.get('content-type')).toContain('text/event-stream');
    expect(live.response.headers.get('cache-control')).toBe('no-store');
    expect(await live.next('connection')).toEqual({ ok: true });
    expect(await live.next<Counts>('counts')).toMatchObject({
      pending: 0,
      instances: { alive: 1 },
      days: [],
    });
    expect(await live.next<object[]>('throughput')).toHaveLength(359);
    const started = service.events.next('job:started');
    const { _id: id, key } = await submit(server.client(TOKEN), { service: NAME, type: 'good' });
    expect(await live.next('added')).toEqual([{ id, key }]);
    await started;
    const followed = await browser.events(`${AT}/live?jobs=${id}`);
    const job = await followed.next<Stored>('job', ({ updates }) =>
      updates.some(({ status }: Stored) => status === 'half of it'),
    );
    expect(job).toMatchObject({ id, key, state: 'running', document: { _id: id } });
    await live.next<Counts>('counts', ({ pending }) => pending === 1);
    held.resolve();
    expect(await live.next('finished')).toMatchObject([{ id, key, state: 'success', list: 'success' }]);
    await live.next<Counts>('counts', hasToday(1, 0));
    await followed.next<Stored>('job', ({ state, result }) => state === 'success' && result.did === 'it');
  });

  test('is of summaries where more than one job is followed, and of none that is no job', async () => {
    const server = await startServer();
    const service = makeService(server);
    service.on('good', '5s', async () => ({}));
    await service.start();
    const oada = server.client(TOKEN);
    const filed = countTo(service, 'job:filed', 2);
    const jobs = [
      await submit(oada, { service: NAME, type: 'good' }),
      await submit(oada, { service: NAME, type: 'good' }),
    ];
    await filed;
    const queues = (await read(oada, `${BASE}/queues`))._id as string;
    const { events } = await signIn(
      await start({ stores: [{ name: 'store', domain: server.url, token: TOKEN }] }),
    );
    const ids = [queues, ...jobs.map(({ _id }) => _id), 'resources/nothing'];
    const live = await events(`${AT}/live?jobs=${ids.join()}`);
    for (const { _id } of jobs) await live.next<Stored>('job', ({ id }) => id === _id);
    const told = live.seen.filter(({ name }) => name === 'job').map(({ data }) => data as Stored);
    expect(told.every(({ document }) => document === undefined)).toBe(true);
    expect(told.map(({ id }) => id as string)).not.toContain(queues);
  });

  test('tells that the service is paused, of its queues, and of its schedules', async () => {
    const server = await startServer();
    const service = makeService(server);
    service.on('good', '5s', async () => ({}));
    service.schedule('good-daily', { type: 'good', manual: true });
    await service.start();
    const { events, send } = await signIn(
      await start({ stores: [{ name: 'store', domain: server.url, token: TOKEN }] }),
    );
    const live = await events(`${AT}/live`);
    await live.next<Counts>('counts', ({ paused }) => !paused);
    await send('POST', `${AT}/paused`, { paused: true });
    await live.next<Counts>('counts', ({ paused }) => paused);
    await send('POST', `${AT}/queues`, { queue: 'a', domain: server.url, token: TOKEN });
    await live.next<Stored>('changed', ({ what }) => what === 'queues');
    await send('POST', `${AT}/schedules/good-daily`, { action: 'disable' });
    await live.next<Stored>('changed', ({ what }) => what === 'schedules');
    await service.stop();
    await live.next<Counts>('counts', ({ instances }) => instances.alive === 0);
    await live.next<Stored>('changed', ({ what }) => what === 'instances');
  });

  test('tells of lists that were not there before, in both layouts', async () => {
    const server = await startServer();
    const oada = server.client(TOKEN);
    const first = makeService(server, 'in process', { layout: 'classic' });
    await oada.put({ path: BASE, data: { note: 'empty' }, contentType: 'application/json' });
    await ensureLists(oada);
    const { events } = await signIn(
      await start({ stores: [{ name: 'store', domain: server.url, token: TOKEN }] }),
    );
    const live = await events(`${AT}/live`);
    expect(await live.next<Counts>('counts')).toMatchObject({ pending: 0, days: [] });
    first.on('bad', '5s', async () => {
      throw new Error('no');
    });
    await first.start();
    await submit(oada, { service: NAME, type: 'bad', layout: 'classic' });
    await live.next<Counts>('counts', hasToday(0, 1));
    await first.stop();
    const second = makeService(server, 'in process', { layout: 'nested' });
    second.on('good', '5s', async () => ({}));
    await second.start();
    await submit(oada, { service: NAME, type: 'good', layout: 'nested' });
    await live.next<Counts>('counts', hasToday(1, 1));
    expect(await read(oada, BASE)).not.toHaveProperty('jobs-success');
  });

  test('leaves a store in which there is nothing as it is', async () => {
    const server = await startServer();
    const oada = server.client(TOKEN);
    await oada.put({ path: BASE, data: { note: 'empty' }, contentType: 'application/json' });
    const { events } = await signIn(
      await start({ stores: [{ name: 'store', domain: server.url, token: TOKEN }] }),
    );
    const live = await events(`${AT}/live`);
    await live.next('throughput');
    const { services } = await read(oada, '/bookmarks');
    expect(Object.keys(services[NAME] as object)).toEqual(['note']);
  });

  test.each([
    ['jobs=a', 400],
    [`jobs=${Array.from({ length: 51 }, (_, index) => `resources/${String(index)}`).join()}`, 400],
    ['jobs=resources/a&jobs=resources/b', 400],
    ['other=1', 400],
  ])('is refused for %s', async (query, status) => {
    const server = await startServer();
    await ensureLists(server.client(TOKEN));
    const { get } = await signIn(
      await start({ stores: [{ name: 'store', domain: server.url, token: TOKEN }] }),
    );
    expect((await get(`${AT}/live?${query}`)).status).toBe(status);
  });
});

test('a store that goes away and comes back is told of, and what happened meanwhile', async () => {
  const path = await mkdtemp(join(tmpdir(), 'oada-jobs-dashboard-'));
  onTestFinished(() => rm(path, { recursive: true }));
  const server = await startServer({ path });
  await ensureLists(server.client(TOKEN));
  const domain = server.url;
  const browser = await signIn(
    await start({
      stores: [
        { name: 'store', domain, token: TOKEN },
        { name: 'other', domain: (await startServer()).url, token: TOKEN },
      ],
    }),
  );
  const live = await browser.events(`${AT}/live`);
  await live.next('throughput');
  await server.stop();
  const { problem } = await live.next<Stored>('connection', ({ ok }) => ok === false);
  expect(problem).toBeTypeOf('string');
  expect((await browser.get(AT)).status).toBe(502);
  expect((await browser.get('api/stores')).json).toMatchObject([
    { store: 'store', problem: { code: 'OADA_JOBS_STORE_UNREACHABLE' } },
    { store: 'other', services: [] },
  ]);
  const again = await startServer({ path, port: Number(new URL(domain).port) });
  const service = makeService(again);
  service.on('good', '5s', async () => ({}));
  await service.start();
  const filed = countTo(service, 'job:filed', 3);
  for (let index = 0; index < 3; index++) await submit(again.client(TOKEN), { service: NAME, type: 'good' });
  await filed;
  const since = live.seen.findIndex(({ name, data }) => name === 'connection' && !(data as Stored).ok);
  await live.next<Counts>('counts', hasToday(3, 0));
  await live.next<Stored>('connection', (data) => {
    return data.ok === true && live.seen.findIndex((event) => event.data === data) > since;
  });
});

/** Counts the watches that are open. */
function counted(deps: OperatorDeps): { deps: OperatorDeps; open: () => number } {
  let open = 0;
  const { store } = deps;
  const watch: Store['watch'] = async (path) => {
    const made = await store.watch(path);
    open++;
    let isOpen = true;
    return {
      changes: made.changes,
      stop: () => {
        if (isOpen) open--;
        isOpen = false;
        made.stop();
      },
    };
  };
  const counting: Store = {
    client: store.client,
    check: () => store.check(),
    get: (path) => store.get(path),
    head: (path) => store.head(path),
    put: (...args) => store.put(...args),
    delete: (...args) => store.delete(...args),
    ensure: (...args) => store.ensure(...args),
    close: () => store.close(),
    watch,
  };
  return { deps: { ...deps, store: counting }, open: () => open };
}

test('a service is let go of a minute after the last page that shows it was closed, with all its watches', async () => {
  const server = await startServer();
  const service = makeService(server);
  service.on('good', '5s', async () => ({}));
  await service.start();
  const filed = countTo(service, 'job:filed', 1);
  const { _id } = await submit(server.client(TOKEN), { service: NAME, type: 'good' });
  await filed;
  const minutes: (() => void)[] = [];
  const clock: Clock = {
    ...systemClock,
    setTimer: (callback, milliseconds) => {
      if (milliseconds !== 60_000) return systemClock.setTimer(callback, milliseconds);
      minutes.push(callback);
      return () => minutes.splice(minutes.indexOf(callback), 1);
    },
  };
  const { deps, open } = counted({ ...operate(server), clock });
  const services = new LiveServices(clock);
  const seen = deferred();
  const job = deferred();
  const viewer: LiveViewer = {
    tell: (name) => {
      if (name === 'throughput') seen.resolve();
      if (name === 'job') job.resolve();
    },
  };
  const one = services.use(deps, storeReader(deps));
  const leave = one.live.view(viewer, [_id]);
  await Promise.all([seen.promise, job.promise]);
  const withJob = open();
  expect(withJob).toBeGreaterThan(5);
  const other = services.use(deps, storeReader(deps));
  expect(other.live).toBe(one.live);
  leave();
  expect(open()).toBe(withJob - 1);
  one.release();
  one.release();
  expect(minutes).toEqual([]);
  other.release();
  expect(minutes).toHaveLength(1);
  expect(services.size).toBe(1);
  minutes[0]?.();
  expect(services.size).toBe(0);
  expect(open()).toBe(0);
});
