import { expect, it } from 'vitest';

import { noneOf } from '../../lib/cli/actions/list.js';
import { startServer } from '../setup.js';
import { FakeProcess, runHere } from './in-process.js';
import { environmentOf } from './setup.js';

/** Where nothing listens. */
const NOWHERE = { OADA_DOMAIN: 'http://127.0.0.1:1', OADA_TOKEN: 'any', OADA_JOBS_SERVICE: 'tractor' };

it('never repeats the value of an option that it does not know', async () => {
  for (const [args, message] of [
    [['list', '--tokn=s3cret'], "error: unknown option '--tokn'\n"],
    [['list', "--tokn=s3'cret=x"], "error: unknown option '--tokn'\n"],
    [['serve', '--token=s3cret'], "error: unknown option '--token'\n"],
    [['list', '--tokn', 's3cret'], "error: unknown option '--tokn'. Did you mean --token?\n"],
  ] as const)
    expect(await runHere(new FakeProcess(), ...args)).toEqual({ code: 2, stdout: '', stderr: message });
});

it('refuses what a list has no use for, and asks nobody', async () => {
  for (const args of [
    ['success', '--failure-type', 'timeout'],
    ['pending', '--failure-type', 'timeout'],
    ['running', '--day', '2026-01-31'],
  ])
    expect(await runHere(new FakeProcess(NOWHERE), 'list', ...args)).toEqual({
      ...{ code: 2, stdout: '' },
      stderr: expect.stringContaining('left out, except with the list'),
    });
});

it('says of no jobs whether all were looked at', async () => {
  const server = await startServer();
  const environment = environmentOf(server);
  expect((await runHere(new FakeProcess(environment), 'list')).stderr).toBe(
    'tractor: no such jobs (pending).\n',
  );
  expect(noneOf('tractor', 'failure', 2000)).toBe(
    'tractor: none among the 2000 looked at (failure), and there are more.',
  );
});
