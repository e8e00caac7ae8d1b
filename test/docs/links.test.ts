import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { root } from './program.js';

const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

interface Link {
  readonly text: string;
  /** From the root; the document itself, where the link names only a heading. */
  readonly target: string;
  readonly heading: string | undefined;
}

function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** What is not code: there, brackets are something else. */
function proseOf(document: string): string {
  return textOf(document).replaceAll(/^```.*?^```$/gms, '');
}

/** Those that lead to somewhere in the repository. */
function linksOf(document: string): Link[] {
  return [...proseOf(document).matchAll(/\[([^\][]+)\]\(([^)\s]+)\)/g)].flatMap(([, text = '', to = '']) => {
    if (/^[a-z]+:/.test(to)) return [];
    const [path = '', heading] = to.split('#');
    return [{ text, target: path === '' ? document : join(dirname(document), path), heading }];
  });
}

/** Under which names the headings of a document can be linked to. */
function headingsOf(document: string): string[] {
  return [...proseOf(document).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe.each(documents)('the links of %s', (document) => {
  test('lead to what is there', () => {
    const missing = linksOf(document).filter(({ target }) => !existsSync(join(root, target)));
    expect(missing).toEqual([]);
  });

  test('name headings that are there', () => {
    const missing = linksOf(document).filter(
      ({ target, heading }) => heading !== undefined && !headingsOf(target).includes(heading),
    );
    expect(missing).toEqual([]);
  });

  test('that are names of the code lead to the source that has them', () => {
    const named = linksOf(document).flatMap(({ text, target }) => {
      const [, name] = /^`(?:\w+\.)*(\w+)`$/.exec(text) ?? [];
      return name === undefined || !target.endsWith('.ts') ? [] : [{ name, target }];
    });
    const missing = named.filter(({ name, target }) => !new RegExp(`\\b${name}\\b`).test(textOf(target)));
    expect(missing).toEqual([]);
  });
});

test('there are links to be looked at', () => {
  expect(linksOf('README.md').length).toBeGreaterThan(10);
  expect(linksOf('docs/jobs.md').length).toBeGreaterThan(50);
});
