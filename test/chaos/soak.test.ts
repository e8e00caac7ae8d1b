import { expect, test } from 'vitest';

import { run } from './processes.js';

test('after a thousand jobs and ten lost connections nothing is held that was not held before', async () => {
  const args = ['--jobs', '1000', '--first', '300', '--every', '300', '--cuts', '10', '--rest', '700'];
  const soak = run('soak.ts', args, { flags: ['--expose-gc'], output: 'pipe' });
  let output = '';
  soak.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const code = await new Promise((resolve) => soak.once('close', resolve));
  const report: unknown = JSON.parse(output);
  expect(report).toMatchObject({ jobs: 1000, filed: 1000, hasGrown: false });
  expect(code).toBe(0);
}, 60_000);
