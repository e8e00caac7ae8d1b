// A job of many parts: files are checked side by side, each by a child job, and people are shown what was found.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { getStatus, Service, submit, waitForJob } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';

const folder = mkdtempSync(join(tmpdir(), 'quality-'));
const files = ['north', 'south', 'west'].map((field, index) => {
  const rows = Array.from({ length: 20_000 }, (_, row) =>
    row === 7000 * index ? `${field};wet` : `${field};12.5`,
  );
  const path = join(folder, `${field}.csv`);
  writeFileSync(path, rows.join('\n'));
  return path;
});
await using server = await OADAServer.start();
const oada = server.client();
await using service = new Service('quality', oada);

service.on<{ files: string[] }>('check', '1m', async ({ config }, { spawn, all }) => {
  for (const path of config.files) await spawn('check-file', { path });
  const problems = (await all()) as string[][];
  return { problems: problems.flat().length };
});
service.on<{ path: string }>('check-file', '1m', async ({ config }, { progress }) => {
  const problems: string[] = [];
  await using file = await open(config.path);
  let line = 0;
  for await (const text of file.readLines()) {
    const [field = '', moisture] = text.split(';');
    if (Number.isNaN(Number(moisture)))
      problems.push(`${field}.csv, line ${line + 1}: "${moisture}" is no number`);
    progress(++line, 20_000);
  }
  return problems;
});
await service.start();

const job = await submit(oada, { service: 'quality', type: 'check', config: { files }, owner: 'users/ann' });
await waitForJob(oada, job);
const { state, progress, output } = await getStatus(oada, job, {
  check: ({ children }) => children.flatMap(({ result }) => result ?? []),
});
rmSync(folder, { recursive: true });
console.log(state, progress);
console.log(output);

// Output:
// success { done: 3, total: 3 }
// [
//   'north.csv, line 1: "wet" is no number',
//   'south.csv, line 7001: "wet" is no number',
//   'west.csv, line 14001: "wet" is no number'
// ]
