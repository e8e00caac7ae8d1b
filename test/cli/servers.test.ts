import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { BASE, makeService, NAME, QUEUE_TREE, read, startServer, TOKEN } from '../setup.js';
import { environmentOf, folder, jsonOf, linesOf, run, runAlone, Running, textOf } from './setup.js';

describe('oada-jobs serve', () => {
  it('keeps a store in a folder, with a token that it never prints, until Ctrl-C', async () => {
    const cwd = folder();
    const server = new Running(['serve'], { cwd });
    await server.printed('Ctrl-C stops it.');
    const tokenFile = join(cwd, 'oada-token');
    const [, url = '', file = ''] =
      /export OADA_DOMAIN=(\S+) OADA_TOKEN="\$\(cat '(.+)'\)"/.exec(server.stdout) ?? [];
    expect(file).toBe(tokenFile);
    expect(statSync(tokenFile).mode & 0o777).toBe(0o600);
    const token = readFileSync(tokenFile, 'utf8').trim();
    const environment = { OADA_DOMAIN: url, OADA_JOBS_SERVICE: NAME };
    const added = await runAlone(['add', 'plough', '--token-file', tokenFile], { environment });
    expect(added).toMatchObject({ code: 0, stderr: '' });
    server.signal('SIGINT');
    const ended = await server.ended();
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).not.toContain(token);

    const again = new Running(['serve', '--json', '--user', 'users/owner'], { cwd });
    await again.printed('\n');
    const [told] = linesOf(again.stdout);
    expect(told).toEqual({
      url: expect.stringMatching(/^http:/),
      tokenFile,
      path: join(cwd, 'oada-data'),
      user: 'users/owner',
    });
    const listed = await runAlone(['list', '--json', '--token-file', '-'], {
      environment: { ...environment, OADA_DOMAIN: told.url },
      input: `${token}\n`,
    });
    expect(linesOf(listed.stdout).map(({ id }) => id)).toEqual([added.stdout.trim()]);
    again.signal('SIGTERM');
    expect(await again.ended()).toMatchObject({ code: 0 });
  });

  it('says why it cannot', async () => {
    const cwd = folder();
    writeFileSync(join(cwd, 'file'), 'x');
    const server = await startServer();
    const { port } = new URL(server.url);
    const [taken, unusable, wrong] = await Promise.all([
      runAlone(['serve', '--memory', '--port', port], { cwd }),
      runAlone(['serve', '--path', 'file'], { cwd }),
      runAlone(['serve', '--port', '65536'], { cwd }),
    ]);
    expect(taken).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('Choose another port'),
    });
    expect(unusable).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^error: .*file/) });
    expect(wrong).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('0 (a free one) to 65535'),
    });
  });
});

describe('oada-jobs dashboard', () => {
  it('says where it is, and answers there until Ctrl-C', async () => {
    const server = await startServer();
    const environment = environmentOf(server);
    const dashboard = new Running(['dashboard', '--json', '--read-only'], { environment });
    await dashboard.printed('\n');
    const [{ url }] = linesOf(dashboard.stdout);
    const { status, headers } = await fetch(url, { redirect: 'manual' });
    expect(status).toBe(303);
    const cookie = headers.get('set-cookie')!.split(';')[0]!;
    const session = await fetch(new URL('/api/session', url), { headers: { cookie } });
    expect(await session.json()).toMatchObject({ signedIn: true, readOnly: true });
    dashboard.signal('SIGINT');
    expect(await dashboard.ended()).toMatchObject({ code: 0, stderr: '' });
  });

  it('says what is missing', async () => {
    const [none, noFile] = await Promise.all([
      runAlone(['dashboard', '--all-stores']),
      runAlone(['dashboard', '--domain', 'x.example', '--token-file', 'none']),
    ]);
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('has no stores') });
    expect(noFile).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot read the token') });
  });
});

describe('oada-jobs doctor', () => {
  it('finds a service that is well, and leaves nothing behind', async () => {
    const server = await startServer();
    const service = makeService(server).on('plough', '10s', () => 'done');
    service.schedule('weekly', { type: 'plough', cron: '0 0 * * 1' });
    await service.start();
    const before = Object.keys(await read(server.client(), BASE));
    const checks = await jsonOf(server, 'doctor');
    expect(Object.fromEntries(checks.map(({ check, state }) => [check, state]))).toEqual({
      ...{
        address: 'ok',
        TLS: 'ok',
        clock: 'ok',
        token: 'ok',
        bookmarks: 'ok',
        service: 'ok',
        permissions: 'ok',
      },
      ...{ layout: 'ok', lists: 'ok', instances: 'ok', paused: 'ok', schedules: 'ok' },
    });
    expect(Object.keys(await read(server.client(), BASE)).toSorted()).toEqual(before.toSorted());
    expect(await textOf(server, 'doctor')).toMatch(/^CHECK +STATE +FOUND\naddress +ok +http/);
  });

  it('says what is wrong with a service, and what to do', async () => {
    const server = await startServer();
    const unknown = await run(server, 'doctor');
    expect(unknown).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing is known of tractor'),
    });
    await textOf(server, 'add', 'plough');
    await textOf(server, 'pause');
    await textOf(server, 'schedules', 'hold');
    const oada = server.client();
    await oada.put({ path: `${BASE}/queues`, data: {}, tree: QUEUE_TREE });
    await oada.put({
      path: `${BASE}/queues`,
      data: { north: { domain: 'http://127.0.0.1:1', token: 'x-5ecret' } },
    });
    const { code, stdout, stderr } = await run(server, 'doctor', '--json');
    expect(code).toBe(1);
    expect(stderr).toBe('error: 2 checks failed: the advice is beside each\n');
    const wrong = linesOf(stdout).filter(({ state }) => state !== 'ok');
    expect(wrong).toEqual([
      {
        check: 'instances',
        state: 'fail',
        found: expect.stringContaining('1 job pending'),
        advice: 'start the service',
      },
      {
        check: 'paused',
        state: 'warn',
        found: expect.any(String),
        advice: expect.stringContaining('resume'),
      },
      {
        check: 'schedules',
        state: 'warn',
        found: expect.any(String),
        advice: expect.stringContaining('release'),
      },
      {
        check: 'queue north',
        state: 'fail',
        found: 'its store cannot be reached',
        advice: expect.any(String),
      },
    ]);
    const alike = await run(server, 'doctor', '--service', 'tracter');
    expect(alike.stdout).toContain('did you mean tractor?');
  });

  it('tells of lists that stand inside another resource, as some producers made them', async () => {
    const server = await startServer();
    const oada = server.client();
    await oada.put({
      path: '/bookmarks',
      data: { services: { [NAME]: { jobs: { old: { _id: 'resources/old' } } } } },
    });
    const { code, stdout } = await run(server, 'doctor', '--json');
    expect(code).toBe(1);
    const checks = Object.fromEntries(linesOf(stdout).map((check) => [check.check, check]));
    expect(checks.lists).toMatchObject({
      state: 'fail',
      found: expect.stringContaining(`${BASE}/jobs stands inside`),
    });
    expect(checks.layout).toMatchObject({ state: 'ok', found: 'classic: jobs' });
  });

  it('stops at an address or a token that is none', async () => {
    const server = await startServer();
    const environment = environmentOf(server);
    const examine = async (changed: Record<string, string>): Promise<unknown[]> => {
      const { code, stdout } = await runAlone(['doctor', '--json'], {
        environment: { ...environment, ...changed },
      });
      expect(code).toBe(1);
      return linesOf(stdout).filter(({ state }) => state === 'fail');
    };
    const [nowhere, token] = await Promise.all([
      examine({ OADA_DOMAIN: 'http://127.0.0.1:1' }),
      examine({ OADA_TOKEN: `${TOKEN.toUpperCase()}-no` }),
    ]);
    expect(nowhere).toMatchObject([
      { check: 'address', advice: expect.stringContaining('nothing listens there') },
    ]);
    expect(token).toMatchObject([{ check: 'token', advice: expect.stringContaining('have a new one made') }]);
  });
});
