import { expect, it } from 'vitest';

import { makeService, NAME, startServer } from '../setup.js';
import { jsonOf, run, textOf } from './setup.js';

it('oada-jobs schedules shows the schedules of a service, and steers them', async () => {
  const server = await startServer();
  const service = makeService(server).on('press', '10s', () => 'pressed');
  service.schedule('nightly', { type: 'press', cron: '30 2 * * *', timeZone: 'America/New_York' });
  const schedules = (...args: readonly string[]): Promise<string> => textOf(server, 'schedules', ...args);
  await service.start();
  expect(await schedules('list')).toMatch(
    /^SCHEDULE .*\nnightly +press +cron 30 2 \* \* \* \(America\/New_York\) +enabled +[-\d]+ \d\d:30:00\n$/,
  );

  const preview = await jsonOf(server, 'schedules', 'preview', 'nightly', '--count', '3');
  expect(preview).toHaveLength(3);
  for (const { time } of preview) expect(time).toMatch(/T0[67]:30:00\.000Z$/);
  expect(await schedules('override', 'nightly', '--cron', '0 4 * * *', '--time-zone', 'Asia/Tokyo')).toMatch(
    /^nightly is due: cron 0 4 \* \* \* \(Asia\/Tokyo\); the next time is [-\d]+ 19:00:00 UTC\.\n$/,
  );
  expect(await schedules('preview', 'nightly', '--count', '1')).toMatch(/^[-\d]+ 19:00:00 UTC\n$/);
  expect(await schedules('show', 'nightly')).toMatch(/^Override: +cron 0 4 \* \* \* \(Asia\/Tokyo\)$/m);
  expect(await schedules('override', 'nightly', '--at', '07:00', '--at', '19:00')).toContain(
    'at 07:00, 19:00 (UTC)',
  );
  expect(await schedules('override', 'nightly', '--every', '15m', '--phase', '1m')).toContain(
    'every 15 minutes, moved by 1 minute',
  );
  expect(await schedules('override', 'nightly', '--manual')).toContain('when asked to');
  expect(await run(server, 'schedules', 'preview', 'nightly')).toMatchObject({ code: 0, stdout: '' });
  await schedules('override', 'nightly', '--clear');
  expect(await jsonOf(server, 'schedules', 'preview', 'nightly', '--count', '3')).toEqual(preview);

  const ended = service.events.next('schedule:ended');
  expect(await schedules('run', 'nightly')).toContain('runs now');
  await ended;
  const [last] = await jsonOf(server, 'schedules', 'history', 'nightly', '--limit', '1');
  expect(last).toMatchObject({ outcome: 'success', occurrence: expect.stringMatching(/^asked:/) });
  expect(await schedules('history', 'nightly')).toMatch(/^OCCURRENCE .*\nasked:\w+ +success /);

  await schedules('disable', 'nightly');
  expect(await jsonOf(server, 'schedules', 'show', 'nightly')).toMatchObject([
    { state: 'disabled', enabled: false },
  ]);
  await schedules('enable', 'nightly', '--due', 'reschedule');
  expect(await jsonOf(server, 'schedules', 'hold')).toEqual([{ service: NAME, done: 'hold' }]);
  const held = await run(server, 'schedules', 'list', '--json');
  expect(held.stderr).toContain('warning: all are held since');
  expect(JSON.parse(held.stdout)).toMatchObject({ key: 'nightly', state: 'held' });
  expect(await schedules('show', 'nightly')).toMatch(/^All held: +[-\d]+ /m);
  await schedules('release', '--due', 'run');
  expect(await schedules('show', 'nightly')).not.toContain('All held');
  expect(await jsonOf(server, 'schedules', 'reset', 'nightly')).toEqual([
    { schedule: 'nightly', done: 'reset' },
  ]);
});

it('oada-jobs schedules says what is wrong', async () => {
  const server = await startServer();
  const wrong = [
    [2, ['override', 'nightly'], 'expected one of `cron`, `every`, `at` and `manual`'],
    [2, ['override', 'nightly', '--cron', 'soon'], 'cron of 5 or 6 fields'],
    [2, ['override', 'nightly', '--clear', '--every', '5m'], '--clear'],
    [2, ['enable', 'nightly', '--due', 'runn'], 'Did you mean run?'],
    [2, ['release'], "'--due <what>' not specified"],
    [2, ['preview', 'nightly', '--count', '1001'], '1000 at most'],
    [3, ['show', 'nightly'], 'there is no schedule "nightly"'],
    [3, ['run', 'nightly'], 'there is no schedule "nightly"'],
  ] as const;
  await Promise.all(
    wrong.map(async ([code, args, message]) => {
      expect(await run(server, 'schedules', ...args)).toEqual({
        code,
        stdout: '',
        stderr: expect.stringContaining(message),
      });
    }),
  );
  expect(await run(server, 'schedules', 'list')).toMatchObject({ code: 0, stdout: '' });
});
