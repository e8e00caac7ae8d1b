import { connect } from '@oada/client';
import { OADAClient } from '@oada/client';
import type { OADAServer } from '@oada/jobs/server';
import { describe, expect, onTestFinished, test } from 'vitest';

import { systemClock } from '../lib/clock.js';
import { ConfigError, IdempotencyError, StoreError } from '../lib/errors.js';
import type { JobRequest } from '../lib/job-request.js';
import type { Json } from '../lib/json.js';
import { SocketConnection } from '../lib/oada/connection.js';
import { postJob, postUpdate, submit } from '../lib/producer.js';
import type { NewJob } from '../lib/producer.js';
import {
  allFiled,
  BASE,
  deferred,
  ensureLists,
  JOB_TYPE,
  keysOf,
  makeService,
  NAME,
  OTHER_TOKEN,
  read,
  startServer,
  TOKEN,
} from './setup.js';
import { startProxy } from './proxy.js';

const PENDING = { classic: `${BASE}/jobs`, nested: `${BASE}/jobs/pending` };
const LAYOUTS = ['classic', 'nested'] as const;
const REQUEST: JobRequest = { service: NAME, type: 'plough', config: { acres: 3 } };

/** All ways to come by a client. */
const CLIENTS = {
  'in process': async (server: OADAServer) => server.client(TOKEN),
  'over ws': (server: OADAServer) => connected(server, 'ws'),
  'over http': (server: OADAServer) => connected(server, 'http'),
};
const WAYS = ['in process', 'over ws', 'over http'] as const;

async function connected(server: OADAServer, connection: 'ws' | 'http'): Promise<OADAClient> {
  const client = await connect({ domain: server.url, token: TOKEN, connection, concurrency: 5 });
  onTestFinished(() => client.disconnect());
  return client;
}

interface Spied {
  readonly client: OADAClient;
  /** What was asked of the store, as `put /resources/abc`. */
  readonly requests: string[];
  /** Called with each request before it is sent; what it throws is the answer. */
  before: (request: string) => void | Promise<void>;
  /** Called with each request whose answer is there; what it throws comes instead of that. */
  after: (request: string) => void | Promise<void>;
}

function spied(server: OADAServer): Spied {
  const connection = new SocketConnection(new URL(server.url), { clock: systemClock, timeout: 5000 });
  const client = new OADAClient({ domain: server.url, token: TOKEN, connection });
  onTestFinished(() => client.disconnect());
  const spy: Spied = { client, requests: [], before: () => undefined, after: () => undefined };
  const send = connection.request.bind(connection);
  connection.request = async (request, options) => {
    const said = `${request.watch === true ? 'watch' : request.method} ${request.path}`;
    spy.requests.push(said);
    await spy.before(said);
    const answer = await send(request, options);
    await spy.after(said);
    return answer;
  };
  return spy;
}

function noAnswer(): never {
  throw Object.assign(new Error('The connection was lost'), { code: 'ECONNRESET' });
}

describe('postJob', () => {
  test.each(LAYOUTS.flatMap((layout) => WAYS.map((way) => [layout, way] as const)))(
    'makes a resource and links it by its own key in a fresh store: %s list, %s',
    async (layout, way) => {
      const server = await startServer();
      const oada = await CLIENTS[way](server);
      const job = { service: NAME, type: 'plough', config: { acres: 3 } as unknown as Json };
      const { _id, key } = await postJob(oada, PENDING[layout], job);
      expect(_id).toBe(`resources/${key}`);
      expect(await read(server.client(), `/${_id}`)).toMatchObject({ ...job, _type: JOB_TYPE });
      const list = await read(server.client(), PENDING[layout]);
      expect(list[key]).toEqual({ _id });
      expect(list._type).toBe('application/vnd.oada.service.jobs.1+json');
    },
  );

  test('posts what is no job at all', async () => {
    const server = await startServer();
    const job: Json = { thisis: 'not a valid job' };
    const { _id, key } = await postJob(server.client(), PENDING.nested, job);
    expect(await read(server.client(), `/${_id}`)).toMatchObject(job);
    expect(await read(server.client(), `${PENDING.nested}/${key}`)).toMatchObject(job);
  });

  test('keeps the jobs that are in the list, and takes a path that ends with a slash', async () => {
    const server = await startServer();
    const first = await postJob(server.client(), PENDING.classic, { service: NAME, type: 'plough' });
    const second = await postJob(server.client(), `${PENDING.classic}/`, { service: NAME, type: 'plough' });
    const keys = keysOf(await read(server.client(), PENDING.classic));
    expect(keys.toSorted()).toEqual([first.key, second.key].toSorted());
  });

  test('makes one job of it when an answer gets lost', async () => {
    const server = await startServer();
    await ensureLists(server.client());
    const spy = spied(server);
    const lost = new Set<string>();
    spy.after = (request) => {
      if (lost.has(request)) return;
      lost.add(request);
      noAnswer();
    };
    const { _id, key } = await postJob(spy.client, PENDING.classic, { service: NAME, type: 'plough' });
    expect(lost.size).toBe(3);
    const list = await read(server.client(), PENDING.classic);
    expect(keysOf(list)).toEqual([key]);
    expect(list[key]).toEqual({ _id });
    expect(await read(server.client(), `/${_id}`)).toMatchObject({ service: NAME, type: 'plough' });
  });

  test.each<[string, unknown, unknown]>([
    ['no path', undefined, {}],
    ['no absolute path', 'bookmarks', {}],
    ['no job', PENDING.classic, undefined],
    ['a job that refers to itself', PENDING.classic, circular()],
    ['a job that is a function', PENDING.classic, () => undefined],
  ])('refuses %s', async (_what, path, job) => {
    const server = await startServer();
    const posting = postJob(server.client(), path as string, job as NewJob);
    await expect(posting).rejects.toBeInstanceOf(ConfigError);
  });

  test('says that the store refuses it', async () => {
    const server = await startServer();
    const stranger = new OADAClient({
      domain: server.url,
      token: 'nobody',
      connection: new SocketConnection(new URL(server.url), { clock: systemClock, timeout: 5000 }),
    });
    onTestFinished(() => stranger.disconnect());
    const posting = postJob(stranger, PENDING.classic, { service: NAME, type: 'plough' });
    await expect(posting).rejects.toMatchObject({ code: 'OADA_JOBS_STORE_UNAUTHORIZED' });
  });
});

describe('postUpdate', () => {
  test.each(WAYS)('adds an update to the job, %s', async (way) => {
    const server = await startServer();
    const oada = await CLIENTS[way](server);
    const { _id } = await postJob(oada, PENDING.nested, { service: NAME, type: 'plough' });
    const before = new Date().toISOString();
    await postUpdate(oada, _id, { acres: 1 }, 'at it');
    await postUpdate(oada, _id, 'text', 'more');
    const { updates } = await read(server.client(), `/${_id}`);
    const all: Json[] = Object.values(updates);
    expect(all).toHaveLength(2);
    expect(all).toContainEqual({ status: 'at it', time: expect.any(String), meta: { acres: 1 } });
    expect(all).toContainEqual({ status: 'more', time: expect.any(String), meta: 'text' });
    for (const { time } of Object.values<{ time: string }>(updates)) {
      expect(time >= before && time <= new Date().toISOString()).toBe(true);
    }
    for (const key of Object.keys(updates)) expect(key).toMatch(/^[0-9A-Za-z]{27}$/);
  });

  test('adds it once when the answer gets lost', async () => {
    const server = await startServer();
    const spy = spied(server);
    const { _id } = await postJob(server.client(), PENDING.nested, { service: NAME, type: 'plough' });
    let times = 0;
    spy.after = () => {
      if (++times === 1) noAnswer();
    };
    await postUpdate(spy.client, _id, null, 'at it');
    expect(times).toBe(2);
    expect(Object.keys((await read(server.client(), `/${_id}`)).updates)).toHaveLength(1);
  });

  test.each<[string, unknown, unknown, unknown]>([
    ['a job id', undefined, {}, 'at it'],
    ['a job id', 'bookmarks', {}, 'at it'],
    ['a job id', '/resources/abc', {}, 'at it'],
    ['a job id', 'resources/..', {}, 'at it'],
    ['a job id', 'resources/a/b', {}, 'at it'],
    ['a status', 'resources/abc', {}, ''],
    ['a status', 'resources/abc', {}, { acres: 1 }],
    ['a meta', 'resources/abc', circular(), 'at it'],
  ])('refuses what is not %s: %j', async (_what, jobId, meta, status) => {
    const server = await startServer();
    const posting = postUpdate(server.client(), jobId as string, meta as Json, status as string);
    await expect(posting).rejects.toBeInstanceOf(ConfigError);
  });

  test('rejects when the store does not take it', async () => {
    const server = await startServer();
    const { _id } = await postJob(server.client(), PENDING.nested, { service: NAME, type: 'plough' });
    const posting = postUpdate(server.client(OTHER_TOKEN), _id, {}, 'at it');
    await expect(posting).rejects.toMatchObject({ name: 'StoreError', code: 'OADA_JOBS_STORE_FORBIDDEN' });
    expect(await read(server.client(), `/${_id}`)).not.toHaveProperty('updates');
  });
});

describe('submit', () => {
  test.each(WAYS)(
    'puts the job into the list of the layout, and all that it is told into it, %s',
    async (way) => {
      const server = await startServer();
      const oada = await CLIENTS[way](server);
      for (const layout of LAYOUTS) {
        const { _id, key, path } = await submit(oada, {
          ...REQUEST,
          priority: 5,
          startAfter: '2030-01-01T10:00:00+02:00',
          resources: ['resources/abc', 'resources/def'],
          layout,
        });
        expect(path).toBe(`${PENDING[layout]}/${key}`);
        const job = await read(server.client(), path);
        expect(job).toMatchObject({
          ...REQUEST,
          _id,
          _type: JOB_TYPE,
          priority: 5,
          startAfter: '2030-01-01T08:00:00.000Z',
          resources: ['resources/abc', 'resources/def'],
        });
        expect(keysOf(job).toSorted()).toEqual(
          ['service', 'type', 'config', 'priority', 'startAfter', 'resources'].toSorted(),
        );
        expect((await read(server.client(), PENDING[layout]))[key]).toEqual({ _id });
      }
    },
  );

  test('is done by a service, with an empty config where none is given', async () => {
    const server = await startServer();
    const seen: unknown[] = [];
    const service = makeService(server).on('plough', '5s', ({ config }) => void seen.push(config));
    await service.start();
    const filed = service.events.next('job:filed');
    const { key } = await submit(server.client(), { service: NAME, type: 'plough', layout: 'classic' });
    expect(await filed).toMatchObject({ key, status: 'success' });
    expect(seen).toEqual([{}]);
  });

  test('takes the nested list where it is there', async () => {
    const server = await startServer();
    await postJob(server.client(), PENDING.nested, { service: NAME, type: 'plough' });
    expect((await submit(server.client(), REQUEST)).path).toMatch(`${PENDING.nested}/`);
  });

  test('takes the classic list where only that is there', async () => {
    const server = await startServer();
    await ensureLists(server.client());
    const { key, path } = await submit(server.client(), REQUEST);
    expect(path).toBe(`${PENDING.classic}/${key}`);
    expect(await read(server.client(), PENDING.classic)).not.toHaveProperty('pending');
  });

  test('takes the nested list where there is none', async () => {
    const server = await startServer();
    expect((await submit(server.client(), REQUEST)).path).toMatch(`${PENDING.nested}/`);
  });

  test('makes no list inside of another resource', async () => {
    const server = await startServer();
    const oada = server.client();
    await ensureLists(oada);
    await oada.put({ path: PENDING.nested, data: { some: 'thing' }, contentType: 'application/json' });
    const submitted = submit(oada, { ...REQUEST, layout: 'nested' });
    await expect(submitted).rejects.toMatchObject({ code: 'OADA_JOBS_STORE_REFUSED' });
    expect(keysOf(await read(oada, PENDING.nested))).toEqual(['some']);
  });

  test.each(LAYOUTS)('asks three things of a store whose list is there: %s', async (layout) => {
    const server = await startServer();
    await postJob(server.client(), PENDING[layout], { service: NAME, type: 'plough' });
    const { client, requests } = spied(server);
    const { _id, path } = await submit(client, { ...REQUEST, layout });
    expect(requests).toEqual([`head ${PENDING[layout]}`, `put /${_id}`, `put ${path}`]);
  });

  test('asks one thing more to find the nested list, and two for the classic one', async () => {
    const server = await startServer();
    await ensureLists(server.client());
    const classic = spied(server);
    await submit(classic.client, REQUEST);
    expect(classic.requests).toHaveLength(5);
    await postJob(server.client(), PENDING.nested, { service: NAME, type: 'plough' });
    const nested = spied(server);
    await submit(nested.client, REQUEST);
    expect(nested.requests).toHaveLength(4);
  });

  test('links the job last, and one alone when answers get lost', async () => {
    const server = await startServer();
    await ensureLists(server.client());
    const spy = spied(server);
    const seen = new Map<string, number>();
    spy.after = (request) => {
      const times = (seen.get(request) ?? 0) + 1;
      seen.set(request, times);
      if (request.startsWith('put') && times === 1) noAnswer();
    };
    const { _id, key, path } = await submit(spy.client, { ...REQUEST, layout: 'classic' });
    const order = spy.requests.filter((request) => [`put /${_id}`, `put ${path}`].includes(request));
    expect(order).toEqual([`put /${_id}`, `put /${_id}`, `put ${path}`, `put ${path}`]);
    expect(keysOf(await read(server.client(), PENDING.classic))).toEqual([key]);
  });

  test('gets through a connection that is cut all the time, with one job for each', async () => {
    const server = await startServer();
    const proxy = await startProxy(server.url);
    await ensureLists(server.client());
    const connection = new SocketConnection(new URL(proxy.url), { clock: systemClock, timeout: 2000 });
    const client = new OADAClient({ domain: proxy.url, token: TOKEN, connection });
    onTestFinished(() => client.disconnect());
    let answers = 0;
    const send = connection.request.bind(connection);
    connection.request = async (...request) => {
      const answer = send(...request);
      if (++answers % 4 === 0) setImmediate(() => proxy.cut());
      return await answer;
    };
    const jobs: string[] = [];
    for (let count = 0; count < 10; count++) {
      const idempotencyKey = count % 2 === 0 ? { idempotencyKey: `key ${String(count)}` } : {};
      jobs.push((await submit(client, { ...REQUEST, ...idempotencyKey, layout: 'classic' })).key);
    }
    expect(keysOf(await read(server.client(), PENDING.classic)).toSorted()).toEqual(jobs.toSorted());
    expect(proxy.made()).toBeGreaterThan(3);
  });
});

describe('submit with an idempotency key', () => {
  const KEYED = { ...REQUEST, idempotencyKey: 'order 7/ü' } as const;

  test.each(WAYS)('makes one job of two calls, %s', async (way) => {
    const server = await startServer();
    const oada = await CLIENTS[way](server);
    for (const layout of LAYOUTS) {
      const keyed = { ...KEYED, layout, idempotencyKey: layout };
      const first = await submit(oada, keyed);
      const rev = (await read(server.client(), `/${first._id}`))._rev;
      expect(await submit(oada, keyed)).toEqual(first);
      expect((await read(server.client(), PENDING[layout]))[first.key]).toEqual({ _id: first._id });
      expect(await read(server.client(), `/${first._id}`)).toMatchObject({
        ...REQUEST,
        _rev: rev,
        _type: JOB_TYPE,
      });
    }
  });

  test('makes jobs of their own of other keys, of other services and of other users', async () => {
    const server = await startServer();
    const ids = new Set<string>();
    for (const oada of [server.client(TOKEN), server.client(OTHER_TOKEN)]) {
      for (const service of [NAME, 'combine'])
        for (const idempotencyKey of ['one', 'two'])
          ids.add((await submit(oada, { ...REQUEST, service, idempotencyKey }))._id);
    }
    expect(ids.size).toBe(8);
  });

  test('knows the job again when the service has another layout by now', async () => {
    const server = await startServer();
    await ensureLists(server.client());
    const first = await submit(server.client(), KEYED);
    expect(first.path).toMatch(`${PENDING.classic}/`);
    await postJob(server.client(), PENDING.nested, { service: NAME, type: 'plough' });
    const second = await submit(server.client(), KEYED);
    expect(second._id).toBe(first._id);
    expect(second.path).toMatch(`${PENDING.nested}/`);
  });

  test.each(WAYS)('makes one job of ten calls at the same time, and it is run once, %s', async (way) => {
    const server = await startServer();
    const oada = await CLIENTS[way](server);
    let runs = 0;
    const service = makeService(server).on('plough', '5s', () => ++runs);
    await service.start();
    const filed = service.events.next('job:filed');
    const jobs = await Promise.all(
      Array.from({ length: 10 }, () => submit(oada, { ...KEYED, layout: 'classic' })),
    );
    expect(new Set(jobs.map(({ _id }) => _id)).size).toBe(1);
    await filed;
    // What is submitted later is run later.
    const last = service.events.next('job:filed', ({ key }) => key === later.key);
    const later = await submit(oada, { ...REQUEST, idempotencyKey: 'later', layout: 'classic' });
    await last;
    expect(runs).toBe(2);
    expect((await allFiled(server.client())).map(({ key }) => key).toSorted()).toEqual(
      [jobs[0]!.key, later.key].toSorted(),
    );
  });

  test.each(WAYS)('lets one of many calls with different configs win, whole, %s', async (way) => {
    const server = await startServer();
    const oada = await CLIENTS[way](server);
    const configs = Array.from({ length: 10 }, (_, index) => ({ [`only ${String(index)}`]: true }));
    const ends = await Promise.allSettled(
      configs.map((config) => submit(oada, { ...KEYED, config, layout: 'classic' })),
    );
    const won = ends.flatMap((end, index) => (end.status === 'fulfilled' ? [{ ...end.value, index }] : []));
    expect(won).toHaveLength(1);
    for (const end of ends)
      if (end.status === 'rejected') expect(end.reason).toBeInstanceOf(IdempotencyError);
    const [{ _id, index, key } = { _id: '', index: -1, key: '' }] = won;
    expect((await read(server.client(), `/${_id}`)).config).toEqual(configs[index]);
    expect(keysOf(await read(server.client(), PENDING.classic))).toEqual([key]);
  });

  test.each<[string, Partial<JobRequest>]>([
    ['type', { type: 'harvest' }],
    ['config', { config: { acres: 4 } }],
    ['config', { config: {} }],
    ['config', { config: { acres: 3, more: null } }],
  ])('refuses another %s, and leaves the job as it is', async (what, other) => {
    const server = await startServer();
    const first = await submit(server.client(), KEYED);
    const before = await read(server.client(), `/${first._id}`);
    const error: unknown = await submit(server.client(), { ...KEYED, ...other }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(IdempotencyError);
    expect(error).toMatchObject({ code: 'OADA_JOBS_KEY_TAKEN', jobId: first._id });
    expect((error as Error).message).toContain(what);
    expect((error as Error).message).not.toContain(KEYED.idempotencyKey);
    expect(await read(server.client(), `/${first._id}`)).toEqual(before);
  });

  test('knows a config again whose links the store has completed', async () => {
    const server = await startServer();
    const oada = server.client();
    const { headers } = await oada.post({
      path: '/resources',
      data: { a: 1 },
      contentType: 'application/json',
    });
    const _id = headers['content-location']!.slice(1);
    const config = { field: { _id, _rev: 0 }, nested: [{ b: { c: null } }], _rev: 'mine' };
    const first = await submit(oada, { ...KEYED, config });
    const same = { nested: [{ b: { c: null } }], _rev: 'mine', field: { _rev: 0, _id } };
    expect(await submit(oada, { ...KEYED, config: same })).toEqual(first);
  });

  test.each(['success', 'failure'])('links no job that is over: %s', async (status) => {
    const server = await startServer();
    const first = await submit(server.client(), { ...KEYED, layout: 'classic' });
    await server.client().put({ path: `/${first._id}`, data: { status }, contentType: JOB_TYPE });
    await server.client().delete({ path: first.path });
    expect(await submit(server.client(), { ...KEYED, layout: 'classic' })).toEqual(first);
    expect(keysOf(await read(server.client(), PENDING.classic))).toEqual([]);
  });

  test.each([0, 1, 2, 3, 4, 5, 6])(
    'is finished by the next call when a producer dies, before request %i',
    async (died) => {
      const server = await startServer();
      await ensureLists(server.client());
      const spy = spied(server);
      spy.before = () => {
        if (spy.requests.length > died) throw Object.assign(new Error('died'), { code: '400', status: 400 });
      };
      await expect(submit(spy.client, { ...KEYED, layout: 'classic' })).rejects.toBeInstanceOf(StoreError);
      const { _id, key } = await submit(server.client(), { ...KEYED, layout: 'classic' });
      expect((await read(server.client(), PENDING.classic))[key]).toEqual({ _id });
      expect(await read(server.client(), `/${_id}`)).toMatchObject(REQUEST);
    },
  );

  test('makes one job of it when the answer to each write gets lost', async () => {
    const server = await startServer();
    await ensureLists(server.client());
    const spy = spied(server);
    let writes = 0;
    spy.after = (request) => {
      if (request.startsWith('put') && ++writes % 2 === 1) noAnswer();
    };
    const { _id, key } = await submit(spy.client, { ...KEYED, layout: 'classic' });
    expect(keysOf(await read(server.client(), PENDING.classic))).toEqual([key]);
    expect(await read(server.client(), `/${_id}`)).toMatchObject(REQUEST);
  });

  test('asks seven things for a first call, and three for another', async () => {
    const server = await startServer();
    await ensureLists(server.client());
    const spy = spied(server);
    const { _id, path } = await submit(spy.client, { ...KEYED, layout: 'classic' });
    expect(spy.requests).toEqual([
      ...[`head ${PENDING.classic}`, `head ${PENDING.classic}`],
      ...[`get ${path}`, `get /${_id}`, `put /${_id}`, `put /${_id}`, `put ${path}`],
    ]);
    spy.requests.length = 0;
    await submit(spy.client, { ...KEYED, layout: 'classic' });
    expect(spy.requests).toEqual([`head ${PENDING.classic}`, `head ${PENDING.classic}`, `get ${path}`]);
  });

  // The empty document is made first, and the job follows.
  test.each([
    ['writes no job over one that came into being after it had seen that there is none', 2],
    ['does not write into a job that comes into being between its looks', 1],
  ])('%s', async (_, held) => {
    const server = await startServer();
    await ensureLists(server.client());
    const spy = spied(server);
    const gate = deferred();
    const waiting = deferred();
    let writes = 0;
    spy.before = async (request) => {
      if (!request.startsWith('put /resources/') || ++writes !== held) return;
      waiting.resolve();
      await gate.promise;
    };
    const late = submit(spy.client, { ...KEYED, config: { late: true }, layout: 'classic' });
    await waiting.promise;
    const first = await submit(server.client(), { ...KEYED, layout: 'classic' });
    gate.resolve();
    await expect(late).rejects.toBeInstanceOf(IdempotencyError);
    expect((await read(server.client(), `/${first._id}`)).config).toEqual(REQUEST.config);
  });
});

test('a job that is run and filed while a second producer is about to link it is not run again', async () => {
  const server = await startServer();
  let runs = 0;
  const service = makeService(server).on('plough', '5s', () => ++runs);
  await service.start();
  const spy = spied(server);
  const keyed = { ...REQUEST, idempotencyKey: 'mine', layout: 'classic' } as const;
  const filed: string[] = [];
  service.events.on('job:filed', ({ key }) => filed.push(key));
  let first: { key: string } | undefined;
  spy.before = async (request) => {
    if (!request.startsWith(`put ${BASE}`)) return;
    spy.before = () => undefined;
    const over = service.events.next('job:filed');
    first = await submit(server.client(), keyed);
    await over;
  };
  const second = service.events.next('job:filed', () => filed.length === 2);
  const { key } = await submit(spy.client, keyed);
  await second;
  expect(first?.key).toBe(key);
  expect(runs).toBe(1);
  expect(filed).toEqual([key, key]);
  expect(await allFiled(server.client())).toEqual([expect.objectContaining({ key, status: 'success' })]);
  expect(keysOf(await read(server.client(), PENDING.classic))).toEqual([]);
});

describe('submit refuses', () => {
  test.each<[RegExp, unknown]>([
    [/`request`/, undefined],
    [/`request`/, 'plough'],
    [/`service`.*undefined/, { type: 'plough' }],
    [/`service`/, { ...REQUEST, service: '' }],
    [/`service`/, { ...REQUEST, service: 'a/b' }],
    [/`service`/, { ...REQUEST, service: '..' }],
    [/`service`/, { ...REQUEST, service: '12' }],
    [/`type`/, { service: NAME }],
    [/`type`/, { ...REQUEST, type: '' }],
    [/`type`/, { ...REQUEST, type: 7 }],
    [/`config`/, { ...REQUEST, config: null }],
    [/`config`/, { ...REQUEST, config: [] }],
    [/`config`/, { ...REQUEST, config: 'text' }],
    [/`config`/, { ...REQUEST, config: new Date() }],
    [/`config`/, { ...REQUEST, config: () => undefined }],
    [/`config`.*circular/, { ...REQUEST, config: circular() }],
    [/`config`.*BigInt/, { ...REQUEST, config: { big: 1n } }],
    [/`priority`/, { ...REQUEST, priority: '1' }],
    [/`priority`/, { ...REQUEST, priority: Number.NaN }],
    [/`startAfter`/, { ...REQUEST, startAfter: 7 }],
    [/`startAfter`/, { ...REQUEST, startAfter: 'tomorrow' }],
    [/`startAfter`/, { ...REQUEST, startAfter: '2030-01-01' }],
    [/`startAfter`/, { ...REQUEST, startAfter: '2030-01-01T10:00:00' }],
    [/`startAfter`/, { ...REQUEST, startAfter: '2030-13-01T10:00:00Z' }],
    [/`startAfter`/, { ...REQUEST, startAfter: new Date(Number.NaN) }],
    [/`startAfter`/, { ...REQUEST, startAfter: new Date(8e15) }],
    [/`resources`/, { ...REQUEST, resources: 'resources/abc' }],
    [/`resources`/, { ...REQUEST, resources: ['abc'] }],
    [/`resources`/, { ...REQUEST, resources: ['resources/..'] }],
    [/`resources`/, { ...REQUEST, resources: [{}] }],
    [/`idempotencyKey`/, { ...REQUEST, idempotencyKey: '' }],
    [/`idempotencyKey`/, { ...REQUEST, idempotencyKey: 7 }],
    [/`idempotencyKey`.*1001/, { ...REQUEST, idempotencyKey: 'k'.repeat(1001) }],
    [/`layout`/, { ...REQUEST, layout: 'auto' }],
    [/no option `idempotencykey`; did you mean `idempotencyKey`/, { ...REQUEST, idempotencykey: 'a' }],
  ])('%s', async (message, request) => {
    const server = await startServer();
    const spy = spied(server);
    const submitted = submit(spy.client, request as JobRequest);
    await expect(submitted).rejects.toThrow(message);
    await expect(submitted).rejects.toBeInstanceOf(ConfigError);
    expect(spy.requests).toEqual([]);
  });

  test('what is no client', async () => {
    for (const oada of [undefined, 'localhost', {}])
      await expect(submit(oada as OADAClient, REQUEST)).rejects.toThrow(/`oada`/);
  });
});

function circular(): object {
  const object: { self?: object } = {};
  object.self = object;
  return object;
}
