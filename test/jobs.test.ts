import { getStatus, JobError, submit, waitForJob } from '@oada/jobs';
import { describe, expect, test } from 'vitest';

import { Jobs } from '../lib/jobs.js';
import type { Store } from '../lib/oada/store.js';
import { operate } from './operator/setup.js';
import {
  allFiled,
  BASE,
  countTo,
  deferred,
  jobOf,
  keysOf,
  makeService,
  NAME,
  postJob,
  read,
  startServer,
  TOKEN,
} from './setup.js';

describe('the status of a job', () => {
  test('is made by the view of its type, of its output and its children, while it runs and when it is over', async () => {
    const server = await startServer();
    const oada = server.client();
    const gate = deferred();
    const service = makeService(server)
      .on('check', '10s', async (_job, { spawn, all }) => {
        await spawn('file', { path: 'a.csv' });
        await spawn('file', { path: 'b.csv' });
        return { errors: (await all()).length };
      })
      .on<{ path: string }>('file', '10s', async ({ config }, { progress }) => {
        progress(1, 2, 'reading');
        if (config.path === 'b.csv') await gate.promise;
        return { path: config.path, errors: [`line 3 of ${config.path} has 4 columns, and should have 5`] };
      })
      .status('check', ({ children }) => ({
        findings: children.flatMap(
          ({ result }) => (result as { errors: string[] } | undefined)?.errors ?? [],
        ),
      }));
    await service.start();
    const first = service.events.next('job:filed', ({ type }) => type === 'file');
    const started = service.events.next('job:started', ({ type }) => type === 'check');
    const job = await submit(oada, { service: NAME, type: 'check' });
    await started;
    await first;
    const during = await service.jobs.status(job._id);
    expect(during).toMatchObject({ state: 'running', type: 'check', finished: undefined, error: undefined });
    expect(during.output).toEqual({ findings: ['line 3 of a.csv has 4 columns, and should have 5'] });
    expect(during.children.map(({ name, state }) => [name, state])).toContainEqual(['file-1', 'success']);
    gate.resolve();
    await waitForJob(oada, job);
    const after = await service.jobs.status(job._id);
    expect(after).toMatchObject({
      state: 'success',
      progress: { done: 2, total: 2 },
      finished: expect.any(Date),
    });
    expect((after.output as { findings: string[] }).findings).toHaveLength(2);
  });

  test('of one that failed says what to mend, and without a view its output is its result', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = makeService(server)
      .on('bad', '5s', () => {
        throw new JobError('The file has no header: add one, and upload it again', 'no-header');
      })
      .on('good', '5s', () => 42);
    await service.start();
    const bad = await submit(oada, { service: NAME, type: 'bad' });
    await expect(waitForJob(oada, bad)).rejects.toThrow('add one');
    expect(await getStatus(oada, bad)).toMatchObject({
      state: 'failure',
      error: { message: 'The file has no header: add one, and upload it again', type: 'no-header' },
      output: undefined,
    });
    const good = await submit(oada, { service: NAME, type: 'good' });
    await waitForJob(oada, good);
    expect(await getStatus(oada, good)).toMatchObject({ state: 'success', output: 42 });
    const doubled = { good: ({ result }: { result: unknown }) => ({ twice: Number(result) * 2 }) };
    expect(await getStatus(oada, good._id, doubled)).toMatchObject({ output: { twice: 84 } });
  });

  test('is told also where its view throws', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = makeService(server).on('good', '5s', () => 42);
    service.status('good', () => {
      throw new Error('no such column');
    });
    await service.start();
    const job = await submit(oada, { service: NAME, type: 'good' });
    await waitForJob(oada, job);
    const { state, output } = await service.jobs.status(job._id);
    expect([state, output]).toEqual([
      'success',
      { problem: 'The view of good cannot show this: no such column' },
    ]);
  });
});

describe('my jobs', () => {
  test('are listed from when they are submitted, cancelled, run again and deleted; others are not seen', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = makeService(server, 'in process', { concurrency: 1 })
      .on('endless', { timeout: '20s', grace: 1 }, () => new Promise(() => undefined))
      .on('good', '5s', () => 'done');
    await service.start();
    const begun = service.events.next('job:started');
    const filed = countTo(service, 'job:filed', 4);
    const running = await submit(oada, { service: NAME, type: 'endless', owner: 'users/ann' });
    const waiting = await submit(oada, { service: NAME, type: 'good', owner: 'users/ann' });
    await submit(oada, { service: NAME, type: 'good', owner: 'users/bob' });
    await begun;
    const listed = await service.jobs.of('users/ann');
    expect(listed.map(({ _id, state }) => [_id, state])).toEqual([
      [running._id, 'running'],
      [waiting._id, 'waiting'],
    ]);
    expect(listed[0]!.key).toBe(running.key);
    await service.cancel(listed[0]!.key);
    expect((await waitForJob(oada, waiting)).result).toBe('done');
    expect((await service.jobs.of('users/ann')).map(({ state }) => state).toSorted()).toEqual([
      'failure',
      'success',
    ]);

    const again = await service.jobs.rerun(waiting._id, 'users/ann');
    expect((await waitForJob(oada, again)).result).toBe('done');
    expect(await read(oada, `/${again._id}`)).toMatchObject({
      owner: 'users/ann',
      startedBy: { user: 'users/ann', job: waiting._id },
    });

    await filed;
    await service.jobs.delete(waiting._id);
    const left = (await service.jobs.of('users/ann')).map(({ _id }) => _id);
    expect(left.toSorted()).toEqual([running._id, again._id].toSorted());
    const today = new Date().toISOString().slice(0, 10);
    expect(keysOf(await read(oada, `${BASE}/jobs/success/day-index/${today}`))).not.toContain(waiting.key);
    await expect(read(oada, `/${waiting._id}`)).rejects.toMatchObject({ status: 404 });
  });

  test('are deleted without a look through their lists, unless their links have other keys', async () => {
    const server = await startServer();
    const oada = server.client(TOKEN);
    const service = makeService(server).on('good', '5s', () => 'done');
    await service.start();
    const filed = countTo(service, 'job:filed', 3);
    const usual = (await submit(oada, { service: NAME, type: 'good', owner: 'users/ann' }))._id;
    const named = await postJob(oada, jobOf('good'), 'by-hand');
    const unnamed = await postJob(oada, jobOf('good'), 'by-another-hand');
    await filed;
    const deps = operate(server);
    const got: string[] = [];
    const get: Store['get'] = async (path) => {
      got.push(path);
      return await deps.store.get(path);
    };
    const store = new Proxy(deps.store, {
      get: (target, name) => {
        const value: unknown = name === 'get' ? get : Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const jobs = new Jobs({ ...deps, store, views: new Map(), layout: undefined });
    const day = new Date().toISOString().slice(0, 10);
    const keys = async (): Promise<string[]> => (await allFiled(oada)).map(({ key }) => key);
    const lists = [deps.paths.classic, deps.paths.nested].map((layout) => layout.dayIndex('success', day));
    await jobs.delete(usual);
    await jobs.delete(named, 'by-hand');
    expect(got.filter((path) => lists.includes(path))).toEqual([]);
    expect(await keys()).toEqual(['by-another-hand']);
    await jobs.delete(unnamed);
    expect(got).toEqual(expect.arrayContaining(lists));
    expect(await keys()).toEqual([]);
    expect(await service.jobs.of('users/ann')).toEqual([]);
  });

  test('that are not over are not deleted', async () => {
    const server = await startServer();
    const service = makeService(server);
    await service.start();
    const job = await submit(server.client(), {
      ...{ service: NAME, type: 'later', owner: 'users/ann' },
      startAfter: new Date('2999-01-01'),
    });
    await expect(service.jobs.delete(job._id)).rejects.toThrow('cancel it first');
  });

  test('that have expired are taken out of the list', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = makeService(server).on('good', '5s', () => 'done');
    await service.start();
    const job = await submit(oada, { service: NAME, type: 'good', owner: 'users/ann' });
    await waitForJob(oada, job);
    await oada.delete({ path: `/${job._id}` });
    expect(await service.jobs.of('users/ann')).toEqual([]);
    expect(keysOf(await read(oada, `${BASE}/users/ann/jobs`))).toEqual([]);
  });

  test('are those of users, whatever their names are', async () => {
    const server = await startServer();
    const oada = server.client();
    const service = makeService(server).on('good', '5s', () => 'done');
    await service.start();
    for (const owner of ['users/12', 'users/a b', 'users/__proto__', 'users/ü']) {
      const job = await submit(oada, { service: NAME, type: 'good', owner });
      await waitForJob(oada, job);
      expect((await service.jobs.of(owner)).map(({ _id }) => _id)).toEqual([job._id]);
    }
    await expect(service.jobs.of('ann')).rejects.toThrow('users/abc');
  });
});
