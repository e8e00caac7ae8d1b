import type { OADAServer } from '@oada/jobs/server';
import { expect, it } from 'vitest';

import { BASE, JOB_TYPE, NAME, postResource, startServer } from '../setup.js';
import { FakeProcess, runHere } from './in-process.js';
import { environmentOf, linesOf } from './setup.js';
import type { Ended } from './setup.js';

/** Their resources. */
async function putFailures(server: OADAServer, count: number): Promise<string[]> {
  const oada = server.client();
  const updates = { a: { status: 'failure', time: '2026-01-31T08:00:00.000Z' } };
  const data = { service: NAME, type: 'fail', config: {}, status: 'failure', updates };
  const keys = Array.from({ length: count }, (_, index) => `failure-${String(index)}`);
  for (const key of keys) await oada.put({ path: `/resources/${key}`, data, contentType: JOB_TYPE });
  const links = Object.fromEntries(keys.map((key) => [key, { _id: `resources/${key}` }]));
  await oada.put({ path: `${BASE}/jobs-failure/day-index/2026-01-31`, data: links });
  return keys.map((key) => `resources/${key}`);
}

it('oada-jobs retry does not count what was retried before', async () => {
  const server = await startServer();
  const environment = environmentOf(server);
  const retry = (...args: readonly string[]): Promise<Ended> =>
    runHere(new FakeProcess(environment), 'retry', ...args);
  const [first = ''] = await putFailures(server, 3);
  const once = await retry(first, '--json');
  expect(once).toMatchObject({ code: 0, stderr: '' });
  const [{ retriedBy, isNew }] = linesOf(once.stdout);
  expect(isNew).toBe(true);
  expect(await retry(first)).toEqual({
    ...{ code: 0, stderr: '' },
    stdout: `${first}: was retried before by ${String(retriedBy)}\n`,
  });
  const all = await retry('--all', '--yes', '--json');
  expect(all).toMatchObject({ code: 0, stderr: '2 failures retried, 1 retried before.\n' });
  expect(linesOf(all.stdout).filter((line) => line.isNew === false)).toEqual([
    { id: first, retriedBy, isNew: false },
  ]);
});

it('shows, cancels and retries nothing that is no job of the service', async () => {
  const server = await startServer();
  const oada = server.client();
  const queue = await postResource(
    oada,
    { domain: 'north.example.org', token: 's3cret' },
    'application/json',
  );
  const foreign = await postResource(oada, {
    service: 'mailer',
    type: 'email',
    config: {},
    status: 'failure',
  });
  for (const command of ['show', 'logs', 'retry', 'cancel']) {
    for (const id of [queue, foreign])
      expect(await runHere(new FakeProcess(environmentOf(server)), command, id, '--json')).toEqual({
        ...{ code: 3, stdout: '' },
        stderr: expect.stringContaining(`there is no job "${id}" of ${NAME}`),
      });
  }
});
