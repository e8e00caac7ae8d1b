import { submit } from '@oada/jobs';
import { expect, it } from 'vitest';

import { ensureLists, makeService, NAME, startServer } from '../setup.js';
import { FakeProcess, runHere } from './in-process.js';
import { environmentOf, linesOf } from './setup.js';
import type { Ended } from './setup.js';

it('oada-jobs schedules tells of those that are held, and of those that are paused by type', async () => {
  const server = await startServer();
  const service = makeService(server)
    .on('press', '10s', () => 'pressed')
    .on('sow', '10s', () => 'sown');
  service.schedule('nightly', { type: 'press', cron: '30 2 * * *' });
  service.schedule('weekly', { type: 'sow', cron: '30 2 * * 1' });
  await service.start();
  const schedules = (...args: readonly string[]): Promise<Ended> =>
    runHere(new FakeProcess(environmentOf(server)), 'schedules', ...args);
  const states = async (): Promise<unknown[]> =>
    linesOf((await schedules('list', '--json')).stdout).map(({ key, state, isPaused, heldSince }) => ({
      ...{ key, state, isPaused, isHeld: typeof heldSince === 'string' },
    }));

  expect(await schedules('pause-type', 'press')).toEqual({
    ...{ code: 0, stderr: '' },
    stdout: `The schedules of ${NAME} for jobs of type press begin no more of them; jobs that run go on.\n`,
  });
  expect(await states()).toEqual([
    { key: 'nightly', state: 'paused', isPaused: true, isHeld: false },
    { key: 'weekly', state: 'enabled', isPaused: false, isHeld: false },
  ]);
  expect((await schedules('show', 'nightly')).stdout).toMatch(/^State: +paused$/m);
  await schedules('hold');
  expect(await states()).toEqual([
    { key: 'nightly', state: 'held', isPaused: true, isHeld: true },
    { key: 'weekly', state: 'held', isPaused: false, isHeld: true },
  ]);
  expect((await schedules('show', 'weekly')).stdout).toMatch(/^State: +held$/m);
  await schedules('release', '--due', 'run');
  expect(linesOf((await schedules('resume-type', 'press', '--json')).stdout)).toEqual([
    { service: NAME, type: 'press', done: 'resume-type' },
  ]);
  expect((await schedules('list')).stdout).toMatch(/^nightly +press .* enabled /m);
});

it('oada-jobs schedules pause-type says where it makes no difference, or can be none', async () => {
  const environment = environmentOf(await startServer());
  const pause = (type: string): Promise<Ended> =>
    runHere(new FakeProcess(environment), 'schedules', 'pause-type', type);
  expect(await pause('pres')).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('no schedule of tractor'),
  });
  expect(await pause('_id')).toMatchObject({ code: 2, stdout: '' });
});

it('oada-jobs cancel --wait says that it waits for a service that is paused', async () => {
  const server = await startServer();
  await ensureLists(server.client());
  const { _id } = await submit(server.client(), { service: NAME, type: 'plough' });
  const environment = environmentOf(server);
  await runHere(new FakeProcess(environment), 'pause');
  const fake = new FakeProcess(environment);
  fake.stderr.onWrite = () => {
    if (fake.stderr.text.includes('is paused')) fake.emit('SIGINT');
  };
  expect(await runHere(fake, 'cancel', _id, '--wait', '--timeout', '15s')).toMatchObject({
    ...{ code: 130, stdout: '' },
    stderr: expect.stringContaining('a job that waits is cancelled in its turn'),
  });
});
