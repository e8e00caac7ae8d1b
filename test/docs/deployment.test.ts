import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { submit, waitForJob } from '@oada/jobs';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';

import { createProgram } from '../../lib/cli/program.js';
import { startServer, TOKEN } from '../setup.js';
import { blocksOf } from './blocks.js';
import { textOf } from './documents.js';
import { Program } from './program.js';

const DOCUMENT = 'docs/operating/deployment.md';
const text = textOf(DOCUMENT);
const { fileOf, remove } = blocksOf('docs/operating/deployment.md');
afterAll(remove);

const units = [...text.matchAll(/```ini\n# ([\w-]+\.service)\n(.*?)```/gs)].map(
  ([, name = '', unit = '']) => ({
    name,
    unit,
  }),
);
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

it('shows a service that ends when it is asked to', async () => {
  const server = await startServer();
  const program = await Program.start(fileOf('mailer'), { OADA_DOMAIN: server.url, OADA_TOKEN: TOKEN });
  onTestFinished(() => program[Symbol.asyncDispose]());
  await program.printed('started');
  const oada = server.client(TOKEN);
  const job = await submit(oada, { service: 'mailer', type: 'letter', config: { to: 'sam' } });
  expect((await waitForJob(oada, job)).result).toEqual({ sent: 'sam' });
  program.signal('SIGTERM');
  expect(await program.exited(), program.output).toBe(0);
});

describe('the units', () => {
  it('are there: of a service, of the dashboard, and of a store', () => {
    expect(units.map(({ name }) => name)).toEqual([
      'mailer.service',
      'oada-dashboard.service',
      'oada-store.service',
    ]);
  });

  it.skipIf(!hasSystemd).each(units)('$name is what systemd takes', async ({ name, unit }) => {
    const folder = await mkdtemp(join(tmpdir(), 'units-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, name);
    await writeFile(file, unit.replaceAll('/usr/bin/node', process.execPath));
    const { stdout, stderr } = await promisify(execFile)('systemd-analyze', ['verify', '--man=no', file]);
    expect(`${stdout}${stderr}`).toBe('');
  });
});

it('calls oada-jobs with options that it has', () => {
  const calls = text.replaceAll('\\\n', ' ').matchAll(/dist\/cli\/main\.js (\w+)((?: +--[\w-]+ [^\s`]+)+)/g);
  const found = [...calls].map(([, name = '', options = '']) => ({
    name,
    options: [...options.matchAll(/--[\w-]+/g)].map(([option]) => option),
  }));
  expect(found.map(({ name }) => name)).toEqual(['dashboard', 'serve', 'dashboard']);
  const { commands } = createProgram(async () => {});
  for (const { name, options } of found) {
    const known = commands.find((command) => command.name() === name)?.options.map(({ long }) => long);
    expect(known).toEqual(expect.arrayContaining(options));
  }
});
