import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { Program, root } from './program.js';

const folder = join(root, 'examples');
const examples = readdirSync(folder).filter((name) => name.endsWith('.ts'));

describe('each example', () => {
  it.each(examples)('%s prints what stands at its foot', async (name) => {
    const file = join(folder, name);
    const [, foot = ''] = readFileSync(file, 'utf8').split('\n// Output:\n');
    const expected = foot.replaceAll(/^\/\/ ?/gm, '');

    await using program = await Program.start(file);

    expect(await program.exited(), program.output).toBe(0);
    expect(program.output).toBe(expected);
    expect(expected).not.toBe('');
  });

  it.each(examples)('%s is short enough to be read at a glance', (name) => {
    expect(readFileSync(join(folder, name), 'utf8').split('\n').length).toBeLessThan(60);
  });
});
