import { OADAClient } from '@oada/client';
import { JobError, Service, submit, waitForJob } from '@oada/jobs';
import type { OADAServer } from '@oada/jobs/server';
import { describe, expect, onTestFinished, test } from 'vitest';

import { systemClock } from '../../lib/clock.js';
import { SocketConnection } from '../../lib/oada/connection.js';
import {
  BASE,
  countTo,
  deferred,
  eventsOf,
  jobOf,
  keysOf,
  listen,
  makeService,
  NAME,
  postJob,
  read,
  runJob,
  startServer,
  TOKEN,
} from '../setup.js';
import type { Stored } from '../setup.js';
import { expectBothEnded, makeFarm, PARENT, untilAborted } from './farm.js';

/** Tells of what is written. */
class RecordingConnection extends SocketConnection {
  readonly #written: string[];

  constructor(domain: string, written: string[]) {
    super(new URL(domain), { clock: systemClock, timeout: 10_000 });
    this.#written = written;
  }

  override request(
    ...args: Parameters<SocketConnection['request']>
  ): ReturnType<SocketConnection['request']> {
    const [{ method, path }] = args;
    if (method === 'put') this.#written.push(path);
    return super.request(...args);
  }
}

describe('the progress of a parent', () => {
  test('counts all that were spawned, in however many turns they are waited for', async () => {
    const server = await startServer();
    const service = makeFarm(server, async (_job, { spawn, all }) => {
      for (const turn of [1, 2, 3])
        await all([await spawn('double', { n: turn }), await spawn('double', { n: turn })]);
    });
    await service.start();
    const job: Stored = await runJob(service, server.client(), jobOf('parent'));
    expect(job.progress).toEqual({ done: 6, total: 6 });
  });

  test('begins anew when it failed and is tried again', async () => {
    const server = await startServer();
    const service = makeService(server)
      .on('parent', { timeout: '5s', retries: { limit: 1, backoff: 1 } }, async (job, { spawn, all }) => {
        if (job.retried > 0) return await Promise.resolve(job.progress);
        await spawn('double');
        await all();
        throw new Error('not yet');
      })
      .on('double', '5s', () => 2);
    await service.start();
    const job: Stored = await runJob(service, server.client(), jobOf('parent'));
    expect(job.status).toBe('success');
    expect(job.result).toBeUndefined();
  });
});

test('a wait that nobody is interested in any more harms neither the service nor the parent that is filed', async () => {
  const server = await startServer();
  const oada = server.client();
  const gate = deferred();
  const service = makeFarm(server, async (_job, { spawn, all }) => {
    void all([await spawn('gated')]);
    return 'done';
  }).on('gated', '5s', () => gate.promise);
  await service.start();
  const child = service.events.next('job:filed', ({ type }) => type === 'gated');
  const before: Stored = await runJob(service, oada, jobOf('parent'));
  gate.resolve();
  await child;
  await service.stop();
  expect(await read(oada, `/${before._id}`)).toEqual(before);
});

test('what is spawned and not waited for is there all the same', async () => {
  const server = await startServer();
  const service = makeFarm(server, (_job, { spawn }) => {
    void spawn('double', { n: 21 });
    return 'done';
  });
  const both = countTo(service, 'job:filed', 2);
  await service.start();
  const id = await postJob(server.client(), jobOf('parent'));
  await both;
  const job: Stored = await read(server.client(), `/${id}`);
  expect(job.result).toBe('done');
  const child: Stored = await read(server.client(), `/${job.children['double-1']._id}`);
  expect(child.result).toBe(42);
});

test('the same name is the same child, in one run as well', async () => {
  const server = await startServer();
  const service = makeFarm(server, async (_job, { spawn, all }) => {
    const first = await spawn('double', { n: 1 }, { name: 'the one' });
    const result = await all([first]);
    return [...result, ...(await all([await spawn('double', { n: 2 }, { name: 'the one' })]))];
  });
  await service.start();
  const job: Stored = await runJob(service, server.client(), jobOf('parent'));
  expect(job.result).toEqual([2, 2]);
  expect(await read(server.client(), `/${job.children['the one']._id}`)).toMatchObject({ config: { n: 1 } });
});

test('to wait for many children takes one request for each, and no watch', async () => {
  const server = await startServer();
  const children = 50;
  const service = makeFarm(
    server,
    async (_job, { spawn, all }) => {
      for (let n = 1; n <= children; n++) await spawn('double', { n });
      return await all();
    },
    { concurrency: 1 },
  );
  await service.start();
  const counts: Record<string, number> = {};
  service.events.on('store:requested', ({ method }) => (counts[method] = (counts[method] ?? 0) + 1));
  await runJob(service, server.client(), jobOf('parent'));
  expect(counts['watch']).toBeUndefined();
  expect(counts['get']).toBe(1 + 2 * children); // the parent; each child when it is run, and when it is over
});

describe('the children of a parent', () => {
  test('that is cancelled are cancelled with it at once, though they have all the slots', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = makeFarm(
      server,
      async (_job, { spawn, all }) => {
        await spawn('endless');
        return await all();
      },
      { concurrency: 1 },
    );
    const told = listen(service);
    const begun = service.events.next('job:started', ({ type }) => type === 'endless');
    const both = countTo(service, 'job:filed', 2);
    await service.start();
    const parent = await submit(oada, { service: NAME, type: 'parent' });
    await begun;
    await service.cancel(parent.key);
    await both;
    expect(eventsOf(told, 'job:stuck')).toEqual([]);
    expect(eventsOf(told, 'job:failed').map(({ type }) => type)).toEqual(['parent', 'endless']);
  });

  test('that takes too long are cancelled', async () => {
    const server = await startServer();
    const service = makeFarm(server, () => 'not used').on(
      'slow',
      { timeout: 50, grace: 500 },
      async (_job, { spawn, all }) => {
        await spawn('endless');
        return await all();
      },
    );
    const child = service.events.next('job:filed', ({ type }) => type === 'endless');
    await service.start();
    const job = await runJob(service, server.client(), jobOf('slow'));
    expect(job).toMatchObject({ status: 'failure', failureType: 'timeout' });
    expect(await child).toMatchObject({ status: 'failure', failureType: 'cancelled' });
  });

  test('that ends while some are only being spawned are cancelled too, when they are there', async () => {
    const server = await startServer();
    const written: string[] = [];
    const connection = new RecordingConnection(server.url, written);
    const client = new OADAClient({ domain: server.url, token: TOKEN, connection });
    onTestFinished(() => connection.disconnect());
    const service = new Service({ name: NAME, oada: client });
    onTestFinished(() => service.stop());
    service
      .on('parent', PARENT, (_job, { spawn }) => {
        for (let n = 0; n < 5; n++) void spawn('endless');
        throw new Error('the parent fails');
      })
      .on('endless', { timeout: '20s', grace: 50 }, (_job, { signal }) => untilAborted(signal));
    const all = countTo(service, 'job:filed', 6);
    await service.start();
    written.length = 0;
    const id = await postJob(server.client(), jobOf('parent'));
    await all;
    const { children }: Stored = await read(server.client(), `/${id}`);
    for (const name of keysOf(children)) {
      const child: Stored = await read(server.client(), `/${children[name]._id}`);
      expect(child).toMatchObject({ failureType: 'cancelled' });
    }
    expect(keysOf(children)).toHaveLength(5);
    const relevant = written.filter((path) => /\/(jobs|controls)$/.test(path));
    expect(relevant.map((path) => path.slice(BASE.length))).toEqual([
      ...Array<string>(5).fill('/jobs'),
      '/controls',
    ]);
  });

  test('that another service does are cancelled there', async () => {
    const server = await startServer();
    const mill = new Service({ name: 'mill', oada: server.client(TOKEN) });
    onTestFinished(() => mill.stop());
    const begun = mill.events.next('job:started');
    const filed = mill.events.next('job:filed');
    await mill.on('grind', { timeout: '20s', grace: 50 }, (_job, { signal }) => untilAborted(signal)).start();
    const service = makeFarm(server, async (_job, { spawn }) => {
      await spawn('grind', {}, { service: 'mill' });
      await begun;
      throw new Error('the parent fails');
    });
    await service.start();
    await runJob(service, server.client(), jobOf('parent'));
    expect(await filed).toMatchObject({ status: 'failure', failureType: 'cancelled' });
  });

  /** A parent whose service is gone, and which has an endless child; the list is paused. */
  async function leaveBehind(server: OADAServer): Promise<{ key: string; _id: string }> {
    const first = makeFarm(server, async (_job, { spawn, all }) => {
      await spawn('endless');
      return await all();
    });
    const begun = first.events.next('job:started', ({ type }) => type === 'endless');
    await first.start();
    const parent = await submit(server.client(), { service: NAME, type: 'parent' });
    await begun;
    await first.pause();
    await first.stop();
    return parent;
  }

  test.each(['is cancelled before it is run again', 'fails before it spawns any when it is run again'])(
    'of an earlier run are cancelled where it %s',
    async (how) => {
      const server = await startServer();
      const oada = server.client();
      const parent = await leaveBehind(server);
      if (how.startsWith('is cancelled')) {
        const data = { cancel: { [parent.key]: { time: new Date().toISOString() } } };
        await oada.put({ path: `${BASE}/controls`, data, contentType: 'application/json' });
      }
      const second = makeFarm(server, () => {
        throw new Error('the parent fails');
      });
      const both = countTo(second, 'job:filed', 2);
      await second.start();
      await second.resume();
      await both;
      await expectBothEnded(oada, parent);
    },
  );
});

test('a parent is waited for where its child was not heard of by way of the list', async () => {
  const server = await startServer();
  const oada = server.client();
  const service = makeFarm(server, async (_job, { spawn, all }) => {
    const child = await spawn('endless');
    const begun = await service.events.next('job:started', ({ type }) => type === 'endless');
    // Somebody takes it out of the list: it is cancelled, and over a little later than that.
    await oada.delete({ path: `${BASE}/jobs/pending/${begun.key}` });
    return await all([child]).catch((error: unknown) => (error instanceof JobError ? error.type : 'other'));
  });
  await service.start();
  const job = await submit(oada, { service: NAME, type: 'parent' });
  expect((await waitForJob(oada, job)).result).toBe('cancelled');
});
