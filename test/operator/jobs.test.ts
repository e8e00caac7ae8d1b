import { JobError, submit } from '@oada/jobs';
import type { Service } from '@oada/jobs';
import type { OADAClient } from '@oada/client';
import { expect, onTestFinished, test } from 'vitest';

import {
  cancelJob,
  findJob,
  isPaused,
  retryEach,
  retryJob,
  findFailures,
  setPaused,
} from '../../lib/operator/job-actions.js';
import type { RetriedJob } from '../../lib/operator/job-actions.js';
import { countJobs } from '../../lib/operator/counts.js';
import { followJob } from '../../lib/operator/follow.js';
import { detailOf } from '../../lib/operator/job-summary.js';
import { listJobs } from '../../lib/operator/list-jobs.js';
import type { JobPage, ListRequest } from '../../lib/operator/list-jobs.js';
import { storeReader } from '../../lib/operator/lists.js';
import type { OperatorDeps } from '../../lib/operator/operator-deps.js';
import { listServices } from '../../lib/operator/services.js';
import {
  countTo,
  deferred,
  jobOf,
  makeService,
  NAME,
  postJob,
  postResource,
  putEntry,
  startServer,
  TOKEN,
} from '../setup.js';
import { operate } from './setup.js';

interface Scene {
  readonly deps: OperatorDeps;
  readonly oada: OADAClient;
  readonly service: Service;
  readonly list: (request: ListRequest) => Promise<JobPage>;
}

/** A service whose jobs of type `fine` succeed and whose jobs of type `bad` fail, as `weather`. */
async function setUp(): Promise<Scene> {
  const server = await startServer();
  const deps = operate(server);
  const service = makeService(server)
    .on('fine', '5s', () => ({ ok: true }))
    .on('bad', '5s', () => {
      throw new JobError('It rains.', 'weather');
    });
  await service.start();
  return {
    deps,
    oada: server.client(TOKEN),
    service,
    list: (request) => listJobs(deps, request, storeReader(deps)),
  };
}

async function run({ service, oada }: Scene, types: readonly string[]): Promise<string[]> {
  const filed = countTo(service, 'job:filed', types.length);
  const ids: string[] = [];
  for (const [index, type] of types.entries()) {
    const { _id } = await submit(oada, { service: NAME, type, config: { index, of: `Field-${type}` } });
    ids.push(_id);
  }
  await filed;
  return ids;
}

test('jobs are listed by state, type, owner, failure type and text, a page at a time', async () => {
  const scene = await setUp();
  const types = ['fine', 'bad', 'fine', 'bad', 'bad', 'fine', 'fine'];
  const ids = await run(scene, types);
  const idsOf = (page: JobPage): string[] => page.jobs.map(({ id }) => id);
  const failures = ids.filter((_, index) => types[index] === 'bad');
  const all = await scene.list({ list: 'failure' });
  expect(idsOf(all).toSorted()).toEqual(failures.toSorted());
  expect(all.next).toBeUndefined();
  expect(all.jobs[0]).toMatchObject({
    ...{ type: 'bad', state: 'failure', attempts: 1 },
    error: { message: 'It rains.', type: 'weather' },
  });
  expect(idsOf(await scene.list({ list: 'failure', failureType: 'weather' })).toSorted()).toEqual(
    failures.toSorted(),
  );
  expect(idsOf(await scene.list({ list: 'failure', failureType: 'timeout' }))).toEqual([]);
  expect(idsOf(await scene.list({ list: 'success', type: 'bad' }))).toEqual([]);
  expect(idsOf(await scene.list({ list: 'success', text: 'FIELD-FINE' }))).toHaveLength(4);
  expect(idsOf(await scene.list({ list: 'success', owner: 'users/kim' }))).toEqual([]);
  expect(idsOf(await scene.list({ list: 'success', day: '2001-01-01' }))).toEqual([]);
  expect(idsOf(await scene.list({ list: 'pending' }))).toEqual([]);

  const seen: string[] = [];
  let after: string | undefined;
  let pages = 0;
  do {
    const page = await scene.list({ list: 'success', limit: 3, after });
    seen.push(...idsOf(page));
    after = page.next;
    pages++;
  } while (after !== undefined);
  expect(pages).toBe(2);
  expect(seen.toSorted()).toEqual(ids.filter((_, index) => types[index] === 'fine').toSorted());
});

test('a bad request is refused with what it should have been', async () => {
  const { list } = await setUp();
  await expect(list({ list: 'success', limit: 1001 })).rejects.toThrow('at most 1000');
  await expect(list({ list: 'success', day: 'today' })).rejects.toThrow('like 2026-01-31');
  await expect(list({ list: 'success', owner: 'kim' })).rejects.toThrow('users/abc');
  await expect(list({ list: 'success', after: 'nonsense' })).rejects.toThrow('the page before');
});

test('a running job is listed as such, told with the heartbeat, and is cancelled', async () => {
  const scene = await setUp();
  const { deps, service, oada } = scene;
  const begun = deferred();
  service.on('slow', '20s', async (_job, { signal }) => {
    begun.resolve();
    await new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        reject(signal.reason);
      });
    });
  });
  const { _id, key } = await submit(oada, { service: NAME, type: 'slow' });
  await begun.promise;
  const { jobs } = await scene.list({ list: 'running' });
  expect(jobs).toMatchObject([{ id: _id, key, state: 'running', type: 'slow' }]);
  expect(jobs[0]!.instance).toMatch(/^\w{27}$/);
  const found = await findJob(deps, _id, storeReader(deps));
  expect(found.key).toBe(key);
  const filed = service.events.next('job:filed');
  await cancelJob(deps, found);
  expect(await filed).toMatchObject({ jobId: _id, status: 'failure', failureType: 'cancelled' });
  const over = await findJob(deps, _id, storeReader(deps));
  await expect(cancelJob(deps, over)).rejects.toThrow('is over');
});

test('a job is found by its id and by its key, pending or filed, whatever its producer called it', async () => {
  const scene = await setUp();
  const { deps, oada, service } = scene;
  const lists = storeReader(deps);
  const paused = service.events.next('queue:paused');
  await setPaused(deps, true);
  await paused;
  const id = await postJob(oada, jobOf('fine'), 'a-key-of-its-own');
  expect(await findJob(deps, 'a-key-of-its-own', lists)).toMatchObject({ id, key: 'a-key-of-its-own' });
  expect(await findJob(deps, id, lists)).toMatchObject({ id, key: 'a-key-of-its-own' });
  expect((await scene.list({ list: 'pending' })).jobs).toMatchObject([{ id, state: 'waiting' }]);
  expect(await isPaused(deps)).toBe(true);
  const filed = service.events.next('job:filed');
  await setPaused(deps, false);
  await filed;
  expect(await isPaused(deps)).toBe(false);
  expect(await findJob(deps, 'a-key-of-its-own', lists)).toMatchObject({ id });
  for (const name of ['nothing-of-that-name', 'resources/none', '../..', '', 'a b'])
    await expect(findJob(deps, name, lists)).rejects.toThrow('there is no job');
});

test('a failure is retried once by whoever asks, and what has not failed is not', async () => {
  const scene = await setUp();
  const { deps, service } = scene;
  const [failed = '', fine = ''] = await run(scene, ['bad', 'fine']);
  const lists = storeReader(deps);
  const found = await findJob(deps, failed, lists);
  service.on('bad', '5s', () => 'well now');
  const filed = service.events.next('job:filed');
  const [one, other] = await Promise.all([retryJob(deps, found, 'users/sam'), retryJob(deps, found)]);
  expect(one._id).toBe(other._id);
  expect(await filed).toMatchObject({ jobId: one._id, status: 'success' });
  const again = await findJob(deps, one._id, lists);
  expect(again.document).toMatchObject({ type: 'bad', config: found.document['config'] });
  expect(again.document['startedBy']).toMatchObject({ job: failed });
  expect([one.isNew, other.isNew].toSorted()).toEqual([false, true]);
  expect(await retryJob(deps, found)).toEqual({ ...one, isNew: false });
  await expect(retryJob(deps, await findJob(deps, fine, lists))).rejects.toThrow('has not failed');
});

test('what is no job of the service is not shown, cancelled or retried', async () => {
  const { deps, oada } = await setUp();
  const lists = storeReader(deps);
  const queue = await postResource(
    oada,
    { domain: 'north.example.org', token: 's3cret' },
    'application/json',
  );
  const foreign = await postResource(oada, { ...jobOf('bad'), service: 'mailer', status: 'failure' });
  await putEntry(oada, 'foreign', { _id: foreign });
  for (const name of [queue, foreign, 'foreign'])
    await expect(findJob(deps, name, lists)).rejects.toThrow(`there is no job "${name}" of ${NAME}`);
  const told: RetriedJob[] = [];
  for await (const one of retryEach(deps, [queue, foreign])) told.push(one);
  expect(told).toMatchObject(
    [queue, foreign].map((id) => ({ id, outcome: { error: { message: `${id} is no job of ${NAME}` } } })),
  );
});

test('all failures that fit are retried, each told of', async () => {
  const scene = await setUp();
  const { deps, service } = scene;
  const ids = await run(scene, ['bad', 'fine', 'bad', 'bad']);
  service.on('bad', '5s', () => 'well now');
  const filed = countTo(service, 'job:filed', 3);
  const retried: RetriedJob[] = [];
  const failures = await findFailures(deps, { type: 'bad' }, storeReader(deps));
  for await (const one of retryEach(deps, failures)) retried.push(one);
  await filed;
  expect(retried.map(({ id }) => id).toSorted()).toEqual([ids[0], ids[2], ids[3]].toSorted());
  expect(retried.every(({ outcome }) => 'job' in outcome)).toBe(true);
  expect((await scene.list({ list: 'success' })).jobs).toHaveLength(4);
});

test('what is linked among the jobs and is none of the service is not listed, nor what is gone', async () => {
  const scene = await setUp();
  const { deps, oada } = scene;
  await run(scene, ['bad']);
  const today = new Date().toISOString().slice(0, 10);
  const foreign = await postResource(oada, {
    service: 'mill',
    type: 'bad',
    status: 'failure',
    config: { key: 's3cret' },
  });
  const queue = await postResource(oada, { domain: 'x.example', token: 's3cret' }, 'application/json');
  const links = { foreign: { _id: foreign }, queue: { _id: queue }, gone: { _id: 'resources/gone' } };
  for (const layout of [deps.paths.nested, deps.paths.classic]) {
    const list = layout.dayIndex('failure', today);
    await deps.store.ensure(list, deps.paths.tree);
    await deps.store.put(list, links);
  }
  expect((await scene.list({ list: 'failure' })).jobs).toMatchObject([
    { type: 'bad', error: { type: 'weather' } },
  ]);
  expect((await scene.list({ list: 'failure', text: 's3cret' })).jobs).toEqual([]);
  expect(await findFailures(deps, {}, storeReader(deps))).toHaveLength(1);
});

test('counts tell of the pending, the running, the days and the instances', async () => {
  const scene = await setUp();
  await run(scene, ['fine', 'bad', 'fine']);
  const { deps, oada, service } = scene;
  const paused = service.events.next('queue:paused');
  await setPaused(deps, true);
  await paused;
  await postJob(oada, jobOf('fine'));
  await putEntry(oada, 'no-link', { what: 'ever' });
  const today = new Date().toISOString().slice(0, 10);
  expect(await countJobs(deps, storeReader(deps))).toEqual({
    ...{ pending: 1, running: 0, paused: true },
    instances: { alive: 1, silent: 0 },
    days: [{ day: today, success: 2, failure: 1 }],
  });
  expect(await listServices(deps.store)).toEqual([NAME]);
});

test('a job is told with its log, in order, and nothing of what is not understood', async () => {
  const scene = await setUp();
  const { deps, service } = scene;
  service.on('talks', '5s', async (_job, { log }) => {
    await log.info('one', { n: 1 });
    await log.info('two');
    return { done: true };
  });
  const [id = ''] = await run(scene, ['talks']);
  const { document, key } = await findJob(deps, id, storeReader(deps));
  const detail = detailOf(id, key, document);
  expect(detail.updates.map(({ status }) => status)).toEqual(['started', 'one', 'two', 'success']);
  expect(detail.updates[1]).toMatchObject({ meta: { n: 1 } });
  expect(detail).toMatchObject({ state: 'success', result: { done: true } });
  expect(detail.duration).toBeGreaterThanOrEqual(0);
  const odd = detailOf(id, key, {
    ...{
      type: 7,
      updates: { a: 'x', b: { status: 1 } },
      owner: 'root',
      children: { c: 5 },
      progress: 'much',
    },
    ...{ status: 'failure', result: 'flat', startedBy: 'me', attempts: 'many' },
  });
  expect(odd).toMatchObject({ type: '', updates: [], children: [], attempts: 0, state: 'failure' });
  expect(odd).not.toHaveProperty('owner');
  expect(odd).not.toHaveProperty('progress');
});

test('a job is followed from its first update to its end', async () => {
  const scene = await setUp();
  const { deps, service, oada } = scene;
  const go = deferred();
  service.on('waits', '20s', async (_job, { log }) => {
    await go.promise;
    await log.info('gone on');
  });
  const { _id } = await submit(oada, { service: NAME, type: 'waits' });
  const statuses: unknown[] = [];
  const running = deferred();
  const over = deferred();
  const stop = await followJob(deps, _id, {
    changed: ({ status }) => {
      statuses.push(status);
      if (status === 'running') running.resolve();
      if (status === 'success') over.resolve();
    },
    lost: () => undefined,
  });
  onTestFinished(stop);
  await running.promise;
  go.resolve();
  await over.promise;
  expect(statuses.at(-1)).toBe('success');
});
