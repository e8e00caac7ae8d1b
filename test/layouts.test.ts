import type { OADAClient } from '@oada/client';
import { JobError, Service } from '@oada/jobs';
import type { ServiceOptions } from '@oada/jobs';
import type { OADAServer } from '@oada/jobs/server';
import { describe, expect, onTestFinished, test } from 'vitest';

import {
  BASE,
  ensureLists,
  countTo,
  eventsOf,
  JOB_TYPE,
  jobOf,
  keysOf,
  listen,
  makeService,
  NAME,
  newKey,
  postJob,
  postResource,
  read,
  runJob,
  startServer,
  TOKEN,
} from './setup.js';
import type { Stored } from './setup.js';

const LISTS = { classic: `${BASE}/jobs`, nested: `${BASE}/jobs/pending` } as const;
const SUCCESS = { classic: `${BASE}/jobs-success`, nested: `${BASE}/jobs/success` } as const;
const FAILURE = { classic: `${BASE}/jobs-failure`, nested: `${BASE}/jobs/failure` } as const;
const TYPED = { classic: `${BASE}/jobs-typed-failure`, nested: `${BASE}/jobs/typed-failure` } as const;

type Layout = keyof typeof LISTS;
const LAYOUTS: readonly Layout[] = ['classic', 'nested'];

const TODAY = new Date().toISOString().slice(0, 10);

/** Makes the nested list where a service of 3 to 5 does. */
async function ensureNested(oada: OADAClient): Promise<void> {
  await ensureLists(oada);
  const _id = await postResource(oada, {}, 'application/vnd.oada.service.jobs.1+json');
  await oada.put({ path: LISTS.classic, data: { pending: { _id } }, contentType: 'application/json' });
}

/** Links a new job in the list of a layout. */
async function post(oada: OADAClient, layout: Layout, job: unknown, key = newKey()): Promise<string> {
  const _id = await postResource(oada, job);
  await oada.put({ path: `${LISTS[layout]}/${key}`, data: { _id }, contentType: 'application/json' });
  return _id;
}

function works(service: Service): Service {
  return service
    .on('good', '5s', () => 'good')
    .on('bad', '5s', () => {
      throw new JobError('no luck', 'luck');
    })
    .on('long', { timeout: 20, grace: 1 }, () => new Promise(() => undefined));
}

/** Posts a job in a layout, and waits until it is filed. */
async function filed(service: Service, oada: OADAClient, layout: Layout, type: string): Promise<string> {
  const key = newKey();
  const done = service.events.next('job:filed', (event) => event.key === key);
  await post(oada, layout, jobOf(type), key);
  await done;
  return key;
}

async function keysAt(oada: OADAClient, path: string): Promise<string[]> {
  return keysOf(await read(oada, path));
}

/** A service by the constructor of 2.x: it makes no nested list. */
function olderService(server: OADAServer, options: ServiceOptions = {}): Service {
  const service = new Service(NAME, server.client(TOKEN), 10, { drainTimeout: '50ms', ...options });
  onTestFinished(() => service.stop());
  return works(service);
}

describe.each(LAYOUTS)('a job that is found in the %s layout', (layout) => {
  test('is filed in the same, success or failure, and a failure of a type under that type as well', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = works(makeService(server));
    await service.start();
    const good = await filed(service, oada, layout, 'good');
    const bad = await filed(service, oada, layout, 'bad');
    const long = await filed(service, oada, layout, 'long');
    expect(await keysAt(oada, `${SUCCESS[layout]}/day-index/${TODAY}`)).toEqual([good]);
    expect(await keysAt(oada, `${FAILURE[layout]}/day-index/${TODAY}`)).toEqual([bad, long]);
    expect(await keysAt(oada, `${TYPED[layout]}/luck/day-index/${TODAY}`)).toEqual([bad]);
    expect(await keysAt(oada, `${TYPED[layout]}/timeout/day-index/${TODAY}`)).toEqual([long]);
    expect(await keysAt(oada, LISTS[layout])).toEqual([]);
    const other = layout === 'classic' ? 'nested' : 'classic';
    await expect(read(oada, SUCCESS[other])).rejects.toMatchObject({ status: 404 });
    await expect(read(oada, FAILURE[other])).rejects.toMatchObject({ status: 404 });
  });

  test('is cancelled by its key, waiting or running, and its request is taken out', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = makeService(server);
    const begun = service.events.next('job:started');
    service.on('endless', '30s', () => new Promise(() => undefined));
    await service.start();
    const done = service.events.next('job:filed');
    await post(oada, layout, jobOf('endless'), 'mine');
    await begun;
    await service.cancel('mine');
    expect(await done).toMatchObject({ key: 'mine', status: 'failure', failureType: 'cancelled' });
    expect(await keysAt(oada, `${TYPED[layout]}/cancelled/day-index/${TODAY}`)).toEqual(['mine']);
    await runJob(service, oada, jobOf('none')); // what comes after it is done, so is the request
    expect((await read(oada, `${BASE}/controls`)).cancel ?? {}).toEqual({});
  });

  test('goes back to its own list when the service stops, and to another instance', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = makeService(server, 'in process', { drainTimeout: 1 });
    const begun = service.events.next('job:started');
    service.on('good', '30s', () => new Promise(() => undefined));
    await service.start();
    await post(oada, layout, jobOf('good'), 'mine');
    await begun;
    await service.stop();
    expect(await keysAt(oada, LISTS[layout])).toEqual(['mine']);
    const next = works(makeService(server));
    const done = next.events.next('job:filed');
    await next.start();
    expect(await done).toMatchObject({ key: 'mine', status: 'success' });
    expect(await keysAt(oada, `${SUCCESS[layout]}/day-index/${TODAY}`)).toEqual(['mine']);
  });
});

test('the same key in both lists is two jobs, each filed where it came from', async () => {
  const server = await startServer();
  const oada = server.client();
  await ensureNested(oada);
  await post(oada, 'classic', jobOf('good'), 'same');
  await post(oada, 'nested', jobOf('bad'), 'same');
  const service = works(makeService(server));
  const both = countTo(service, 'job:filed', 2);
  await service.start();
  await both;
  expect(await keysAt(oada, `${SUCCESS.classic}/day-index/${TODAY}`)).toEqual(['same']);
  expect(await keysAt(oada, `${FAILURE.nested}/day-index/${TODAY}`)).toEqual(['same']);
});

test('a job that is linked in both lists is run once', async () => {
  const server = await startServer();
  const oada = server.client();
  await ensureNested(oada);
  const _id = await post(oada, 'classic', jobOf('count'), 'one');
  await oada.put({ path: `${LISTS.nested}/two`, data: { _id }, contentType: 'application/json' });
  let runs = 0;
  const service = makeService(server).on('count', '5s', () => ++runs);
  const both = countTo(service, 'job:filed', 2);
  await service.start();
  await both;
  expect(runs).toBe(1);
});

describe('the nested list', () => {
  test('is made on a fresh store where the object constructor was called', async () => {
    const server = await startServer();
    const service = makeService(server);
    await service.start();
    expect(await read(server.client(), LISTS.nested)).toMatchObject({
      _type: 'application/vnd.oada.service.jobs.1+json',
    });
  });

  test('is not made by the constructors of 2.x', async () => {
    const server = await startServer();
    await olderService(server).start();
    expect(Object.keys(await read(server.client(), LISTS.classic))).not.toContain('pending');
  });

  test('is not made where the classic one is there alone: a service of 2.x may watch it', async () => {
    const server = await startServer();
    const oada = server.client();
    await ensureLists(oada);
    await makeService(server).start();
    expect(Object.keys(await read(oada, LISTS.classic))).not.toContain('pending');
  });

  test('is served from when it appears, with what is in it by then', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = olderService(server);
    await service.start();
    const list = await postResource(oada, {}, 'application/vnd.oada.service.jobs.1+json');
    const _id = await postResource(oada, jobOf('good'));
    await oada.put({ path: `/${list}`, data: { first: { _id } }, contentType: 'application/json' });
    const done = service.events.next('job:filed');
    await oada.put({
      path: LISTS.classic,
      data: { pending: { _id: list } },
      contentType: 'application/json',
    });
    expect(await done).toMatchObject({ key: 'first', status: 'success' });
    await filed(service, oada, 'nested', 'good');
    await filed(service, oada, 'classic', 'good');
  });

  test('is served where a producer has put it inline, and from where it is moved to', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = olderService(server);
    await service.start();
    // No tree, no list: the link becomes a part of the classic list.
    const inline = await filed(service, oada, 'nested', 'good');
    expect(await keysAt(oada, `${SUCCESS.nested}/day-index/${TODAY}`)).toEqual([inline]);
    expect((await read(oada, LISTS.classic)).pending).toEqual({});
    const list = await postResource(oada, {}, 'application/vnd.oada.service.jobs.1+json');
    await oada.delete({ path: LISTS.nested });
    await oada.put({
      path: LISTS.classic,
      data: { pending: { _id: list } },
      contentType: 'application/json',
    });
    const moved = await filed(service, oada, 'nested', 'good');
    expect(await keysAt(oada, `${SUCCESS.nested}/day-index/${TODAY}`)).toEqual([inline, moved]);
  });

  test('that is inline is read at the start, too', async () => {
    const server = await startServer();
    const oada = server.client();
    await ensureLists(oada);
    await post(oada, 'nested', jobOf('good'), 'early');
    const service = works(makeService(server));
    const done = service.events.next('job:filed');
    await service.start();
    expect(await done).toMatchObject({ key: 'early', status: 'success' });
  });

  test('may be deleted and made anew', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = works(makeService(server));
    await service.start();
    await filed(service, oada, 'nested', 'good');
    await oada.delete({ path: LISTS.nested });
    const list = await postResource(oada, {}, 'application/vnd.oada.service.jobs.1+json');
    await oada.put({
      path: LISTS.classic,
      data: { pending: { _id: list } },
      contentType: 'application/json',
    });
    await filed(service, oada, 'nested', 'good');
  });

  test('may hold versioned links, whose every change is a change of the list', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = works(makeService(server));
    await service.start();
    const done = service.events.next('job:filed');
    const _id = await postResource(oada, jobOf('good'));
    const data = { versioned: { _id, _rev: 0 } };
    await oada.put({ path: LISTS.nested, data, contentType: 'application/json' });
    expect(await done).toMatchObject({ key: 'versioned', status: 'success' });
    await filed(service, oada, 'nested', 'good');
    expect(await keysAt(oada, LISTS.nested)).toEqual([]);
  });

  test('is watched through from jobs, as report readers do: a filed job bumps all that is above it', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = works(makeService(server));
    await service.start();
    const key = await filed(service, oada, 'nested', 'good');
    const jobs: Stored = await read(oada, LISTS.classic);
    expect(jobs.success).toMatchObject({ _rev: expect.any(Number) });
    const success: Stored = await read(oada, SUCCESS.nested);
    expect(success['day-index'][TODAY]).toMatchObject({ _rev: expect.any(Number) });
    const day: Stored = await read(oada, `${SUCCESS.nested}/day-index/${TODAY}`);
    expect(day[key]).toMatchObject({ _rev: expect.any(Number) });
  });
});

describe('a service of one layout', () => {
  test.each(LAYOUTS)('%s leaves the jobs of the other alone', async (layout) => {
    const server = await startServer();
    const oada = server.client();
    await ensureNested(oada);
    const other = layout === 'classic' ? 'nested' : 'classic';
    await post(oada, other, jobOf('good'), 'theirs');
    const service = works(makeService(server, 'in process', { layout }));
    const told = listen(service);
    await service.start();
    await post(oada, other, jobOf('good'), 'theirs-too');
    await filed(service, oada, layout, 'good');
    await filed(service, oada, layout, 'good');
    expect(eventsOf(told, 'job:found').map(({ key }) => key)).not.toContain('theirs');
    expect(await keysAt(oada, LISTS[other])).toEqual(['theirs', 'theirs-too']);
  });

  test('nested makes its lists on a fresh store', async () => {
    const server = await startServer();
    const service = works(makeService(server, 'over a socket', { layout: 'nested' }));
    await service.start();
    await filed(service, server.client(), 'nested', 'good');
  });
});

test('jobs that are there at the start are left alone if that is asked for, and later ones are run', async () => {
  const server = await startServer();
  const oada = server.client();
  await ensureNested(oada);
  await post(oada, 'classic', jobOf('good'), 'old');
  await post(oada, 'nested', jobOf('good'), 'old-too');
  const service = works(makeService(server, 'in process', { skipQueueOnStartup: true }));
  const told = listen(service);
  await service.start();
  await filed(service, oada, 'classic', 'good');
  await filed(service, oada, 'nested', 'good');
  expect(eventsOf(told, 'job:skipped').map(({ key }) => key)).toEqual(['old', 'old-too']);
  expect(await keysAt(oada, LISTS.classic)).toEqual(['old']);
  expect(await keysAt(oada, LISTS.nested)).toEqual(['old-too']);
});

test.each(['a b', 'a/b', '404', '..', '_meta', 'constructor', '<img>', 'ü'])(
  'a failure of the type %j is filed where a path can name it',
  async (type) => {
    const server = await startServer();
    const oada = server.client();
    const service = makeService(server).on('bad', '5s', () => {
      throw new JobError('no', type);
    });
    await service.start();
    for (const layout of LAYOUTS) {
      const key = await filed(service, oada, layout, 'bad');
      const parent: Stored = await read(oada, layout === 'classic' ? TYPED.classic : LISTS.classic);
      const types = layout === 'classic' ? parent : parent['typed-failure'];
      const [segment = ''] = keysOf(types);
      expect(decodeURIComponent(segment)).toBe(type);
      expect(await keysAt(oada, `${TYPED[layout]}/${segment}/day-index/${TODAY}`)).toEqual([key]);
      const job: Stored = await read(oada, `${FAILURE[layout]}/day-index/${TODAY}/${key}`);
      expect(job.failureType).toBe(type);
    }
  },
);

describe('the resources that a job names', () => {
  test('are linked to it in their _meta when it is filed', async () => {
    const server = await startServer();
    const oada = server.client();
    const pdf = await postResource(oada, { name: 'a document' }, 'application/json');
    const other = await postResource(oada, { name: 'another' }, 'application/json');
    const service = works(makeService(server));
    await service.start();
    const named = { resources: [pdf, { _id: other }, `/${pdf}`] };
    const job = await runJob(service, oada, { ...jobOf('good'), ...named }, 'mine');
    for (const resource of [pdf, other]) {
      const jobs: Stored = await read(oada, `/${resource}/_meta/services/${NAME}/jobs`);
      expect(jobs).toEqual({ mine: { _id: job._id } });
    }
  });

  test('that are not there, or not ours, keep no job from being filed', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = works(makeService(server));
    const told = listen(service);
    await service.start();
    const resources = ['resources/none', 'no resource', 5, '../x'];
    const job = await runJob(service, oada, { ...jobOf('good'), resources });
    expect(job).toMatchObject({ status: 'success' });
    expect(eventsOf(told, 'link:failed')).toMatchObject([
      { resource: 'resources/none', error: { code: 'OADA_JOBS_STORE_NOT_FOUND' } },
    ]);
  });
});

test('a job that a tree PUT links before it is written is awaited, in both layouts', async () => {
  const server = await startServer();
  const oada = server.client();
  const service = works(makeService(server));
  await service.start();
  const item = { '*': { _type: JOB_TYPE } };
  const type = 'application/vnd.oada.service.jobs.1+json';
  const jobs = { _type: type, ...item, pending: { _type: type, ...item } };
  const tree = { bookmarks: { _type: 'application/vnd.oada.bookmarks.1+json', services: { '*': { jobs } } } };
  for (const layout of LAYOUTS) {
    const key = newKey();
    const done = service.events.next('job:filed', (event) => event.key === key);
    const request = { path: `${LISTS[layout]}/${key}`, data: jobOf('good') as Record<string, string>, tree };
    await oada.put(request);
    expect(await done).toMatchObject({ status: 'success' });
    expect(await keysAt(oada, `${SUCCESS[layout]}/day-index/${TODAY}`)).toEqual([key]);
  }
});

test('producers move over one by one, and no job is lost or run twice', async () => {
  const server = await startServer();
  const oada = server.client();
  const seen: string[] = [];
  const service = makeService(server).on('good', '5s', (job) => seen.push(job._id));
  const done = new Promise<void>((resolve) => {
    service.events.on('job:filed', () => {
      if (seen.length === 40) resolve();
    });
  });
  await service.start();
  const posts: Promise<string>[] = [];
  for (let index = 0; index < 40; index++)
    posts.push(index < 20 ? postJob(oada, jobOf('good')) : post(oada, 'nested', jobOf('good')));
  const posted = await Promise.all(posts);
  await done;
  expect(seen.toSorted()).toEqual(posted.toSorted());
});
