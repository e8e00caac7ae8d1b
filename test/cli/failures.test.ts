import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import type { OADAServer } from '@oada/jobs/server';
import type { Command } from 'commander';
import { describe, expect, it, onTestFinished } from 'vitest';

import { createProgram } from '../../lib/cli/program.js';
import { BASE, JOB_TYPE, makeService, NAME, startServer, TOKEN } from '../setup.js';
import { environmentOf, linesOf, run, runAlone, Running, start, textOf } from './setup.js';
import type { Ended } from './setup.js';

/** What a command needs to be understood. */
const MORE: Readonly<Record<string, readonly string[]>> = {
  retry: ['--all', '--yes'],
  prune: ['--success', '30d', '--yes'],
  'queues add': ['north', 'north.example.org', '--queue-token-env', 'OADA_TOKEN'],
  'schedules override': ['nightly', '--manual'],
  'schedules release': ['--due', 'run'],
};
/** Those that ask no store before they are used, or say themselves what is wrong. */
const OTHERS = ['doctor', 'dashboard'];

/** All that talk to a store, with arguments that will do. */
function calls(command: Command, path: readonly string[] = []): string[][] {
  return command.commands.flatMap((child): string[][] => {
    const names = [...path, child.name()];
    if (child.commands.length > 0) return calls(child, names);
    const talks = child.options.some(({ long }) => long === '--store');
    if (!talks || OTHERS.includes(names.join(' '))) return [];
    const needed = child.registeredArguments.filter(({ required }) => required).map(() => 'nobody');
    return [[...names, ...(MORE[names.join(' ')] ?? needed)]];
  });
}

const all = calls(createProgram(async () => {}));

/** Some at a time: each is a process. */
async function each(work: (args: readonly string[]) => Promise<void>): Promise<void> {
  const waiting = [...all].values();
  const workOff = async (): Promise<void> => {
    for (const args of waiting) await work(args);
  };
  await Promise.all([workOff(), workOff(), workOff()]);
}

describe('every command that talks to a store', () => {
  it('says that the address is wrong', async () => {
    expect(all.length).toBeGreaterThan(20);
    const environment = {
      OADA_DOMAIN: 'http://127.0.0.1:1',
      OADA_TOKEN: 'any',
      OADA_JOBS_SERVICE: 'tractor',
    };
    await each(async (args) => {
      const ended = await runAlone(args, { environment });
      expect({ args, ...ended }).toEqual({
        ...{ args, code: 5, stdout: '' },
        stderr: expect.stringMatching(
          /^error: http:\/\/127\.0\.0\.1:1: .*ECONNREFUSED.* Check the address.*\n$/,
        ),
      });
    });
  });

  it('says that the token is wrong', async () => {
    const server = await startServer();
    const environment = { ...environmentOf(server), OADA_TOKEN: 'wr0ng-t0ken' };
    await each(async (args) => {
      const ended = await runAlone(args, { environment });
      expect({ args, ...ended }).toEqual({
        ...{ args, code: 4, stdout: '' },
        stderr: expect.stringMatching(/^error: .*does not accept the token.*\n$/),
      });
      expect(ended.stderr).not.toContain('wr0ng-t0ken');
    });
  });
});

describe('oada-jobs', () => {
  it('knows no job that is not there', async () => {
    const server = await startServer();
    const some = ['show', 'logs', 'wait', 'retry', 'cancel'].flatMap((name) => [
      [name, 'nobody'],
      [name, 'resources/nobody'],
    ]);
    await Promise.all(
      some.map(async ([name = '', job = '']) => {
        expect(await run(server, name, job)).toEqual({
          ...{ code: 3, stdout: '' },
          stderr: `error: there is no job "${job}" of tractor. \`oada-jobs list\` shows those that there are\n`,
        });
      }),
    );
  });

  it('says what it does not understand, and what may have been meant', async () => {
    const [command, sub, none, subNone] = await Promise.all(
      [['lst'], ['queues', 'ad'], [], ['schedules']].map((args) => runAlone(args)),
    );
    expect(command).toEqual({
      code: 2,
      stdout: '',
      stderr: "error: unknown command 'lst'. Did you mean list?\n",
    });
    expect(sub).toEqual({ code: 2, stdout: '', stderr: "error: unknown command 'ad'. Did you mean add?\n" });
    expect(none).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('Usage: oada-jobs') });
    expect(subNone).toMatchObject({ code: 2, stderr: expect.stringContaining('override') });
  });

  it('helps, tells its version, and needs no store for that', async () => {
    const [help, ofList, version] = await Promise.all(
      [['--help'], ['list', '--help'], ['--version']].map((args) => runAlone(args)),
    );
    expect(help).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('Exit codes: 0 done'),
    });
    expect(help?.stdout).not.toContain('__complete');
    expect(ofList).toMatchObject({ code: 0, stdout: expect.stringContaining('--failure-type') });
    expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

/** Takes connections, and never says a word. */
async function deafStore(): Promise<{ port: number; reached: Promise<unknown> }> {
  const store = createServer();
  onTestFinished(() => {
    store.close();
  });
  store.listen(0, '127.0.0.1');
  await once(store, 'listening');
  return { port: (store.address() as AddressInfo).port, reached: once(store, 'connection') };
}

const COUNT = 200;

async function putFailures(server: OADAServer, count: number): Promise<void> {
  const oada = server.client();
  const updates = { a: { status: 'failure', time: '2026-01-31T08:00:00.000Z' } };
  const data = { service: NAME, type: 'fail', config: {}, status: 'failure', updates };
  const ids = Array.from({ length: count }, (_, index) => `failure-${String(index)}`);
  for (const id of ids) await oada.put({ path: `/resources/${id}`, data, contentType: JOB_TYPE });
  const links = Object.fromEntries(ids.map((id) => [id, { _id: `resources/${id}` }]));
  await oada.put({ path: `${BASE}/jobs-failure/day-index/2026-01-31`, data: links });
}

it('oada-jobs retry tells which of many could not be done again', async () => {
  const server = await startServer();
  await putFailures(server, 1);
  const oada = server.client();
  const data = { status: 'failure', config: {} };
  await oada.put({ path: '/resources/no-job', data, contentType: JOB_TYPE });
  const list = `${BASE}/jobs-failure/day-index/2026-01-31`;
  await oada.put({ path: list, data: { 'no-job': { _id: 'resources/no-job' } } });
  const { code, stdout, stderr } = await run(server, 'retry', '--all', '--yes', '--json');
  expect({ code, stderr }).toEqual({ code: 1, stderr: 'error: 1 failure retried, 1 not\n' });
  const told = new Map(linesOf(stdout).map((line) => [line.id, line]));
  expect(told.get('resources/failure-0')).toHaveProperty('retriedBy');
  expect(told.get('resources/no-job')).toMatchObject({
    error: { message: expect.stringContaining('no job') },
  });
});

describe('Ctrl-C', () => {
  it('ends what waits for a job', async () => {
    const server = await startServer();
    const service = makeService(server);
    service.on('wait', '60s', (_job, { signal, log }) => {
      void log.info('waiting');
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    await service.start();
    const logged = service.events.next('job:logged');
    const id = (await textOf(server, 'add', 'wait')).trim();
    await logged;
    const logs = start(server, 'logs', '-f', id);
    await logs.printed('waiting');
    const added = start(server, 'add', 'wait', '--wait');
    await added.printed('Waiting for its end');
    logs.signal('SIGINT');
    added.signal('SIGTERM');
    expect(await logs.ended()).toMatchObject({ code: 130, stderr: '' });
    expect(await added.ended()).toMatchObject({ code: 143, stdout: '' });
  });

  it('ends what waits for a store that does not answer', async () => {
    const { port, reached } = await deafStore();
    const environment = {
      OADA_DOMAIN: `http://127.0.0.1:${String(port)}`,
      OADA_TOKEN: TOKEN,
      OADA_JOBS_SERVICE: NAME,
    };
    const wait = new Running(['wait', 'somebody'], { environment });
    await reached;
    wait.signal('SIGINT');
    expect(await wait.ended()).toEqual({ code: 130, stdout: '', stderr: '' });
  });

  it('lets a retry of many end what is on its way, and the next one go on', async () => {
    const server = await startServer();
    await putFailures(server, COUNT);
    const first = start(server, 'retry', '--all', '--yes');
    await first.printed('retried by');
    first.signal('SIGINT');
    const interrupted: Ended = await first.ended();
    expect(interrupted.code).toBe(130);
    expect(interrupted.stderr).toMatch(/^Interrupted: \d+ failures retried, of 200\./);
    const done = interrupted.stdout.trim().split('\n').length;
    expect(done).toBeLessThan(COUNT);
    const second = await textOf(server, 'retry', '--all', '--yes');
    expect(second.trim().split('\n')).toHaveLength(COUNT);
    expect((await textOf(server, 'list', '--all', '--json')).trim().split('\n')).toHaveLength(COUNT);
  });
});
