import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { noneOf } from '../../lib/cli/actions/list.js';
import { BASE, read, startServer } from '../setup.js';
import { FakeProcess, runHere } from './in-process.js';
import { environmentOf, folder } from './setup.js';

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

it('refuses a key that no queue can have, and one that is taken', async () => {
  const server = await startServer();
  const environment = environmentOf(server);
  const token = ['--queue-token-env', 'OADA_TOKEN'];
  for (const args of [
    ['add', 'a b', 'north.example.org', ...token],
    ['remove', 'a b'],
  ])
    expect(await runHere(new FakeProcess(NOWHERE), 'queues', ...args)).toEqual({
      ...{ code: 2, stdout: '' },
      stderr: expect.stringContaining('a key without blanks or slashes'),
    });
  const add = ['queues', 'add', 'north', server.url, ...token];
  expect(await runHere(new FakeProcess(environment), ...add)).toMatchObject({ code: 0 });
  expect(await runHere(new FakeProcess(environment), ...add)).toEqual({
    ...{ code: 2, stdout: '' },
    stderr: expect.stringContaining('already: remove it first'),
  });
});

it('sends a token of the config file to no other address', async () => {
  const server = await startServer();
  const config = join(folder(), 'config.json');
  const stores = {
    south: { domain: server.url, token: 's0uth' },
    west: { domain: server.url, token: 'w3st' },
  };
  writeFileSync(config, JSON.stringify({ stores }), { mode: 0o600 });
  const from = ['--from-store', 'south', '--config-file', config];
  const added = await runHere(
    new FakeProcess(environmentOf(server)),
    ...['queues', 'add', 'south', 'north.example.org', ...from],
  );
  expect(added).toEqual({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('--from-store gives the address'),
  });
  await expect(read(server.client(), `${BASE}/queues`)).rejects.toMatchObject({ status: 404 });
  for (const args of [
    ['--token', 'any'],
    ['--token-file', config],
    ['--domain', server.url],
    ['--store', 'south'],
  ])
    expect(
      await runHere(
        new FakeProcess(),
        'dashboard',
        '--all-stores',
        '--config-file',
        config,
        '--port',
        '0',
        ...args,
      ),
    ).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining('leave out --store') });
});

it('refuses a dashboard that everybody could come into', async () => {
  for (const [args, message] of [
    [['--host', '0.0.0.0'], 'needs a `password`'],
    [['--allow-host', 'http://jobs.example.org'], 'a list of names like jobs.example.org'],
  ] as const)
    expect(await runHere(new FakeProcess(NOWHERE), 'dashboard', ...args)).toEqual({
      ...{ code: 2, stdout: '' },
      stderr: expect.stringContaining(message),
    });
});
