import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { OADAServer } from '@oada/jobs/server';
import { describe, expect, it } from 'vitest';

import { BASE, JOB_TYPE, makeService, NAME, OTHER_TOKEN, read, startServer, TOKEN } from '../setup.js';
import { environmentOf, folder, jsonOf, linesOf, run, runAlone, textOf } from './setup.js';

/** A success that was filed long ago. */
async function oldJob(server: OADAServer, id: string): Promise<void> {
  const oada = server.client();
  const time = '2001-02-03T04:05:06.000Z';
  const updates = { a: { status: 'success', time } };
  const data = { service: NAME, type: 'plough', config: {}, status: 'success', updates };
  await oada.put({ path: `/resources/${id}`, data, contentType: JOB_TYPE });
  await oada.put({
    path: `${BASE}/jobs-success/day-index/2001-02-03`,
    data: { [id]: { _id: `resources/${id}` } },
    contentType: 'application/json',
  });
}

describe('oada-jobs services', () => {
  it('lists those of the store', async () => {
    const server = await startServer();
    expect(await run(server, 'services')).toMatchObject({ code: 0, stdout: '' });
    await textOf(server, 'add', 'plough');
    await textOf(server, 'add', 'hoe', '--service', 'hand');
    expect(await textOf(server, 'services')).toBe('hand\ntractor\n');
    expect(await jsonOf(server, 'services')).toEqual([{ service: 'hand' }, { service: 'tractor' }]);
  });
});

describe('oada-jobs pause, resume, instances and stats', () => {
  it('hold a service that runs, and tell of it', async () => {
    const server = await startServer();
    const service = makeService(server).on('plough', '10s', () => 'done');
    await service.start();
    const filed = service.events.next('job:filed');
    await textOf(server, 'add', 'plough');
    await filed;

    const paused = service.events.next('queue:paused');
    expect(await textOf(server, 'pause')).toBe(
      'tractor is paused: no more jobs are begun, those that run go on.\n',
    );
    await paused;
    await textOf(server, 'add', 'plough');
    const day = new Date().toISOString().slice(0, 10);
    const [stats] = await jsonOf(server, 'stats');
    expect(stats).toMatchObject({
      service: NAME,
      pending: 1,
      paused: true,
      instances: { alive: 1, silent: 0 },
    });
    expect(stats.days).toEqual([{ day, success: 1, failure: 0 }]);
    const text = await textOf(server, 'stats', '--days', '1');
    expect(text).toMatch(/^Pending: +1$/m);
    expect(text).toMatch(/^Paused: +yes/m);
    expect(text).toMatch(new RegExp(`^${day} +1 +0$`, 'm'));

    const [instance] = await jsonOf(server, 'instances');
    expect(instance).toMatchObject({ state: 'alive', pid: process.pid, running: 0, concurrency: 10 });
    expect(await textOf(server, 'instances')).toMatch(
      new RegExp(`^INSTANCE +STATE .*\\n${instance.instance} +alive +\\S+ +${String(process.pid)} +0 of 10 `),
    );

    const second = service.events.next('job:filed');
    expect(await jsonOf(server, 'resume')).toEqual([{ service: NAME, paused: false }]);
    await second;
    await service.stop();
    expect(await run(server, 'instances')).toMatchObject({
      stdout: '',
      stderr: expect.stringContaining('start'),
    });
  });
});

describe('oada-jobs prune', () => {
  it('deletes old jobs, where somebody says so', async () => {
    const server = await startServer();
    await oldJob(server, 'old-1');
    await oldJob(server, 'old-2');
    const limits = ['--success', '30d', '--failure', '365d'];
    const asked = await run(server, 'prune', ...limits);
    expect(asked).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--yes') });
    expect(await textOf(server, 'prune', ...limits, '--dry-run')).toBe(
      '2 jobs and 1 list of days would be deleted.\n',
    );
    expect((await jsonOf(server, 'list', 'success')).length).toBe(2);
    expect(await jsonOf(server, 'prune', ...limits, '--yes')).toEqual([
      { service: NAME, dryRun: false, jobs: 2, days: 1, instances: 0 },
    ]);
    expect(await jsonOf(server, 'list', 'success')).toEqual([]);
    expect(await textOf(server, 'prune', '--keep', '1', '--yes')).toBe(
      '0 jobs and 0 lists of days deleted.\n',
    );
  });

  it('wants to know how long, in days', async () => {
    const server = await startServer();
    const [none, short, wrong] = await Promise.all([
      run(server, 'prune', '--yes'),
      run(server, 'prune', '--yes', '--success', '5m'),
      run(server, 'prune', '--yes', '--success', 'long'),
    ]);
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('--success') });
    expect(short).toMatchObject({ code: 2, stderr: expect.stringContaining('at least a day') });
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('like 90s') });
  });
});

describe('oada-jobs queues', () => {
  it('adds, checks, lists and removes queues, and shows no token', async () => {
    const server = await startServer();
    await textOf(server, 'add', 'plough');
    expect(await run(server, 'queues', 'list')).toMatchObject({ code: 0, stdout: '' });
    const cwd = folder();
    writeFileSync(join(cwd, 'north.token'), `${OTHER_TOKEN}\n`);
    const stores = { south: { domain: server.url, tokenEnv: 'SOUTH' } };
    writeFileSync(join(cwd, 'config.json'), JSON.stringify({ stores }));
    const environment = { ...environmentOf(server), SOUTH: TOKEN, WEST: 'nobodys-token' };
    const add = (...args: readonly string[]): ReturnType<typeof runAlone> =>
      runAlone(['queues', 'add', ...args], { cwd, environment });
    expect(await add('north', server.url, '--queue-token-file', 'north.token')).toMatchObject({
      code: 0,
      stdout: `tractor watches north at ${server.url}.\n`,
    });
    expect(
      (await add('south', '--from-store', 'south', '--config-file', 'config.json', '--json')).stdout,
    ).toBe(`{"queue":"south","domain":"${server.url}"}\n`);
    expect(await add('west', server.url, '--queue-token-env', 'WEST')).toMatchObject({ code: 0 });
    expect(await read(server.client(), `${BASE}/queues/north`)).toEqual({
      domain: server.url,
      token: OTHER_TOKEN,
    });

    expect(await jsonOf(server, 'queues', 'list')).toEqual(
      ['north', 'south', 'west'].map((queue) => ({ queue, domain: server.url })),
    );
    const checked = await run(server, 'queues', 'list', '--check');
    expect(checked).toMatchObject({ code: 1, stderr: expect.stringContaining('1 of 3 queues') });
    expect(checked.stdout).toMatch(/^north +http\S+ +ok +\S+$/m);
    expect(checked.stdout).toMatch(/^west +http\S+ +fail .*does not accept the token/m);
    const json = await run(server, 'queues', 'list', '--check', '--json');
    expect(linesOf(json.stdout).map(({ health }) => health.ok)).toEqual([true, true, false]);

    expect(await jsonOf(server, 'queues', 'remove', 'west')).toEqual([{ queue: 'west', removed: true }]);
    expect(await run(server, 'queues', 'remove', 'west')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('there is no queue "west"'),
    });
    const [twice, nowhere, noToken, unset] = await Promise.all([
      add('north', server.url, '--queue-token-file', 'north.token'),
      add('east', '--queue-token-file', 'north.token'),
      add('east', server.url),
      add('east', server.url, '--queue-token-env', 'EAST'),
    ]);
    expect(twice).toMatchObject({ code: 2, stderr: expect.stringContaining('already') });
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('address') });
    expect(noToken).toMatchObject({ code: 2, stderr: expect.stringContaining('--queue-token-file') });
    expect(unset).toMatchObject({ code: 2, stderr: expect.stringContaining('EAST is not set') });
  });
});
