import { readFileSync } from 'node:fs';

import ts from 'typescript';
import { expect, test } from 'vitest';

import { exportedNames, subpaths } from './exported-names.js';

// Where one is meant to come or go: `npx vitest run test/exports.test.ts -u`, and a line in the changelog.
test.each(subpaths())('%s exports these names', (subpath) => {
  expect(exportedNames(subpath)).toMatchSnapshot();
});

/** The classes of a file that say how they are made. */
function constructed(text: string): string[] {
  const file = ts.createSourceFile('any.ts', text, ts.ScriptTarget.Latest);
  return file.statements
    .filter(ts.isClassDeclaration)
    .filter(({ members }) => members.some(ts.isConstructorDeclaration))
    .map(({ name }) => name?.text ?? '');
}

test.each(subpaths())('%s has no class that is taken for one which is made without arguments', (subpath) => {
  const index = new URL(`../lib/${subpath}/index.ts`, import.meta.url);
  const modules = readFileSync(index, 'utf8').matchAll(/^export \{([^}]+)\} from '(.+)\.js';$/gm);
  for (const [, names = '', module = ''] of modules) {
    const exported = new Set(names.split(',').map((name) => name.trim()));
    const source = readFileSync(new URL(`${module}.ts`, index), 'utf8');
    const compilerOptions = { stripInternal: true, isolatedDeclarations: true };
    const published = ts.transpileDeclaration(source, { compilerOptions }).outputText;
    expect(constructed(published)).toEqual(
      expect.arrayContaining(constructed(source).filter((name) => exported.has(name))),
    );
  }
});
