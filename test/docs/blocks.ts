import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { textOf } from './documents.js';
import { root } from './program.js';

/** The code blocks of a document that are run. */
export interface Blocks {
  readonly names: string[];
  /** A program with what stands in a block. */
  readonly fileOf: (name: string) => string;
  /** Removes the programs. */
  readonly remove: () => void;
}

/** A block that ends with what it prints. */
export interface Printing {
  readonly name: string;
  readonly output: string;
}

const RUN = /<!-- run: ([\w-]+) -->\n\n```ts\n(.*?)```/gs;

/**
 * Writes the blocks of a document that are run to files, inside the repository, so that they find the packages.
 *
 * @param reader whose files they are: tests run side by side
 */
export function blocksOf(document: string, reader = 'test'): Blocks {
  const folder = join(root, 'test/docs/.blocks', reader, document.replaceAll('/', '-'));
  const fileOf = (name: string): string => join(folder, `${name}.ts`);
  const run = [...textOf(document).matchAll(RUN)];
  mkdirSync(folder, { recursive: true });
  for (const [, name = '', code = ''] of run) writeFileSync(fileOf(name), code);
  return {
    names: run.map(([, name = '']) => name).toSorted(),
    fileOf,
    remove: () => {
      rmSync(folder, { recursive: true });
    },
  };
}

/** The names of the blocks that a document says are run, and those of them that say what they print. */
export function runBlocksOf(document: string): { names: string[]; printing: Printing[] } {
  const run = [...textOf(document).matchAll(RUN)].map(([, name = '', code = '']) => ({ name, code }));
  return {
    names: run.map(({ name }) => name),
    printing: run.flatMap(({ name, code }) => {
      const [, foot] = code.split('\n// Output:\n');
      return foot === undefined ? [] : [{ name, output: foot.replaceAll(/^\/\/ ?/gm, '') }];
    }),
  };
}

/** The first lines of the code blocks of a document that do not say above them that they are run, or why they are not. */
export function untoldBlocksOf(document: string): string[] {
  const lines = textOf(document).split('\n');
  let isInside = false;
  return lines.flatMap((line, index) => {
    if (!/^ *```/.test(line)) return [];
    isInside = !isInside;
    const above = lines[index - 2] ?? '';
    const isTold = /^ *<!-- (run: [\w-]+|not run: .+) -->$/.test(above) && lines[index - 1] === '';
    return isInside && !isTold ? [lines[index + 1] ?? ''] : [];
  });
}
