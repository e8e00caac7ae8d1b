import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from './program.js';

/** The code blocks of a document: each says above it that it is run, by a name, or why it is not. */
export interface Blocks {
  /** Of those that are run. */
  readonly names: string[];
  /** How many code blocks there are. */
  readonly count: number;
  /** How many of them say what is done with them. */
  readonly told: number;
  /** A program with what stands in a block. */
  readonly fileOf: (name: string) => string;
  /** Removes the programs. */
  readonly remove: () => void;
}

/** Writes the blocks of a document that are run to files, inside the repository, so that they find the packages. */
export function blocksOf(document: string): Blocks {
  const text = readFileSync(join(root, document), 'utf8');
  const folder = join(root, 'test/docs/.blocks', document.replaceAll('/', '-'));
  const fileOf = (name: string): string => join(folder, `${name}.ts`);
  const run = [...text.matchAll(/<!-- run: ([\w-]+) -->\n\n```ts\n(.*?)```/gs)];
  mkdirSync(folder, { recursive: true });
  for (const [, name = '', code = ''] of run) writeFileSync(fileOf(name), code);
  return {
    names: run.map(([, name = '']) => name).toSorted(),
    count: [...text.matchAll(/^```\w/gm)].length,
    told: [...text.matchAll(/<!-- (run: [\w-]+|not run: .+) -->\n\n```\w/g)].length,
    fileOf,
    remove: () => {
      rmSync(folder, { recursive: true });
    },
  };
}
