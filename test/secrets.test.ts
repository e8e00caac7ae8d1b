import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { expect, onTestFinished, test } from 'vitest';

import {
  allFiled,
  BASE,
  ensureLists,
  EVENT_NAMES,
  jobOf,
  OTHER_TOKEN,
  postJob,
  read,
  startServer,
  TOKEN,
} from './setup.js';

const WRONG_TOKEN = 'wr0ng-5ecret';
const ENTRY_TOKEN = 'entry-5ecret';
const SECRETS = [TOKEN, OTHER_TOKEN, WRONG_TOKEN, ENTRY_TOKEN];

test('no token gets into the output with DEBUG=*, an event, an error or a record', async () => {
  const server = await startServer();
  const [sam, kim] = [server.client(TOKEN), server.client(OTHER_TOKEN)];
  await ensureLists(sam);
  await ensureLists(kim);
  const entries = {
    kim: { domain: server.url, token: OTHER_TOKEN },
    dead: { domain: 'http://127.0.0.1:1', token: ENTRY_TOKEN },
    wrong: { domain: server.url, token: WRONG_TOKEN },
    'no-domain': { token: ENTRY_TOKEN },
    'bad-domain': { domain: `http://me:${ENTRY_TOKEN}@localhost`, token: ENTRY_TOKEN },
    text: ENTRY_TOKEN,
    'bad-token': { domain: server.url, token: `${ENTRY_TOKEN}\n` },
  };
  await sam.put({ path: `${BASE}/queues`, data: entries, contentType: 'application/json' });

  const program = fileURLToPath(new URL('programs/tell-all.ts', import.meta.url));
  const child = fork(program, [server.url, TOKEN, WRONG_TOKEN], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, DEBUG: '*', EVENTS: EVENT_NAMES.join() },
    stdio: 'pipe',
  });
  onTestFinished(() => {
    child.kill();
  });
  let output = '';
  const seen = (text: string): Promise<void> =>
    expect.poll(() => output.includes(text), { timeout: 15_000 }).toBe(true);
  child.stdout?.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr?.on('data', (text: Buffer) => (output += text.toString()));
  const exited = new Promise((resolve) => child.on('exit', resolve));
  await new Promise((resolve) => child.once('message', resolve));
  const posted: string[] = [];
  for (const type of ['good', 'bad', 'rejects', 'unknown'])
    posted.push(await postJob(sam, jobOf(type), `sam-${type}`));
  posted.push(await postJob(kim, jobOf('bad'), 'kim-bad'));
  for (const text of ['sam-good', 'sam-bad', 'sam-rejects', 'sam-unknown', 'kim-bad'])
    await seen(`"key":"${text}","jobId"`);
  for (const queue of ['dead', 'wrong', 'no-domain', 'bad-domain', 'text', 'bad-token'])
    await seen(`"queue":"${queue}"`);
  await expect.poll(async () => (await allFiled(sam)).length).toBe(4);
  await expect.poll(async () => (await allFiled(kim)).length).toBe(1);
  child.send('stop');
  expect(await exited).toBe(0);

  const records: unknown[] = [];
  for (const id of posted) records.push(await read(id === posted.at(-1) ? kim : sam, `/${id}`));
  for (const oada of [sam, kim]) {
    records.push(await read(oada, `${BASE}/jobs`), await allFiled(oada));
  }
  const stored = JSON.stringify(records);
  expect(stored).toContain('came in with [token]');
  expect(stored).toContain('GET failed with [token]');
  expect(output).toContain('oada-jobs:');
  expect(output).toContain('GET failed with [token]');
  for (const secret of SECRETS) {
    expect(linesWith(output, secret)).toEqual([]);
    expect(linesWith(stored, secret)).toEqual([]);
  }
});

function linesWith(text: string, secret: string): string[] {
  return text.split('\n').filter((line) => line.includes(secret));
}
