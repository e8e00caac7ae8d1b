import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { Program, root } from '../docs/program.js';

test('the example of the docstring holds', async () => {
  const source = readFileSync(join(root, 'lib/testing/test-service.ts'), 'utf8');
  const [, example = ''] = / \* ```ts\n(.*?) \* ```/s.exec(source) ?? [];
  expect(example).toContain('TestService.start');
  const folder = join(root, 'test/docs/.blocks/testing');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'example.ts');
  writeFileSync(file, example.replaceAll(/^ \* ?/gm, '') + "console.log('It holds.');\n");
  try {
    await using program = await Program.start(file);
    expect(await program.exited(), program.output).toBe(0);
    expect(program.output).toContain('It holds.');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
