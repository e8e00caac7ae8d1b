import type { OADAClient } from '@oada/client';
import { doJob, JobEventType, JobsRequest } from '@oada/client/jobs';
import type { Service } from '@oada/jobs';
import { describe, expect, test } from 'vitest';

import { countTo, ensureLists, NAME, read, startServer } from '../setup.js';
import type { Stored } from '../setup.js';
import { asReference } from './reference.js';
import { connected, indexOf, keysAt, PENDING, serviceOf, SOURCES, withWork } from './scene.js';
import type { Source } from './scene.js';

const WAYS = ['ws', 'http'] as const;
const EVERY = SOURCES.flatMap((source) => WAYS.map((way): [Source, 'ws' | 'http'] => [source, way]));

function jobOf(type: string, config: Record<string, unknown> = {}): Parameters<typeof doJob>[1] {
  return { service: NAME, type, config };
}

interface Started {
  readonly service: Service;
  readonly producer: OADAClient;
  readonly oada: OADAClient;
}

/** A service on a fresh store, and a producer with a client of its own. */
async function started(source: Source, way: 'ws' | 'http', layout?: 'nested'): Promise<Started> {
  const server = await startServer();
  const options = layout === undefined ? {} : { layout };
  const service = withWork(await serviceOf(server, 'nested', source, options));
  await service.start();
  return { service, producer: await connected(server, way), oada: server.client() };
}

/** What a promise rejects with. */
async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const resolved = Symbol('resolved');
  const outcome = await promise.then(
    () => resolved,
    (error: unknown) => error,
  );
  expect(outcome).not.toBe(resolved);
  return outcome;
}

describe.each(EVERY)('with %s for the service and %s for the producer, doJob', (source, way) => {
  test.each(['nested', undefined] as const)(
    'settles as the job does, where the service has the layout %s',
    async (layout) => {
      const { producer, oada } = await started(source, way, layout);
      const job = await doJob(producer, jobOf('echo', { say: { pages: 3 } }));
      expect(job).toMatchObject({ ...jobOf('echo'), status: 'success', result: { pages: 3 } });

      const failed = await rejection(doJob(producer, jobOf('fail')));
      expect(failed).toBeInstanceOf(Error);
      expect(failed).toMatchObject({ name: 'RangeError', message: 'no luck' });

      const refused = await rejection(doJob(producer, jobOf('refuse')));
      expect(refused).toBeInstanceOf(Error);
      expect(refused).toMatchObject({ message: 'the document is none', JobError: 'bad-document' });

      const late = await rejection(doJob(producer, jobOf('hang')));
      expect(late).toBeInstanceOf(Error);
      expect(late).toMatchObject({ name: 'TimeoutError', message: expect.stringContaining('20 ms') });

      const unknown = await rejection(doJob(producer, jobOf('unheard-of')));
      expect(unknown).toMatchObject({ name: 'UnknownJobTypeError' });
      await expect.poll(() => keysAt(oada, indexOf('nested', 'success'))).toHaveLength(1);
    },
  );

  test('settles where a service by the constructor of 2 has made the classic list alone', async () => {
    const server = await startServer();
    const service = withWork(await serviceOf(server, 'classic', source));
    await service.start();
    const producer = await connected(server, way);
    expect(await doJob(producer, jobOf('echo', { say: 'one' }))).toMatchObject({ result: 'one' });
    await expect(doJob(producer, jobOf('refuse'))).rejects.toMatchObject({ JobError: 'bad-document' });
    const oada = server.client();
    await expect.poll(() => keysAt(oada, indexOf('nested', 'success'))).toHaveLength(1);
    await expect.poll(async () => (await read(oada, PENDING.classic)).pending).toEqual({});
  });

  test('settles for each of a hundred jobs at once, with its own result', async () => {
    const { service, producer, oada } = await started(source, way);
    service.on('odd', 5000, async ({ config }) => {
      const number = Number(config['number']);
      if (number % 2 === 0) throw new Error(`${String(number)} is even`);
      return { number };
    });
    const filed = countTo(service, 'job:filed', 100);
    const numbers = Array.from({ length: 100 }, (_, number) => number);
    const settled = await Promise.allSettled(
      numbers.map((number) => doJob(producer, jobOf('odd', { number }))),
    );
    const outcomes = settled.map((one): unknown =>
      one.status === 'fulfilled' ? one.value.result : (one.reason as Error).message,
    );
    expect(outcomes).toEqual(
      numbers.map((number) => (number % 2 === 0 ? `${String(number)} is even` : { number })),
    );
    await filed;
    expect(await keysAt(oada, indexOf('nested', 'success'))).toHaveLength(50);
    expect(await keysAt(oada, indexOf('nested', 'failure'))).toHaveLength(50);
    expect(await keysAt(oada, PENDING.nested)).toEqual([]);
  });
});

describe.each(EVERY)('with %s for the service and %s for the producer, a JobsRequest', (source, way) => {
  test('is told of each update, of the result, and of the end', async () => {
    const { service, producer } = await started(source, way);
    service.on('talk', 5000, async (_job, { log }) => {
      await log.info('reading', 'Reading it');
      return { read: true };
    });
    const request = new JobsRequest({ oada: producer, job: jobOf('talk') });
    const told: string[] = [];
    for (const event of [JobEventType.Status, JobEventType.Success, JobEventType.Failure])
      await request.on(event, async ({ job }) => void told.push(`${event} ${(await job).status ?? ''}`));
    const updated = new Promise<Stored>((resolve) => {
      void request.on(JobEventType.Update, async ({ job }) => {
        const { updates = {} } = await job;
        if (Object.values(updates).some(({ status }) => status === 'reading')) resolve(updates);
      });
    });
    const result = new Promise<Stored>((resolve) => {
      void request.on(JobEventType.Result, async ({ job }) => resolve((await job).result));
    });
    const { _id, key } = await request.start();
    expect(_id).toBe(`resources/${key}`);
    expect(Object.values(await updated)).toContainEqual(
      expect.objectContaining({ status: 'reading', meta: 'Reading it' }),
    );
    expect(await result).toEqual({ read: true });
    await expect.poll(() => told).toEqual(expect.arrayContaining(['Success success', 'Status success']));
    expect(told.filter((one) => one.startsWith('Failure'))).toEqual([]);
  });
});

describe.each(EVERY)(
  'on a server that ends watches as the reference server does, with %s and %s,',
  (source, way) => {
    test('no removal of a pending link ends the watch of a producer', async () => {
      const server = await startServer();
      const reference = await asReference(server);
      const service = withWork(await serviceOf(reference, 'nested', source));
      await service.start();
      const producer = await connected(reference, way);
      const oada = server.client();
      const filed = countTo(service, 'job:filed', 20);
      const jobs = Array.from({ length: 20 }, () => doJob(producer, jobOf('echo', { say: 1 })));
      expect(await Promise.all(jobs)).toHaveLength(20);
      await filed;
      expect(await keysAt(oada, PENDING.nested)).toEqual([]);
      expect([...reference.silenced]).toEqual([]);

      // So whoever watches a job that is done hears of what is written to it later.
      const { _id } = (await jobs[0]) as Stored;
      const { changes } = await producer.watch({ path: `/${_id}`, type: 'tree' });
      await oada.put({ path: `/${_id}`, data: { seen: true } });
      expect((await changes.next()).done).toBe(false);
    });
  },
);

test('that server does end a watch when a link is deleted over a socket', async () => {
  const server = await startServer();
  const reference = await asReference(server);
  const oada = server.client();
  await ensureLists(oada);
  await oada.put({ path: '/resources/one', data: { a: 1 }, contentType: 'application/json' });
  await oada.put({ path: `${PENDING.classic}/one`, data: { _id: 'resources/one' } });
  const client = await connected(reference, 'ws');
  await client.delete({ path: `${PENDING.classic}/one` });
  expect([...reference.silenced]).toEqual(['resources/one']);
});

describe('a producer that comes before the service', () => {
  test.each(WAYS)('is answered over %s when the lists are there already', async (way) => {
    const server = await startServer();
    const first = await serviceOf(server, 'nested', 'an address');
    await first.start();
    await first.stop();
    const answer = doJob(await connected(server, way), jobOf('echo', { say: 'at last' }));
    const oada = server.client();
    await expect.poll(() => keysAt(oada, PENDING.nested)).toHaveLength(1);
    await withWork(await serviceOf(server, 'nested', 'an address')).start();
    expect(await answer).toMatchObject({ status: 'success', result: 'at last' });
  });

  test.each(WAYS)('is answered over %s where only the classic list is there', async (way) => {
    const server = await startServer();
    const oada = server.client();
    await ensureLists(oada);
    const answer = doJob(await connected(server, way), jobOf('echo', { say: 'at last' }));
    await expect.poll(async () => (await read(oada, PENDING.classic)).pending ?? {}).not.toEqual({});
    await withWork(await serviceOf(server, 'nested', 'an address')).start();
    expect(await answer).toMatchObject({ status: 'success', result: 'at last' });
  });

  // It writes into `/bookmarks` itself, since no list is there: what stands there is no list that could be watched.
  test.each(WAYS)(
    'keeps it from starting, over %s, where the store knows nothing of the service',
    async (way) => {
      const server = await startServer();
      const oada = server.client();
      const answer = doJob(await connected(server, way), jobOf('echo', { say: 'at last' }));
      await expect.poll(async () => (await read(oada, '/bookmarks')).services ?? {}).not.toEqual({});
      const { services } = await read(oada, '/bookmarks');
      const pending = services[NAME].jobs.pending as Record<string, string>;

      const service = withWork(await serviceOf(server, 'nested', 'an address'));
      await expect(service.start()).rejects.toMatchObject({
        code: 'OADA_JOBS_STORE_REFUSED',
        message: expect.stringMatching(/no resource of its own.*Move what is there away/s),
      });
      await oada.delete({ path: '/bookmarks/services' });
      await service.start();
      await oada.put({ path: PENDING.nested, data: pending });
      expect(await answer).toMatchObject({ status: 'success', result: 'at last' });
    },
  );
});
