import { JobError, Service, submit, waitForJob } from '@oada/jobs';
import type { WorkFunction } from '@oada/jobs';
import { describe, expect, onTestFinished, test } from 'vitest';

import { expectBothEnded, makeFarm, untilAborted } from './family/farm.js';
import {
  countTo,
  deferred,
  jobOf,
  keysOf,
  makeService,
  NAME,
  read,
  runJob,
  startServer,
  TOKEN,
} from './setup.js';
import type { Stored } from './setup.js';

describe('a parent', () => {
  test('has children done, and their results in the order of the children', async () => {
    const server = await startServer();
    const service = makeFarm(server, async (_job, { spawn, all }) => {
      for (let n = 1; n <= 5; n++) await spawn('double', { n });
      return await all();
    });
    await service.start();
    const job: Stored = await runJob(service, server.client(), jobOf('parent'));
    expect(job).toMatchObject({ status: 'success', result: [2, 4, 6, 8, 10] });
    expect(keysOf(job.children)).toEqual(['double-1', 'double-2', 'double-3', 'double-4', 'double-5']);
    const child: Stored = await read(server.client(), `/${job.children['double-3']._id}`);
    expect(child).toMatchObject({ parent: { _id: job._id }, startedBy: { job: job._id }, config: { n: 3 } });
    expect(job.progress).toEqual({ done: 5, total: 5 });
  });

  test('never dead-locks its own queue: while it waits, others have its slot', async () => {
    const server = await startServer();
    const service = makeFarm(
      server,
      async (_job, { spawn, all }) => {
        await Promise.all([spawn('double', { n: 1 }), spawn('double', { n: 2 })]);
        return await all();
      },
      { concurrency: 1 },
    );
    await service.start();
    const oada = server.client();
    const jobs = await Promise.all([1, 2, 3].map(() => submit(oada, { service: NAME, type: 'parent' })));
    const results = await Promise.all(jobs.map((job) => waitForJob(oada, job)));
    expect(results.map(({ result }) => result)).toEqual([
      [2, 4],
      [2, 4],
      [2, 4],
    ]);
  });

  test('takes no more than one slot when it goes on', async () => {
    const server = await startServer();
    let running = 0;
    let most = 0;
    const service = makeFarm(
      server,
      async (_job, { spawn, all }) => {
        await spawn('count');
        await all();
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
      },
      { concurrency: 2 },
    ).on('count', '5s', async () => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
    });
    await service.start();
    const oada = server.client();
    const jobs = await Promise.all(
      [1, 2, 3, 4, 5].map(() => submit(oada, { service: NAME, type: 'parent' })),
    );
    await Promise.all(jobs.map((job) => waitForJob(oada, job)));
    expect(most).toBeLessThanOrEqual(2);
  });

  test("is told of a child's failure by an error that it can catch", async () => {
    const server = await startServer();
    const service = makeFarm(server, async (_job, { spawn, all }) => {
      await spawn('bad');
      try {
        await all();
        return 'nothing';
      } catch (error) {
        return error instanceof JobError ? [error.message, error.type] : 'another';
      }
    });
    await service.start();
    const job = await runJob(service, server.client(), jobOf('parent'));
    expect(job.result).toEqual(['no good', 'bad-luck']);
  });

  test('can wait for all of them, however they end', async () => {
    const server = await startServer();
    const service = makeFarm(server, async (_job, { spawn, allSettled }) => {
      await spawn('bad');
      await spawn('double', { n: 4 });
      return (await allSettled()).map(({ status }) => status);
    });
    await service.start();
    const job = await runJob(service, server.client(), jobOf('parent'));
    expect(job.result).toEqual(['rejected', 'fulfilled']);
  });

  test('that fails, is cancelled or takes too long has its children cancelled', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = makeFarm(server, async (job, { spawn, all }) => {
      await spawn('endless');
      if (job.config['fail'] === true) throw new Error('the parent fails');
      return await all();
    });
    await service.start();
    for (const how of ['fails', 'is cancelled'] as const) {
      const both = countTo(service, 'job:filed', 2);
      const begun = service.events.next('job:started', ({ type }) => type === 'endless');
      const parent = await submit(oada, { service: NAME, type: 'parent', config: { fail: how === 'fails' } });
      if (how === 'is cancelled') {
        await begun;
        await service.cancel(parent.key);
      }
      await both;
      await expectBothEnded(oada, parent);
    }
  });

  test('that is run again after its service was stopped finds its children, and starts none twice', async () => {
    const server = await startServer();
    const oada = server.client();
    const runs: number[] = [];
    const gate = deferred();
    const work: WorkFunction = async (_job, { spawn, all }) => {
      for (let n = 1; n <= 3; n++) await spawn('slow', { n });
      return await all();
    };
    const make = (drainTimeout: number): Service => {
      const service = new Service({ name: NAME, oada: server.client(TOKEN), drainTimeout });
      onTestFinished(() => service.stop());
      return service
        .on('parent', { timeout: '20s', grace: 50 }, work)
        .on<{ n: number }>('slow', { timeout: '20s', grace: 50 }, async ({ config }, { signal }) => {
          runs.push(config.n);
          if (config.n === 2) await Promise.race([gate.promise, untilAborted(signal)]);
          return config.n;
        });
    };
    const first = make(1);
    const filed = countTo(first, 'job:filed', 2);
    await first.start();
    const parent = await submit(oada, { service: NAME, type: 'parent' });
    await filed;
    await first.stop();
    gate.resolve();
    const second = make(50);
    await second.start();
    expect((await waitForJob(oada, parent)).result).toEqual([1, 2, 3]);
    expect(runs.toSorted()).toEqual([1, 2, 2, 3]); // the one that was interrupted is run again
    const job: Stored = await read(oada, `/${parent._id}`);
    expect(keysOf(job.children)).toHaveLength(3);
  });

  test('that is to be retried has children of its own in each run', async () => {
    const server = await startServer();
    let runs = 0;
    const service = makeService(server)
      .on('parent', { timeout: '5s', retries: { limit: 1, backoff: 1 } }, async (_job, { spawn, all }) => {
        await spawn('flaky');
        return await all();
      })
      .on('flaky', '5s', () => {
        if (++runs === 1) throw new Error('the first time');
        return 'the second time';
      });
    await service.start();
    const oada = server.client();
    const parent = await submit(oada, { service: NAME, type: 'parent' });
    expect((await waitForJob(oada, parent)).result).toEqual(['the second time']);
  });

  test('may have children that another service does', async () => {
    const server = await startServer();
    const other = new Service({ name: 'mill', oada: server.client(TOKEN) });
    onTestFinished(() => other.stop());
    other.on('grind', '5s', () => 'flour');
    await other.start();
    const service = makeFarm(server, async (_job, { spawn, all }) => {
      await spawn('grind', {}, { service: 'mill', name: 'the wheat' });
      return await all();
    });
    await service.start();
    const job: Stored = await runJob(service, server.client(), jobOf('parent'));
    expect(job).toMatchObject({ status: 'success', result: ['flour'] });
    expect(keysOf(job.children)).toEqual(['the wheat']);
  });
});

describe('progress', () => {
  test('is written to the job, a few times a second at most, and the last of it is there at the end', async () => {
    const server = await startServer();
    const service = makeFarm(server, async (_job, { progress }) => {
      for (let done = 1; done <= 1000; done++) progress(done, 1000, `row ${String(done)}`);
      await Promise.resolve();
    });
    let puts = 0;
    await service.start();
    service.events.on('store:requested', ({ method }) => {
      if (method === 'put') puts++;
    });
    const job = await runJob(service, server.client(), jobOf('parent'));
    expect(job.progress).toEqual({ done: 1000, total: 1000, message: 'row 1000' });
    expect(puts).toBeLessThanOrEqual(5);
  });
});

test('a job belongs to its owner, whose list it stays in when it is filed, and so do its children', async () => {
  const server = await startServer();
  const oada = server.client();
  const service = makeFarm(server, async (_job, { spawn, all }) => {
    await spawn('double', { n: 1 });
    return await all();
  });
  await service.start();
  const job: Stored = await runJob(service, oada, { ...jobOf('parent'), owner: 'users/ann' }, 'mine');
  const list: Stored = await read(oada, `/bookmarks/services/${NAME}/users/ann/jobs`);
  expect(list.mine).toEqual({ _id: job._id });
  expect(keysOf(list)).toHaveLength(2);
});
