import http from 'node:http';

import { expect, it } from 'vitest';

import { startServer } from '../setup.js';
import { FakeProcess, runHere } from './in-process.js';
import { environmentOf, linesOf } from './setup.js';

/** What is answered to whoever comes by a name. */
async function statusFor(url: string, host: string): Promise<number | undefined> {
  const { port } = new URL(url);
  return await new Promise((resolve, reject) => {
    const request = http.get(
      { host: '127.0.0.1', port, path: '/api/session', headers: { host } },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      },
    );
    request.on('error', reject);
  });
}

it('oada-jobs dashboard is reached by the names that it is given', async () => {
  const server = await startServer();
  const fake = new FakeProcess(environmentOf(server));
  const listens = new Promise<void>((resolve) => {
    fake.stdout.onWrite = resolve;
  });
  const names = ['--allow-host', 'jobs.example.org', '--allow-host', 'queues.example.org'];
  const ended = runHere(fake, 'dashboard', '--json', '--trust-proxy', ...names);
  await listens;
  const [{ url }] = linesOf(fake.ended.stdout);
  expect(await statusFor(url, 'jobs.example.org')).toBe(200);
  expect(await statusFor(url, 'queues.example.org')).toBe(200);
  expect(await statusFor(url, 'evil.example.org')).toBeGreaterThanOrEqual(400);
  fake.emit('SIGINT');
  expect(await ended).toMatchObject({ code: 0, stderr: '' });
});
