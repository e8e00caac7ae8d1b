import { readFile } from 'node:fs/promises';

import type { Line } from './names.js';

/** What instances wrote of their runs. A file that is not there yet is empty. */
export async function readLines(files: readonly string[]): Promise<Line[]> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  return texts.flatMap((text) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line),
  );
}
