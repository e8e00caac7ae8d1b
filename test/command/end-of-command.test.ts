import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { CommandOptions } from '@oada/jobs';
import { describe, expect, onTestFinished, test } from 'vitest';

import { eventsOf, jobOf, keysOf, BASE, postJob, read, runJob, startServer, TOKEN } from '../setup.js';
import type { Stored } from '../setup.js';
import {
  begin,
  marked,
  newMark,
  NODE,
  outputOf,
  program,
  runCommand,
  runScript,
  start,
  untilGone,
  untilGrown,
  updatesOf,
} from './setup.js';
import type { Setting } from './setup.js';

type Ending = 'cancelled' | 'stopped';

function family(mark: string, generations: number, ...traits: string[]): CommandOptions<Stored> {
  return {
    command: NODE,
    args: [program('family.mjs'), mark, String(generations), ...traits],
    killAfter: '200ms',
  };
}

/** Ends a running job in one of the ways there are; resolves when that is stored. */
async function end(setting: Setting, key: string, ending: Ending): Promise<void> {
  const { service, told } = setting;
  if (ending === 'stopped') {
    await service.stop();
    return;
  }
  const filed = service.events.next('job:filed', (event) => event.key === key);
  await service.cancel(key);
  await filed;
  expect(eventsOf(told, 'job:filed')).toMatchObject([{ key, status: 'failure' }]);
}

describe('a command and all that it has started are gone', () => {
  describe.each<Ending>(['cancelled', 'stopped'])('when its job is ended: %s', (ending) => {
    test.each([
      ['it is one process that heeds SIGTERM', 1, []],
      ['it is one that does not', 1, ['stubborn']],
      ['it has descendants', 3, []],
      ['it has descendants, and none heeds SIGTERM', 3, ['stubborn']],
      ['it has such descendants, and none holds its outputs', 3, ['stubborn', 'silent']],
    ])('%s', async (_what, generations, traits) => {
      const mark = newMark();
      const setting = await start({ ...family(mark, generations, ...traits), timeout: '1m' });
      const { key, jobId } = await begin(setting);
      await untilGrown(mark, generations);
      await end(setting, key, ending);
      const job = await read(setting.oada, `/${jobId}`);
      if (ending === 'stopped') expect(job).toMatchObject({ status: 'queued', claim: null });
      else expect(job).toMatchObject({ status: 'failure', failureType: ending });
      expect(outputOf(job).stdout).toContain('born\n');
      await untilGone(mark);
    });
  });

  test('when its time is up', async () => {
    const mark = newMark();
    const setting = await start({ ...family(mark, 2, 'stubborn'), timeout: '3s' });
    const job = await runJob(setting.service, setting.oada, jobOf('command'));
    expect(job).toMatchObject({ status: 'failure', failureType: 'timeout' });
    expect(outputOf(job).stdout).toBe('born\nborn\nnot yet\nnot yet\n');
    await untilGone(mark);
  });

  test.each([
    ['hold its outputs', []],
    ['hold its outputs and do not heed SIGTERM', ['stubborn']],
    ['hold none of its outputs', ['silent', 'stubborn']],
  ])('when it has ended by itself, and its descendants live on: they %s', async (_what, traits) => {
    const mark = newMark();
    const { service, oada } = await start(family(mark, 3, 'quits', ...traits));
    const job = await runJob(service, oada, jobOf('command'));
    expect(await marked(mark)).toEqual([]);
    expect(job).toMatchObject({ status: 'success', result: { exitCode: 0 } });
    expect(job.result.stdout).toContain('born\n');
  });

  test('when the service itself is killed', async () => {
    const server = await startServer();
    const oada = server.client();
    const mark = newMark();
    const child = fork(
      fileURLToPath(new URL('programs/die-hard.ts', import.meta.url)),
      [server.url, TOKEN, mark],
      {
        execArgv: ['--import', 'tsx'],
      },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    await expect
      .poll(async () => keysOf(await read(oada, BASE).catch(() => ({}))), { timeout: 15_000 })
      .toContain('jobs');
    await postJob(oada, jobOf('command'));
    await untilGrown(mark, 2);
    child.kill('SIGKILL');
    await untilGone(mark);
  });
});

test('what a descendant writes after the command has ended is still part of the output', async () => {
  const job = await runCommand({ command: 'sh', args: ['-c', '(sleep 0.1; echo done) & exit 0'] });
  expect(job).toMatchObject({ status: 'success', result: { stdout: 'done\n' } });
});

test('a descendant that has left for a session of its own does not hold the job up', async () => {
  const mark = newMark();
  const script = `
    const { spawn } = require('node:child_process');
    const args = ['--eval', 'setInterval(() => undefined, 60_000)', '--', process.argv[1]];
    spawn(process.execPath, args, { stdio: 'inherit', detached: true }).once('spawn', () => process.exit());
  `;
  const pipes = (): number => process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length;
  const before = pipes();
  const job = await runScript('', { args: ['--eval', script, '--', mark] });
  expect(job).toMatchObject({ status: 'success' });
  await expect.poll(pipes).toBe(before);
  expect(await marked(mark)).toHaveLength(1); // as the documentation says
});

test('what it prints when it is asked to end is kept, too', async () => {
  const mark = newMark();
  const setting = await start({ ...family(mark, 1, 'stubborn'), timeout: '1m' });
  const { key, jobId } = await begin(setting);
  await untilGrown(mark, 1);
  await end(setting, key, 'cancelled');
  const texts = async (): Promise<unknown[]> =>
    updatesOf(await read(setting.oada, `/${jobId}`)).map(({ status, meta }) => meta?.text ?? status);
  expect(await texts()).toEqual(['started', 'born\nnot yet\n', 'failure']);
});

test('a command that heeds SIGTERM is not told of as stuck', async () => {
  const mark = newMark();
  const setting = await start({ ...family(mark, 2), timeout: '1m' });
  const { key } = await begin(setting);
  await untilGrown(mark, 2);
  await end(setting, key, 'cancelled');
  await untilGone(mark);
  expect(eventsOf(setting.told, 'job:stuck')).toEqual([]);
});

test('a job that is cancelled before its command is started starts none', async () => {
  const mark = newMark();
  const setting = await start({ ...family(mark, 1), timeout: 1 });
  const { oada, service } = setting;
  const job = await runJob(service, oada, jobOf('command'));
  expect(job).toMatchObject({ status: 'failure', failureType: 'timeout' });
  await untilGone(mark);
});
