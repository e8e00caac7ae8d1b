import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect, it } from 'vitest';

import { root } from './program.js';

it('the API reference is made without a warning', async () => {
  const bin = fileURLToPath(new URL('../bin/typedoc', import.meta.resolve('typedoc')));
  // Where the sources can be looked at is known of a clone only.
  const args = [bin, '--emit', 'none', '--logLevel', 'Warn', '--disableSources'];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root });
  expect(`${stdout}${stderr}`).toBe('');
}, 120_000); // a compiler takes what it takes
