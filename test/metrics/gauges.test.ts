import { Service } from '@oada/jobs';
import type { OADAClient } from '@oada/client';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { generate, parse } from 'xksuid';

import { Events } from '../../lib/events.js';
import { foundJob } from '../../lib/found-job.js';
import { keyTime } from '../../lib/key.js';
import { ServiceMetrics } from '../../lib/metrics/service-metrics.js';
import { pathsOf } from '../../lib/paths.js';
import { FakeClock } from '../fake-clock.js';
import {
  BASE,
  countTo,
  deferred,
  ensureLists,
  JOB_TYPE,
  jobOf,
  makeService,
  NAME,
  OTHER_TOKEN,
  postJob,
  putEntry,
  read,
  startServer,
  TOKEN,
} from '../setup.js';
import { countsOf, samplesOf, valueOf } from './exposition.js';

const MINUTE = 60_000;
const AGE = 'oada_jobs_oldest_pending_age_seconds';

/** Posts a job that was submitted some time ago, as its key says. */
async function postOld(oada: OADAClient, job: object, ago: number): Promise<string> {
  const key = generate(false, Date.now() - ago);
  await oada.put({ path: `/resources/${key}`, data: job, contentType: JOB_TYPE });
  await putEntry(oada, key, { _id: `resources/${key}` });
  return key;
}

/** A work function that waits to be let go. */
function blocked(service: Service, type: string): { begun: Promise<void>; end: () => void } {
  const begun = deferred();
  const over = deferred();
  service.on(type, '1m', async () => {
    begun.resolve();
    await over.promise;
  });
  return { begun: begun.promise, end: over.resolve };
}

test('gauges show what is in the lists: waiting, delayed, held, running, and how long the oldest waits', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  const other = makeService(server, 'over a socket', { concurrency: 1 }); // and it is taken
  const theirs = blocked(other, 'plough');
  await other.start();
  await postJob(oada, jobOf('plough'));
  await theirs.begun;

  const metrics = new Registry();
  const service = makeService(server, 'over a socket', { metrics, concurrency: 1, layout: 'classic' });
  const ours = blocked(service, 'sow');
  service.on('plough', '10s', () => undefined);
  const held = service.events.next('job:held');
  await service.start();
  await held;
  await postJob(oada, jobOf('sow'));
  await ours.begun;
  const found = countTo(service, 'job:found', 4);
  await postOld(oada, jobOf('sow'), 10 * MINUTE);
  await postOld(oada, jobOf('sow'), 60 * MINUTE);
  await postOld(oada, jobOf('sow'), 20 * MINUTE);
  const startAfter = new Date(Date.now() + MINUTE).toISOString();
  await postOld(oada, { ...jobOf('sow'), startAfter }, 600 * MINUTE);
  await found;
  const states = (): Promise<Record<string, number>> => countsOf(metrics, 'oada_jobs_pending', ['state']);
  await expect.poll(states).toEqual({ waiting: 3, delayed: 1, held: 1 });
  const age = await valueOf(metrics, AGE, { queue: 'default' });
  expect(age).toBeGreaterThanOrEqual(3599);
  expect(age).toBeLessThan(3700);
  expect(await countsOf(metrics, 'oada_jobs_running', ['type'])).toEqual({ sow: 1 });
  const running = (await samplesOf(metrics)).filter(({ name }) => name === 'oada_jobs_running');
  expect(running.map(({ labels }) => labels['type']).toSorted()).toEqual(['other', 'plough', 'sow']);

  const filed = countTo(service, 'job:filed', 4);
  ours.end();
  await filed;
  theirs.end();
  await expect.poll(states).toEqual({ delayed: 1 });
  expect(await valueOf(metrics, AGE)).toBe(0);
  await expect.poll(() => countsOf(metrics, 'oada_jobs_running', ['type'])).toEqual({});
});

test('a job that only has to be filed is told of as that, and not as running', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  await ensureLists(oada);
  const put = oada.put.bind(oada);
  const mayFile = deferred();
  oada.put = async (request) => {
    if (request.path.includes('day-index')) await mayFile.promise;
    return await put(request);
  };
  const metrics = new Registry();
  const service = new Service({
    name: NAME,
    oada,
    concurrency: 1,
    leaseTimeout: 300,
    drainTimeout: '50ms',
    metrics,
  });
  onTestFinished(() => service.stop());
  const work = blocked(service, 'plough');
  service.on('sow', '10s', () => undefined);
  await service.start();
  const ended = countTo(service, 'job:succeeded', 3);
  for (let count = 0; count < 3; count++) await postJob(oada, jobOf('sow'));
  await ended;
  await postJob(oada, jobOf('plough'));
  await work.begun;
  expect(await countsOf(metrics, 'oada_jobs_running', ['type'])).toEqual({ plough: 1 });
  expect(await countsOf(metrics, 'oada_jobs_filing', ['service', 'queue'])).toEqual({ 'tractor default': 3 });
  const heartbeats = (await read(oada, `${BASE}/instances`)) as Record<string, { _id?: string }>;
  const [own] = Object.values(heartbeats).flatMap(({ _id }) => _id ?? []);
  await expect.poll(() => read(oada, `/${own!}`)).toMatchObject({ running: 1, filing: 3 });
  expect(await read(oada, `/${own!}`)).toMatchObject({ jobs: { length: 1 } });
  const filed = countTo(service, 'job:filed', 4);
  mayFile.resolve();
  work.end();
  await filed;
  await expect.poll(() => countsOf(metrics, 'oada_jobs_filing', ['queue'])).toEqual({});
});

test.each([
  ['as soon as it comes', {}, 0, 0],
  ['an hour after it was submitted', {}, 60 * MINUTE, 60 * MINUTE],
  [
    'when it was due',
    { startAfter: new Date(Date.now() - 10 * MINUTE).toISOString() },
    60 * MINUTE,
    10 * MINUTE,
  ],
  [
    'after something was last done for it',
    { updates: { [generate(false, Date.now() - 5 * MINUTE)]: { status: 'interrupted', time: 'x' } } },
    60 * MINUTE,
    5 * MINUTE,
  ],
  ['with a key of a time to come', {}, -60 * MINUTE, 0],
])('a job that is run %s has waited so long', async (_, more, ago, waited) => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  const metrics = new Registry();
  const service = makeService(server, 'in process', { metrics }).on('plough', '10s', () => undefined);
  await service.start();
  const started = service.events.next('job:started');
  await postOld(oada, { ...jobOf('plough'), ...more }, ago);
  const event = await started;
  expect(event.waited).toBeGreaterThanOrEqual(Math.max(0, waited - 1000));
  expect(event.waited).toBeLessThan(waited + MINUTE);
  expect(await valueOf(metrics, 'oada_jobs_waiting_duration_seconds_sum')).toBeCloseTo(
    event.waited / 1000,
    6,
  );
});

test.each([
  ['an old job that is linked anew has waited since then', 60 * MINUTE, 0, 0],
  ['of a link and a job the later tells the time', 10 * MINUTE, 60 * MINUTE, 10 * MINUTE],
  ['a key of a time to come tells nothing', 0, -60 * MINUTE, 0],
  ['one of the last second tells no more than that it is new', 1000, 1000, 0],
  ['a link whose key tells nothing leaves it to the job', 60 * MINUTE, undefined, 60 * MINUTE],
])('%s', (_, idAgo, keyAgo, waited) => {
  const clock = new FakeClock();
  const at = (ago: number): string => generate(false, clock.now().getTime() - ago);
  const key = keyAgo === undefined ? 'job-1' : at(keyAgo);
  const found = foundJob(pathsOf(NAME).classic, key, { _id: `resources/${at(idAgo)}` }, clock);
  expect(clock.now().getTime() - found.waitingSince).toBe(waited);
});

test('a retry has waited since it was due', async () => {
  const server = await startServer();
  const service = makeService(server, 'in process', {});
  service.on('plough', { timeout: '10s', retries: { limit: 1, backoff: 50, jitter: 0 } }, ({ retried }) => {
    if (retried === 0) throw new Error('not yet');
  });
  await service.start();
  const postponed = service.events.next('job:postponed');
  const second = service.events.next('job:started', ({ attempt }) => attempt === 2);
  await postOld(server.client(TOKEN), jobOf('plough'), 60 * MINUTE);
  const { until, isRetry } = await postponed;
  expect(isRetry).toBe(true);
  const { waited } = await second;
  expect(waited).toBeLessThanOrEqual(Date.now() - until.getTime());
});

test('a job that is to be retried is delayed until then', async () => {
  const server = await startServer();
  const metrics = new Registry();
  const service = makeService(server, 'in process', { metrics });
  service.on('plough', { timeout: '10s', retries: { limit: 1, backoff: '1h' } }, () => {
    throw new Error('not yet');
  });
  await service.start();
  const postponed = service.events.next('job:postponed');
  await postOld(server.client(TOKEN), jobOf('plough'), 60 * MINUTE);
  await postponed;
  await expect.poll(() => countsOf(metrics, 'oada_jobs_running', ['type'])).toEqual({});
  expect(await countsOf(metrics, 'oada_jobs_pending', ['state'])).toEqual({ delayed: 1 });
  expect(await valueOf(metrics, AGE)).toBe(0);
});

test('a service that has stopped is let go of', async () => {
  const registry = new Registry();
  let asked = 0;
  const queues = {
    [Symbol.iterator]: () => {
      asked++;
      return new Set<never>().values();
    },
  };
  const events = new Events();
  const options = {
    service: NAME,
    given: registry,
    workers: new Map(),
    events,
    clock: new FakeClock(),
    queues,
  };
  const metrics = new ServiceMetrics(options);
  await metrics.start();
  await registry.metrics();
  expect(asked).toBeGreaterThan(0);
  metrics.stop();
  asked = 0;
  events.emit('schedule:skipped', { schedule: 'x', occurrence: 'y', reason: 'missed', count: 1 });
  expect(await valueOf(registry, 'oada_jobs_schedule_skipped_total')).toBe(0);
  expect(asked).toBe(0);
});

test('a service that has stopped shows nothing, but what it counted stays; others in its registry go on', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  const metrics = new Registry();
  const [one, two] = [NAME, 'seeder'].map((name) => {
    const made = makeService(server, 'in process', { metrics, name } as object);
    return made.on('plough', '10s', () => undefined);
  });
  await one!.start();
  await two!.start();
  const filed = countTo(one!, 'job:filed', 1);
  await postJob(oada, jobOf('plough'));
  await filed;
  const services = async (name: string): Promise<unknown[]> => {
    const samples = (await samplesOf(metrics)).filter((sample) => sample.name === name);
    return [...new Set(samples.map(({ labels }) => labels['service']))];
  };
  expect(await services(AGE)).toEqual([NAME, 'seeder']);
  await one!.stop();
  for (const name of [AGE, 'oada_jobs_pending', 'oada_jobs_running'])
    expect(await services(name)).toEqual(['seeder']);
  expect(await countsOf(metrics, 'oada_jobs_finished_total', ['service'])).toEqual({ [NAME]: 1 });
  await two!.stop();
  expect(await services(AGE)).toEqual([]);
});

test('jobs that are let end while the service stops are shown as running', async () => {
  const server = await startServer();
  const metrics = new Registry();
  const service = makeService(server, 'in process', { metrics, drainTimeout: '10s' });
  const work = blocked(service, 'plough');
  await service.start();
  await postJob(server.client(TOKEN), jobOf('plough'));
  await work.begun;
  const stopped = service.stop();
  expect(await countsOf(metrics, 'oada_jobs_running', ['type'])).toEqual({ plough: 1 });
  work.end();
  await stopped;
  expect(await countsOf(metrics, 'oada_jobs_running', ['type'])).toEqual({});
});

test('a queue whose entry goes is shown no more', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  const metrics = new Registry();
  const service = makeService(server, 'over a socket', { metrics });
  await ensureLists(oada);
  await ensureLists(server.client(OTHER_TOKEN));
  await oada.put({ path: `${BASE}/queues`, data: { more: { domain: server.url, token: OTHER_TOKEN } } });
  const started = service.events.next('queue:started', ({ queue }) => queue === 'more');
  await service.start();
  await started;
  const queues = async (): Promise<unknown[]> => {
    const ages = (await samplesOf(metrics)).filter(({ name }) => name === AGE);
    return ages.map(({ labels }) => labels['queue']);
  };
  expect(await queues()).toEqual(['default', 'more']);
  const stopped = service.events.next('queue:stopped', ({ queue }) => queue === 'more');
  await oada.delete({ path: `${BASE}/queues/more` });
  await stopped;
  expect(await queues()).toEqual(['default']);
});

test('the time in a key is that which its maker has put there', () => {
  const now = fc.integer({ min: 1_400_000_000, max: 1_400_000_000 + 2 ** 32 - 1 });
  fc.assert(
    fc.property(now, (seconds) => {
      const key = generate(false, seconds * 1000);
      expect(keyTime(key)).toBe(parse(key).ts.getTime());
      expect(keyTime(key)).toBe(seconds * 1000);
    }),
  );
  for (const other of ['', 'job-1', 'a'.repeat(26), `${'a'.repeat(26)}-`, 'a'.repeat(64)])
    expect(keyTime(other)).toBeUndefined();
});
