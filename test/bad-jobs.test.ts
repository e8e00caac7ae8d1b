import type { OADAClient } from '@oada/client';
import type { Service } from '@oada/jobs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  allFiled,
  BASE,
  countTo,
  deferred,
  ensureLists,
  eventsOf,
  jobOf,
  keysOf,
  listen,
  makeService,
  newKey,
  OTHER_TOKEN,
  postJob,
  postResource,
  putEntry,
  read,
  runJob,
  startServer,
  WAYS,
} from './setup.js';
import type { Stored } from './setup.js';

/** A service that can do good jobs, and does not wait long for empty ones. */
async function startGood(): Promise<{ oada: OADAClient; service: Service }> {
  const server = await startServer();
  const oada = server.client();
  const service = makeService(server, 'in process', { contentTimeout: '100ms' });
  await service.on('good', '5s', () => 'good').start();
  return { oada, service };
}

/** Puts an entry, waits until it is filed, and shows that the service goes on. */
async function fileEntry(entry: unknown): Promise<Stored> {
  const { oada, service } = await startGood();
  const filed = service.events.next('job:filed');
  await putEntry(oada, 'bad', entry);
  const { jobId, status } = await filed;
  expect(status).toBe('failure');
  expect(await allFiled(oada)).toMatchObject([{ status: 'failure', key: 'bad', id: jobId }]);
  expect(keysOf(await read(oada, `${BASE}/jobs`))).toEqual([]);
  expect(await runJob(service, oada, jobOf('good'))).toMatchObject({ status: 'success' });
  return await read(oada, `/${jobId}`);
}

async function fileJob(body: unknown, contentType?: string): Promise<Stored> {
  const { oada, service } = await startGood();
  const filed = service.events.next('job:filed');
  const _id = await postResource(oada, body, contentType);
  await putEntry(oada, 'bad', { _id });
  expect(await filed).toMatchObject({ jobId: _id, status: 'failure' });
  expect(await runJob(service, oada, jobOf('good'))).toMatchObject({ status: 'success' });
  return await read(oada, `/${_id}`);
}

describe('an entry of the pending list that is no job is filed as a failure that says why', () => {
  test('a link to nothing', async () => {
    const record = await fileEntry({ _id: 'resources/nothing-there' });
    expect(record).toMatchObject({
      status: 'failure',
      failureType: 'invalid',
      result: { code: 'OADA_JOBS_INVALID_JOB', message: expect.stringContaining('not there') },
    });
  });

  test.each([
    ['an inline job', { service: 'tractor', type: 'good', config: {} }],
    ['text', 'good'],
    ['a number', 7],
    ['null', null],
    ['an array', [{ _id: 'resources/x' }]],
    ['a link to no resource', { _id: 'users/sam' }],
    ['a link of no text', { _id: 12 }],
    ['a link through others', { _id: 'resources/a/b' }],
    ['a link that leads elsewhere', { _id: 'resources/..' }],
  ])('%s', async (_what, entry) => {
    const record = await fileEntry(entry);
    expect(record).toMatchObject({
      entry,
      status: 'failure',
      failureType: 'invalid',
      result: { message: expect.stringContaining('no link to a job') },
    });
  });

  test.each([
    ['no type', { service: 'tractor', config: {} }, /type is missing/],
    ['no service', { type: 'good', config: {} }, /service is missing/],
    ['a number for a service', { service: 7, type: 'good', config: {} }, /no job/],
    ['an array for a config', { service: 'tractor', type: 'good', config: [] }, /no job/],
    ['null for a config', { service: 'tractor', type: 'good', config: null }, /no job/],
    ['an object for a type', { service: 'tractor', type: { a: 1 }, config: {} }, /no job/],
  ])('a link to what has %s', async (_what, body, message) => {
    const record = await fileJob(body);
    expect(record).toMatchObject({ status: 'failure', failureType: 'invalid' });
    expect(record.result.message).toMatch(message);
  });

  test('a link to what is no JSON', async () => {
    expect(await fileJob(Uint8Array.from([1, 2, 3]), 'application/octet-stream')).toMatchObject({
      status: 'failure',
      failureType: 'invalid',
    });
  });

  test('a link to what is empty, and stays so', async () => {
    expect(await fileJob({})).toMatchObject({
      status: 'failure',
      failureType: 'invalid',
      result: { message: expect.stringContaining('empty') },
    });
  });
});

test.each(['unknown', '__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
  'a job of type %s, which has no worker, is filed as a failure that names those there are',
  async (type) => {
    const record = await fileJob({ service: 'tractor', type, config: {} });
    expect(record).toMatchObject({ status: 'failure', failureType: 'unknown-type' });
    expect(record.result.message).toContain(JSON.stringify(type));
    expect(record.result.message).toContain('"good"');
    expect(record.updates).toEqual({
      [Object.keys(record.updates)[0]!]: expect.objectContaining({ status: 'failure' }),
    });
  },
);

test.each(['__proto__', 'constructor', 'toString', '..', ' ', 'a/b', 'ü', 'x'.repeat(200), '7'])(
  'a type can be called %s',
  async (type) => {
    const server = await startServer();
    const service = makeService(server).on(type, '5s', () => 'done');
    await service.start();
    expect(await runJob(service, server.client(), jobOf(type))).toMatchObject({ status: 'success' });
  },
);

test('a config that the schema refuses is a failure that names the path, and the work is not run', async () => {
  const server = await startServer();
  let runs = 0;
  const config = {
    type: 'object',
    required: ['field'],
    properties: { field: { type: 'object', properties: { acres: { type: 'number' } } } },
  };
  const service = makeService(server).on('plough', { timeout: '5s', config }, () => ++runs);
  await service.start();
  const oada = server.client();
  const wrong = await runJob(service, oada, jobOf('plough', { field: { acres: 'many' } }));
  expect(wrong).toMatchObject({ status: 'failure', failureType: 'invalid' });
  expect(wrong.result.message).toContain('config/field/acres must be number');
  const missing = await runJob(service, oada, jobOf('plough'));
  expect(missing.result.message).toContain("must have required property 'field'");
  expect(runs).toBe(0);
  expect(await runJob(service, oada, jobOf('plough', { field: { acres: 2 } }))).toMatchObject({
    status: 'success',
  });
});

describe.each(WAYS)('keys, %s', (way) => {
  test.each([
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'a/b',
    'a~b',
    'a%20b',
    '0',
    '12345',
    '-',
    "it's;$&+,=@:!*()",
    'x'.repeat(200),
  ])('a job under the key %s is run, filed under it, and removed', async (key) => {
    const server = await startServer();
    const oada = server.client();
    const service = makeService(server, way).on('good', '5s', () => 'good');
    await service.start();
    const job = await runJob(service, oada, jobOf('good'), key);
    expect(job).toMatchObject({ status: 'success', result: 'good' });
    expect(await allFiled(oada)).toMatchObject([{ status: 'success', key, id: job._id }]);
    expect(keysOf(await read(oada, `${BASE}/jobs`))).toEqual([]);
    expect(await runJob(service, oada, jobOf('good'))).toMatchObject({ status: 'success' });
  });

  test.each(['.', '..', 'a b', 'ü', '', '%', 'a?b', 'a#b', '"', '\u0000', '☃'])(
    'a job under the key %j, which no path can name, is a failure that says so',
    async (key) => {
      const server = await startServer();
      const oada = server.client();
      let runs = 0;
      const service = makeService(server, way)
        .on('good', '5s', () => 'good')
        .on('bad', '5s', () => ++runs);
      const told = listen(service);
      await service.start();
      const job = await runJob(service, oada, jobOf('bad'), key);
      expect(job).toMatchObject({ status: 'failure', failureType: 'invalid' });
      expect(job.result.message).toContain('cannot stand in a path');
      expect(await allFiled(oada)).toMatchObject([{ status: 'failure', id: job._id }]);
      expect(await runJob(service, oada, jobOf('good'))).toMatchObject({ status: 'success' });
      expect(runs).toBe(0);
      expect(eventsOf(told, 'job:filed')).toHaveLength(2);
      expect(eventsOf(told, 'queue:failed')).toEqual([]);
    },
  );
});

test.each(['reports', 'success', 'failure', 'typed-failure'])(
  'the key %s in the list is never taken for a job',
  async (key) => {
    const server = await startServer();
    const oada = server.client();
    await ensureLists(oada);
    await putEntry(oada, key, { 'day-index': {} });
    const service = makeService(server).on('good', '5s', () => 'good');
    const told = listen(service);
    await service.start();
    await putEntry(oada, key, { more: { _id: 'resources/x' } });
    expect(await runJob(service, oada, jobOf('good'), 'last')).toMatchObject({ status: 'success' });
    expect(eventsOf(told, 'job:found').map((event) => event.key)).toEqual(['last']);
    expect(Object.keys(await read(oada, `${BASE}/jobs`))).toContain(key);
  },
);

test("a link to another user's resource is told of and left alone", async () => {
  const server = await startServer();
  const oada = server.client();
  const service = makeService(server).on('good', '5s', () => 'good');
  await service.start();
  const foreign = await postResource(server.client(OTHER_TOKEN), jobOf('good'));
  const skipped = service.events.next('job:skipped');
  await putEntry(oada, 'foreign', { _id: foreign });
  expect(await skipped).toMatchObject({ key: 'foreign', reason: 'it belongs to another user' });
  expect(await runJob(service, oada, jobOf('good'))).toMatchObject({ status: 'success' });
  expect(await read(server.client(OTHER_TOKEN), `/${foreign}`)).not.toHaveProperty('status');
});

test('a job that two links lead to is run once, and both links are filed', async () => {
  const server = await startServer();
  const oada = server.client();
  const gate = deferred();
  const running = deferred();
  let runs = 0;
  const service = makeService(server).on('slow', '5s', async () => {
    runs++;
    running.resolve();
    await gate.promise;
  });
  await service.start();
  const filed = countTo(service, 'job:filed', 3);
  const _id = await postResource(oada, jobOf('slow'));
  await putEntry(oada, 'one', { _id });
  await running.promise;
  await putEntry(oada, 'two', { _id });
  // When this one has failed, the second link has been seen.
  const failed = service.events.next('job:failed');
  await postJob(oada, jobOf('unknown'), 'unknown');
  await failed;
  gate.resolve();
  await filed;
  expect(runs).toBe(1);
  const keys = (await allFiled(oada)).map(({ key }) => key);
  expect(keys.toSorted()).toEqual(['one', 'two', 'unknown']);
  expect(keysOf(await read(oada, `${BASE}/jobs`))).toEqual([]);
});

test('a job that its producer changes between being read and being claimed is looked at again', async () => {
  const server = await startServer();
  const oada = server.client();
  const mine = server.client();
  const get = mine.get.bind(mine);
  let jobId = '';
  let changed = false;
  Object.assign(mine, {
    get: async (request: Parameters<typeof get>[0]) => {
      const answer = await get(request);
      if (request.path === `/${jobId}` && !changed) {
        changed = true;
        await oada.put({
          path: request.path,
          data: { config: { acres: 5 } },
          contentType: 'application/json',
        });
      }
      return answer;
    },
  });
  const { Service } = await import('@oada/jobs');
  await using service = new Service('tractor', mine).on('plough', '5s', ({ config }) => config);
  await service.start();
  const filed = service.events.next('job:filed');
  jobId = await postResource(oada, jobOf('plough'));
  await putEntry(oada, newKey(), { _id: jobId });
  expect(await filed).toMatchObject({ status: 'success' });
  expect(await read(oada, `/${jobId}`)).toMatchObject({ status: 'success', result: { acres: 5 } });
});

describe('whatever stands in the list', () => {
  const json = fc.jsonValue({ maxDepth: 3 });
  const name = fc.oneof(
    fc.string({ minLength: 1, maxLength: 12 }),
    fc.constantFrom('_id', '_rev', '_type', '_meta', '__proto__', 'claim', 'updates', 'status', 'config'),
  );
  const member = fc.oneof(json, fc.constantFrom('running', 'success', 'failure', 'queued', 'good'));
  const document = fc.oneof(
    json,
    fc.dictionary(name, member),
    fc.record({
      service: member,
      type: member,
      config: member,
      status: member,
      claim: json,
      updates: json,
      attempts: json,
    }),
    fc.record({
      service: fc.constant('tractor'),
      type: fc.constant('good'),
      config: fc.constant({}),
      status: member,
      claim: fc.oneof(json, fc.record({ instance: fc.string(), attempt: fc.integer() })),
      updates: json,
      attempts: json,
      result: json,
    }),
  );
  const entry = fc.oneof(
    json,
    fc.record({ _id: json }),
    fc.record({ _id: fc.string().map((id) => `resources/${id}`) }),
    fc.dictionary(name, json),
  );
  const key = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: 'binary', maxLength: 8 }), name);

  test('the service lives, and runs the good jobs that come after it', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = makeService(server, 'in process', { contentTimeout: '1ms', concurrency: 100 });
    service.on('good', '5s', () => 'good');
    await service.start();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(key, entry), { maxLength: 3 }),
        fc.array(fc.tuple(key, document), { maxLength: 3 }),
        async (entries, documents) => {
          for (const [at, value] of entries) await putEntry(oada, at, value).catch(refusedByServer);
          for (const [at, value] of documents) {
            const id = await postResource(oada, value).catch(refusedByServer);
            if (typeof id === 'string') await putEntry(oada, at, { _id: id }).catch(refusedByServer);
          }
          expect(await runJob(service, oada, jobOf('good'))).toMatchObject({ status: 'success' });
        },
      ),
      { numRuns: 200 },
    );
  });

  /** What the server itself does not take cannot get to a service. */
  function refusedByServer(error: { status?: number }): void {
    expect(error.status).toBeGreaterThanOrEqual(400);
    expect(error.status).toBeLessThan(500);
  }
});
