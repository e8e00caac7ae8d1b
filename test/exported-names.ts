import { readFileSync } from 'node:fs';

import ts from 'typescript';

const ROOT = new URL('../', import.meta.url);

export interface ExportedNames {
  /** What a program can import, in the order of names. */
  readonly values: readonly string[];
  /** What only a compiler sees. */
  readonly types: readonly string[];
}

/** What package.json lets programs import, by its name there, such as `./server`. */
export function subpaths(): string[] {
  const { exports } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as { exports: object };
  return Object.keys(exports).filter((name) => name !== './package.json');
}

/** @throws {Error} the module of the subpath does more than to pass names on */
export function exportedNames(subpath: string): ExportedNames {
  const path = new URL(`lib/${subpath}/index.ts`, ROOT);
  const file = ts.createSourceFile('index.ts', readFileSync(path, 'utf8'), ts.ScriptTarget.Latest);
  const names = file.statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || statement.exportClause?.kind !== ts.SyntaxKind.NamedExports)
      throw new Error(`${path.pathname} does more than to pass names on`);
    // `verbatimModuleSyntax` sees to it that types are called types.
    return statement.exportClause.elements.map((element) => ({
      name: element.name.text,
      isType: statement.isTypeOnly || element.isTypeOnly,
    }));
  });
  const sorted = (isType: boolean): string[] =>
    names
      .filter((one) => one.isType === isType)
      .map(({ name }) => name)
      .toSorted();
  return { values: sorted(false), types: sorted(true) };
}
