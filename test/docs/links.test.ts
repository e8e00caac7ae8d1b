import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { documents, proseOf, textOf } from './documents.js';
import { root } from './program.js';

interface Link {
  readonly text: string;
  /** From the root; the document itself, where the link names only a heading. */
  readonly target: string;
  readonly heading: string | undefined;
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
      const isFile = target.endsWith(text.replaceAll('`', ''));
      return name === undefined || isFile || !target.endsWith('.ts') ? [] : [{ name, target }];
    });
    const missing = named.filter(({ name, target }) => !new RegExp(`\\b${name}\\b`).test(textOf(target)));
    expect(missing).toEqual([]);
  });
});

test('every page of docs/ is in its index', () => {
  const linked = linksOf('docs/README.md').map(({ target }) => target);
  const pages = documents.filter((document) => document.startsWith('docs/') && document !== 'docs/README.md');
  expect(pages.filter((page) => !linked.includes(page))).toEqual([]);
});

test('what the sources say of a page, there is', () => {
  const named = ['lib', 'test', 'bench', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|tsx|mjs)$/.test(name) && !name.includes('.blocks'))
      .flatMap((name) =>
        [...textOf(join(folder, name)).matchAll(/\bdocs\/[\w/-]+\.(?:md|json)\b/g)].map(([path]) => path),
      ),
  );
  expect(named.length).toBeGreaterThan(10);
  expect([...new Set(named)].filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test('there are links to be looked at', () => {
  expect(linksOf('README.md').length).toBeGreaterThan(10);
  expect(linksOf('docs/learning/how-jobs-work.md').length).toBeGreaterThan(50);
});
