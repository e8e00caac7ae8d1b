import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';

import { ConfigError, JobError, LifecycleError, retryIn, submit, WaitTimeoutError } from '@oada/jobs';
import type { Duration, Service } from '@oada/jobs';
import { TestService } from '@oada/jobs/testing';
import type { TestServiceOptions } from '@oada/jobs/testing';
import { expect, onTestFinished, test } from 'vitest';

import { read, watchRejections } from '../setup.js';

const HOUR = 3_600_000;
const NOON = new Date('2026-03-01T12:00:00Z');

async function start(
  setup: (service: Service) => unknown,
  options: TestServiceOptions = {},
): Promise<TestService> {
  watchRejections();
  const tested = await TestService.start(setup, options);
  onTestFinished(() => tested.stop());
  return tested;
}

/** Takes more turns of the event loop than a clock would wait for if it did not know that something goes on. */
async function realWork(): Promise<void> {
  for (let file = 0; file < 20; file++) await readFile(new URL(import.meta.url));
}

test('a job that was run is told of as its document stands', async () => {
  const tested = await start((service) => {
    service.on<{ name: string }>('hello', '10s', async (job, { log }) => {
      void log.info('greeting', { name: job.config.name });
      return `Hello, ${job.config.name}!`;
    });
  });
  const job = await tested.run('hello', { name: 'world' }, { priority: 3, owner: 'users/sam' });
  expect(job).toMatchObject({
    ...{ type: 'hello', state: 'success', result: 'Hello, world!', config: { name: 'world' } },
    ...{ priority: 3, owner: 'users/sam', attempts: 1 },
  });
  expect(job.updates.map(({ status, meta }) => [status, meta])).toEqual([
    ['started', 'Runner started'],
    ['greeting', { name: 'world' }],
    ['success', 'Runner finished'],
  ]);
  expect(await read(tested.oada, `/${job.id}`)).toEqual(job.document);
});

test('a failure is told of like any other end', async () => {
  const tested = await start((service) => {
    service.on('plough', '10s', async () => {
      throw new JobError('the ground is frozen', { type: 'frost' });
    });
    service.on('wait', '20ms', () => new Promise(() => undefined));
  });
  const failed = await tested.run('plough');
  expect(failed).toMatchObject({
    ...{ state: 'failure', error: { message: 'the ground is frozen', type: 'frost' } },
    ...{ result: { name: 'JobError' }, document: { failureType: 'frost' } },
  });
  expect(await tested.run('wait')).toMatchObject({ state: 'failure', error: { type: 'timeout' } });
  expect(await tested.run('sow')).toMatchObject({ state: 'failure', error: { type: 'unknown-type' } });
});

test('the time between two tries is skipped', async () => {
  let tries = 0;
  const tested = await start(
    (service) => {
      service.on('sow', { timeout: '10s', retries: { limit: 1, backoff: '2h' } }, async () => {
        if (++tries < 2) throw new Error('too wet');
        return tries;
      });
      service.on('reap', '10s', async () => (++tries < 5 ? retryIn('1h') : tries));
    },
    { now: NOON },
  );
  expect(await tested.run('sow')).toMatchObject({ state: 'success', result: 2 });
  expect(tested.now().getTime() - NOON.getTime()).toBeGreaterThanOrEqual(1.5 * HOUR);
  expect(tested.now().getTime() - NOON.getTime()).toBeLessThan(2 * HOUR + 60_000);
  const before = tested.now().getTime();
  const job = await tested.run('reap');
  expect(job).toMatchObject({ state: 'success', result: 5 });
  expect(job.updates.filter(({ status }) => status === 'retrying')).toHaveLength(2);
  expect(tested.now().getTime() - before).toBeGreaterThanOrEqual(2 * HOUR);
});

test.each(['10s', Infinity] as const)(
  'no time is skipped while a job runs that may take %s',
  async (timeout) => {
    const tested = await start((service) => {
      service.on('hello', timeout, realWork);
      service.schedule('soon', { type: 'hello', every: '5s' });
    });
    const before = tested.now().getTime();
    await tested.run('hello', {}, { timeout: '1m' });
    expect(tested.now().getTime() - before).toBeLessThan(5000);
  },
);

test('a job that is not to be run before a time is run then', async () => {
  const tested = await start(
    (service) => {
      service.on('hello', '10s', async () => undefined);
    },
    { now: NOON },
  );
  const startAfter = new Date(NOON.getTime() + 3 * HOUR);
  const job = await tested.run('hello', {}, { startAfter });
  expect(new Date(job.started!).getTime()).toBeGreaterThanOrEqual(startAfter.getTime());
  expect(new Date(job.started!).getTime()).toBeLessThan(startAfter.getTime() + 60_000);
});

test('schedules run at their times as time is let pass', async () => {
  const tested = await start(
    (service) => {
      service.on('report', '10s', async (job) => job.config);
      service.schedule('nightly', {
        ...{ type: 'report', cron: '0 3 * * *', timeZone: 'America/Chicago' },
        config: ({ occurrence }) => ({ for: occurrence }),
      });
    },
    { now: NOON },
  );
  expect(await tested.advance('20h')).toEqual([]);
  const jobs = await tested.advance('2d');
  expect(jobs.map(({ result }) => result)).toEqual([
    { for: '2026-03-02T09:00:00.000Z' },
    { for: '2026-03-03T09:00:00.000Z' },
  ]);
  for (const { started, startedBy } of jobs) {
    expect(startedBy).toMatchObject({ schedule: 'nightly' });
    expect(started).toMatch(/T09:00:0/);
  }
  expect(tested.now().getTime() - NOON.getTime()).toBeGreaterThanOrEqual(68 * HOUR);
  expect(tested.now().getTime() - NOON.getTime()).toBeLessThan(68 * HOUR + 60_000);
});

test('more time may pass at once than any timer takes', async () => {
  const tested = await start(() => undefined, { now: NOON });
  await tested.service.stop(); // no heartbeats
  expect(await tested.advance('31d')).toEqual([]);
  expect(tested.now().toISOString()).toMatch(/^2026-04-01T12:00/);
  await expect(tested.run('report', {}, { timeout: '30d' })).rejects.toThrow(WaitTimeoutError);
  expect(tested.now().toISOString()).toMatch(/^2026-05-01T12:00/);
});

test('no time is skipped while work goes on, in a job or in a function of a schedule', async () => {
  const tested = await start((service) => {
    service.on('work', '10s', realWork);
    service.schedule('busy', {
      ...{ type: 'work', every: '30s', overlap: 'skip' },
      shouldRun: async () => {
        await realWork();
        return true;
      },
    });
  });
  const skipped: unknown[] = [];
  tested.service.events.on('schedule:skipped', (event) => skipped.push(event));
  const jobs = await tested.advance('5m');
  expect(jobs.map(({ state }) => state)).toEqual(Array.from({ length: 10 }, () => 'success'));
  expect(skipped).toEqual([]);
});

test('what work functions submit can be looked at, for this service and for others', async () => {
  const tested = await start(
    (service) => {
      service.on('order', '10s', async (job, { oada }) => {
        await submit(oada, { service: 'mailer', type: 'email', config: { to: job.config['to'] } });
      });
      service.on('later', '10s', async () => undefined);
    },
    { name: 'shop', now: NOON },
  );
  expect(await tested.pending('mailer')).toEqual([]);
  await tested.run('order', { to: 'sam' });
  expect(await tested.pending('mailer')).toMatchObject([
    { type: 'email', state: 'waiting', config: { to: 'sam' } },
  ]);
  const startAfter = new Date(NOON.getTime() + HOUR);
  const { _id } = await submit(tested.oada, { service: 'shop', type: 'later', startAfter });
  expect(await tested.pending()).toMatchObject([{ id: _id, startAfter: startAfter.toISOString() }]);
  expect(await tested.advance('2h')).toMatchObject([{ id: _id, state: 'success' }]);
  expect(await tested.pending()).toEqual([]);
});

test('a job has not waited for the time that was skipped before it was there', async () => {
  const tested = await start(
    (service) => {
      service.on('hello', '10s', async () => undefined);
    },
    { now: NOON },
  );
  const waited: number[] = [];
  tested.service.events.on('job:started', (event) => waited.push(event.waited));
  await tested.run('hello');
  await tested.advance('12h');
  await tested.run('hello');
  for (const time of waited) expect(time).toBeLessThan(60_000);
  expect(waited).toHaveLength(2);
});

test('jobs that are run at the same time, children and batches come to their ends', async () => {
  const tested = await start((service) => {
    service.on('parent', '10s', async (_job, { spawn, all }) => {
      await spawn('child');
      return await all();
    });
    service.on('child', '10s', async () => 'grown');
    service.onBatch('crate', { maxSize: 2, timeout: '10s' }, async (jobs) => jobs.map(() => jobs.length));
  });
  const jobs = await Promise.all([tested.run('parent'), tested.run('crate'), tested.run('crate')]);
  expect(jobs.map(({ result }) => result)).toEqual([['grown'], 2, 2]);
});

test('time is skipped while a parent waits for its children, and not while it works', async () => {
  let tries = 0;
  const tested = await start(
    (service) => {
      service.on('parent', '1d', async (_job, { spawn, all }) => {
        const [fast, slow] = [await spawn('fast'), await spawn('slow')];
        const results = await Promise.all([all([fast]), all([slow])]);
        const before = tested.now().getTime();
        await realWork();
        return [...results.flat(), tested.now().getTime() - before < 5000];
      });
      service.on('fast', '10s', async () => 'fast');
      service.on('slow', { timeout: '10s', retries: { limit: 1, backoff: '1h' } }, async () => {
        if (++tries < 2) throw new Error('too wet');
        return 'slow';
      });
    },
    { now: NOON },
  );
  expect(await tested.run('parent')).toMatchObject({ state: 'success', result: ['fast', 'slow', true] });
  expect(tested.now().getTime() - NOON.getTime()).toBeGreaterThanOrEqual(0.75 * HOUR);
});

test('the time that a parent may take is up when it has waited for so long', async () => {
  const tested = await start(
    (service) => {
      service.on('parent', '20m', async (_job, { spawn, allSettled }) => {
        await spawn('child');
        return await allSettled();
      });
      service.on('child', { timeout: '10s', retries: { limit: 1, backoff: '1h' } }, async () => {
        throw new Error('too wet');
      });
    },
    { now: NOON },
  );
  expect(await tested.run('parent')).toMatchObject({ state: 'failure', error: { type: 'timeout' } });
  expect(tested.now().getTime() - NOON.getTime()).toBeGreaterThanOrEqual(HOUR / 3);
  expect(tested.now().getTime() - NOON.getTime()).toBeLessThan(HOUR / 2);
});

test('a parent whose child nobody takes is not waited for for ever', async () => {
  const tested = await start((service) => {
    service.on('parent', Infinity, async (_job, { spawn, all }) => {
      await spawn('child', {}, { service: 'another' });
      await all();
    });
  });
  await expect(tested.run('parent', {}, { timeout: '1h' })).rejects.toThrow(WaitTimeoutError);
  expect(await tested.pending('another')).toMatchObject([{ type: 'child', state: 'waiting' }]);
});

test('time is skipped while a job waits for others of its batch, and not while they are done', async () => {
  const tested = await start(
    (service) => {
      service.onBatch('crate', { maxSize: 2, maxWait: '10m', timeout: '10s' }, async (jobs) => {
        const before = tested.now().getTime();
        await realWork();
        return jobs.map(() => [jobs.length, tested.now().getTime() - before < 5000]);
      });
    },
    { now: NOON },
  );
  expect(await tested.run('crate')).toMatchObject({ state: 'success', result: [1, true] });
  expect(tested.now().getTime() - NOON.getTime()).toBeGreaterThanOrEqual(HOUR / 6);
  expect(tested.now().getTime() - NOON.getTime()).toBeLessThan(HOUR / 5);
});

test.each([0, 1, 2, 3, 4, 5, 6])(
  'a job that is run %i turns after time was let pass comes to its end',
  async (turns) => {
    const tested = await start((service) => {
      service.on('work', '10s', realWork);
    });
    const advanced = tested.advance('1ms');
    for (let turn = 0; turn < turns; turn++) await setImmediate();
    const [job] = await Promise.all([tested.run('work'), advanced, tested.advance('1ms')]);
    expect(job.state).toBe('success');
  },
);

test('a job that nobody takes is not waited for for ever', async () => {
  const tested = await start((service) => {
    service.on('hello', '10s', async () => undefined);
  });
  await tested.service.pause();
  await expect(tested.run('hello', {}, { timeout: '1h' })).rejects.toThrow(WaitTimeoutError);
  await tested.service.resume();
  expect(await tested.advance('1m')).toMatchObject([{ type: 'hello', state: 'success' }]);
});

test('the setup may fill the store before the service starts', async () => {
  const tested = await start(async (service) => {
    await service.getClient().put({ path: '/bookmarks/fields', data: { north: 12 } });
    service.on('size', '10s', async (_job, { oada }) => {
      const { data } = await oada.get({ path: '/bookmarks/fields/north' });
      return data;
    });
  });
  expect(await tested.run('size')).toMatchObject({ result: 12 });
});

test('what is wrong is refused, and leaves nothing behind', async () => {
  let made: Service | undefined;
  const setup = (service: Service): void => {
    made = service;
    throw new Error('nothing to set up');
  };
  await expect(TestService.start(setup)).rejects.toThrow('nothing to set up');
  await expect(made!.getClient().get({ path: '/bookmarks' })).rejects.toThrow('The server is stopped');
  const wrong = [{ now: 'noon' }, { now: new Date('noon') }, { concurency: 3 }, { name: 'a/b' }];
  for (const options of wrong)
    await expect(TestService.start(() => undefined, options as TestServiceOptions)).rejects.toThrow(
      ConfigError,
    );
  const tested = await start(() => undefined);
  await expect(tested.run('')).rejects.toThrow(ConfigError);
  for (const time of [0, -1, Infinity, '1 day'] as const) {
    const timeout = time as Duration;
    await expect(tested.run('hello', {}, { timeout })).rejects.toThrow(ConfigError);
    await expect(tested.advance(timeout)).rejects.toThrow(ConfigError);
  }
  await tested.stop();
  await tested.stop();
  await expect(tested.run('hello')).rejects.toThrow(LifecycleError);
  await expect(tested.advance('1d')).rejects.toThrow(LifecycleError);
  await expect(tested.pending()).rejects.toThrow(LifecycleError);
});
