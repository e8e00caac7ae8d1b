import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';

import { blocksOf, runBlocksOf, untoldBlocksOf } from './blocks.js';
import { compilerOptions } from './declarations.js';
import { documents, textOf } from './documents.js';
import { Program, root } from './program.js';

const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.test.ts'),
);
const withPrograms = documents.filter((document) => runBlocksOf(document).names.length > 0);

it.each(documents)('each code block of %s is run, or says why not', (document) => {
  expect(untoldBlocksOf(document)).toEqual([]);
});

it.each(withPrograms)('each program of %s says what it prints, or has a test of its own', (document) => {
  const { names, printing } = runBlocksOf(document);
  const others = names.filter((name) => printing.every((one) => one.name !== name));
  const users = tests.filter((name) => textOf(`test/${name}`).includes(`blocksOf('${document}')`));
  for (const name of others) {
    const isRun = users.some((user) =>
      new RegExp(`(fileOf\\(|start\\([^)]*)'${name}'\\)`).test(textOf(`test/${user}`)),
    );
    expect(isRun, name).toBe(true);
  }
});

describe('the programs of the documents', () => {
  const all = withPrograms.map((document) => ({ document, blocks: blocksOf(document, 'programs') }));
  afterAll(() => {
    for (const { blocks } of all) blocks.remove();
  });

  it('are what the strictest of compilers takes', () => {
    const files = all.flatMap(({ blocks: { names, fileOf } }) => names.map(fileOf));
    expect(files.length).toBeGreaterThan(10);
    const diagnostics = ts
      .getPreEmitDiagnostics(ts.createProgram(files, compilerOptions()))
      .map(
        ({ file, messageText }) =>
          `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
      );
    expect(diagnostics).toEqual([]);
  }, 120_000); // a compiler takes what it takes

  const printing = all.flatMap(({ document, blocks }) =>
    runBlocksOf(document).printing.map(({ name, output }) => ({ document, name, output, blocks })),
  );

  it.each(printing)('$document: $name prints what stands at its foot', async ({ name, output, blocks }) => {
    await using program = await Program.start(blocks.fileOf(name));
    expect(await program.exited(), program.output).toBe(0);
    expect(program.output).toBe(output);
    expect(output).not.toBe('');
  });
});
