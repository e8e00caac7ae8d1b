import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from './program.js';

/** All that is written for people, by the path from the root of the repository. */
export const documents: readonly string[] = [
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'bench/README.md', 'test/chaos/README.md'],
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`)
    .toSorted(),
];

export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** What is not code: there, brackets are something else. */
export function proseOf(document: string): string {
  return textOf(document).replaceAll(/^( *)```.*?^\1```$/gms, '');
}
