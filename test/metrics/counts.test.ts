import { JobError, retryIn, submit } from '@oada/jobs';
import type { Service } from '@oada/jobs';
import type { OADAClient } from '@oada/client';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';

import {
  allFiled,
  BASE,
  countTo,
  deferred,
  ensureLists,
  eventsOf,
  jobOf,
  listen,
  makeService,
  NAME,
  OTHER_TOKEN,
  postJob as post,
  putEntry,
  read,
  startServer,
  TOKEN,
  WAYS,
} from '../setup.js';
import { countsOf, samplesOf, valueOf } from './exposition.js';

const FINISHED = 'oada_jobs_finished_total';
const KINDS = ['timeout', 'cancelled', 'invalid', 'unknown-type', 'lost'];

/** Ends in every way that there is. */
function doWork(service: Service): void {
  const schema = { type: 'object', required: ['depth'] };
  const attempts = new Map<string, number>();
  service
    .on('plough', { timeout: '10s', config: schema }, () => ({ ok: true }))
    .on('fail', '10s', () => {
      throw new Error('no fuel');
    })
    .on('typed', '10s', (job) => {
      throw new JobError('no seed', { type: `kind-${job._id}` });
    })
    .on('slow', { timeout: 10, grace: 10 }, () => new Promise(() => undefined))
    .on('again', { timeout: '10s', retries: { limit: 2, backoff: 5 } }, ({ retried }) => {
      if (retried < 2) throw new Error('not yet');
    })
    .on('poll', '10s', ({ _id }) => {
      attempts.set(_id, (attempts.get(_id) ?? 0) + 1);
      return attempts.get(_id) === 3 ? 'there' : retryIn(5);
    });
}

/** How the jobs of the day-index ended, as the metric has it. */
async function truth(oada: OADAClient, known: readonly string[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { id } of await allFiled(oada)) {
    const { type, status, failureType } = await read(oada, `/${id}`);
    const outcome = status === 'success' ? status : KINDS.includes(failureType) ? failureType : 'failure';
    const key = `${known.includes(type) ? type : 'other'} ${outcome}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

test.each(WAYS)('jobs are counted as the store has them, %s', async (way) => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  const metrics = new Registry();
  const service = makeService(server, way, { metrics, concurrency: 3 });
  doWork(service);
  const told = listen(service);
  await service.start();
  const filed = countTo(service, 'job:filed', 22);
  for (let count = 0; count < 5; count++) await post(oada, jobOf('plough', { depth: count }));
  for (let count = 0; count < 3; count++) await post(oada, jobOf('fail'));
  for (let count = 0; count < 2; count++) await post(oada, jobOf('typed'));
  for (const type of ['slow', 'slow', 'again', 'poll', 'none', 'of-these']) await post(oada, jobOf(type));
  await post(oada, jobOf('plough'));
  await post(oada, { nothing: 'of a job' });
  await putEntry(oada, 'inline', { service: NAME, type: 'plough' });
  await post(oada, { ...jobOf('plough'), status: 'failure', failureType: 'made-up' });
  await post(oada, {
    ...jobOf('plough'),
    status: 'running',
    takeovers: 2,
    claim: { instance: 'gone', attempt: 3 },
  });
  const startAfter = new Date(Date.now() + 1e6);
  const later = { service: NAME, type: 'plough', startAfter, layout: 'classic' } as const;
  const { key } = await submit(oada, later);
  await service.cancel(key);
  await filed;
  const known = ['plough', 'fail', 'typed', 'slow', 'again', 'poll'];
  const counts = await countsOf(metrics, FINISHED, ['type', 'outcome']);
  expect(counts).toEqual(await truth(oada, known));
  expect(counts).toMatchObject({
    ...{ 'plough success': 5, 'fail failure': 3, 'typed failure': 2, 'slow timeout': 2, 'again success': 1 },
    ...{
      'poll success': 1,
      'other unknown-type': 2,
      'plough invalid': 1,
      'other invalid': 2,
      'plough lost': 1,
    },
    ...{ 'plough failure': 1, 'plough cancelled': 1 },
  });
  expect(await countsOf(metrics, 'oada_jobs_retries_total', ['type'])).toEqual({ again: 2 });
  expect(await countsOf(metrics, 'oada_jobs_stuck_total', ['type'])).toEqual({ slow: 2 });
  expect(await countsOf(metrics, 'oada_jobs_takeovers_total', ['type'])).toEqual({});

  const runs = { plough: 5, fail: 3, typed: 2, slow: 2, again: 3, poll: 3 };
  expect(await countsOf(metrics, 'oada_jobs_run_duration_seconds_count', ['type'])).toEqual(runs);
  expect(await countsOf(metrics, 'oada_jobs_waiting_duration_seconds_count', ['type'])).toEqual(runs);
  const slow = await valueOf(metrics, 'oada_jobs_run_duration_seconds_sum', { type: 'slow' });
  const ran = eventsOf(told, 'job:ran').filter(({ type }) => type === 'slow');
  expect(slow).toBeCloseTo(ran.reduce((sum, { duration }) => sum + duration, 0) / 1000, 6);
  expect(slow).toBeGreaterThanOrEqual(0.02);
  expect(slow).toBeLessThan(5);
});

test('requests are counted as the client was asked them', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  const asked: Record<string, number> = {};
  const counting = new Proxy(oada, {
    get: (client, name) => {
      const member: unknown = Reflect.get(client, name);
      if (typeof member !== 'function') return member;
      return (...values: unknown[]): unknown => {
        if (['get', 'head', 'put', 'delete', 'ensure', 'watch'].includes(String(name)))
          asked[String(name)] = (asked[String(name)] ?? 0) + 1;
        return Reflect.apply(member, client, values) as unknown;
      };
    },
  });
  const metrics = new Registry();
  const service = makeService(server, 'in process', { metrics, oada: counting } as object);
  service.on('plough', '10s', () => undefined);
  const refused = listen(service);
  await service.start();
  const filed = countTo(service, 'job:filed', 10);
  for (let count = 0; count < 10; count++) await post(oada, jobOf('plough'));
  await filed;
  await service.stop();
  expect(await countsOf(metrics, 'oada_jobs_store_requests_total', ['method'])).toEqual(asked);
  expect(asked['put']).toBeGreaterThan(20);
  const errors = eventsOf(refused, 'store:requested').filter(({ error }) => error !== undefined);
  expect(errors.length).toBeGreaterThan(0); // lists that are not there yet
  expect(await valueOf(metrics, 'oada_jobs_store_errors_total')).toBe(errors.length);
});

test('whatever producers post, the labels are few, and tell nothing of jobs and tokens', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  const metrics = new Registry();
  const service = makeService(server, 'in process', { metrics });
  service.on('plough', '10s', () => {
    throw new JobError(TOKEN, { type: TOKEN });
  });
  await service.start();
  const before = (await samplesOf(metrics)).filter(({ name }) => name === FINISHED).length;
  const count = 30;
  const filed = countTo(service, 'job:filed', 3 * count);
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    ids.push(await post(oada, jobOf(`type-${String(index)}\n"\\`)));
    ids.push(
      await post(oada, { ...jobOf('plough'), status: 'failure', failureType: `kind-${String(index)}` }),
    );
    ids.push(await post(oada, jobOf('plough')));
  }
  await filed;
  const samples = await samplesOf(metrics);
  expect(samples.filter(({ name }) => name === FINISHED)).toHaveLength(before);
  expect(new Set(samples.flatMap(({ labels }) => labels['type'] ?? []))).toEqual(
    new Set(['plough', 'other']),
  );
  expect(await countsOf(metrics, FINISHED, ['type', 'outcome'])).toEqual({
    'plough failure': 2 * count,
    'other unknown-type': count,
  });
  const text = await metrics.metrics();
  expect(text).not.toContain(TOKEN);
  for (const id of ids) expect(text).not.toContain(id.slice('resources/'.length));
});

test('labels that text would be broken by are escaped, and those of a type taken away stay', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  const metrics = new Registry();
  const service = makeService(server, 'in process', { metrics });
  const begun = deferred();
  const over = deferred();
  const type = 'plough "deep"\n\\';
  service.on(type, '10s', async () => {
    begun.resolve();
    await over.promise;
  });
  await service.start();
  const filed = countTo(service, 'job:filed', 1);
  await post(oada, jobOf(type));
  await begun.promise;
  service.off(type);
  expect(await countsOf(metrics, 'oada_jobs_running', ['type'])).toEqual({ [type]: 1 });
  over.resolve();
  await filed;
  expect(await countsOf(metrics, FINISHED, ['type'])).toEqual({ [type]: 1 });
});

test('two instances count each job once, and those taken over', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  const metrics = new Registry();
  const services = [1, 2].map(() => {
    const options = { metrics, leaseTimeout: '300ms' } as const;
    return makeService(server, 'over a socket', options).on('plough', '10s', () => undefined);
  });
  for (const service of services) await service.start();
  const told = services.map(listen);
  const count = 40;
  let filed = 0;
  const allOver = deferred();
  for (const { events } of services)
    events.on('job:filed', () => {
      if (++filed === count + 3) allOver.resolve();
    });
  for (let index = 0; index < count; index++) await post(oada, jobOf('plough'));
  for (let index = 0; index < 3; index++)
    await post(oada, { ...jobOf('plough'), status: 'running', claim: { instance: 'gone', attempt: 1 } });
  await allOver.promise;
  const started = told.flatMap((one) => eventsOf(one, 'job:started'));
  expect(started.filter(({ takenFrom }) => takenFrom === 'gone')).toHaveLength(3);
  expect(await allFiled(oada)).toHaveLength(count + 3);
  expect(await countsOf(metrics, FINISHED, ['outcome'])).toEqual({ success: count + 3 });
  expect(await valueOf(metrics, 'oada_jobs_takeovers_total')).toBe(3);
});

test('the jobs of further queues are counted as theirs', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  const metrics = new Registry();
  const service = makeService(server, 'over a socket', { metrics }).on('plough', '10s', () => undefined);
  const kim = server.client(OTHER_TOKEN);
  await ensureLists(oada);
  await ensureLists(kim);
  const started = service.events.next('queue:started', ({ queue }) => queue === 'more');
  await oada.put({ path: `${BASE}/queues`, data: { more: { domain: server.url, token: OTHER_TOKEN } } });
  await service.start();
  await started;
  const filed = countTo(service, 'job:filed', 3);
  await post(oada, jobOf('plough'));
  await post(kim, jobOf('plough'));
  await post(kim, jobOf('plough'));
  await filed;
  expect(await countsOf(metrics, FINISHED, ['queue'])).toEqual({ default: 1, more: 2 });
  expect(await metrics.metrics()).not.toContain(OTHER_TOKEN);
});

test('schedules: how late each occurrence was submitted, and how many were passed over', async () => {
  const server = await startServer();
  const metrics = new Registry();
  const service = makeService(server, 'in process', { metrics }).on('plough', '10s', () => undefined);
  service.schedule('often', { type: 'plough', every: '1s' });
  const told = listen(service);
  const ended = countTo(service, 'schedule:ended', 2);
  await service.start();
  await ended;
  await service.stop();
  const started = eventsOf(told, 'schedule:started');
  const lags = started.map(({ lag }) => lag / 1000);
  expect(await countsOf(metrics, 'oada_jobs_schedule_lag_seconds_count', ['schedule'])).toEqual({
    often: started.length,
  });
  expect(await valueOf(metrics, 'oada_jobs_schedule_lag_seconds_sum')).toBeCloseTo(
    lags.reduce((sum, lag) => sum + lag, 0),
    6,
  );
  expect(Math.max(...lags)).toBeLessThan(5);
  const skipped = eventsOf(told, 'schedule:skipped').reduce((sum, { count }) => sum + count, 0);
  expect(await valueOf(metrics, 'oada_jobs_schedule_skipped_total')).toBe(skipped);
});
