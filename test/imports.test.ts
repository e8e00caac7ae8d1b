import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path/posix';
import { fileURLToPath, pathToFileURL } from 'node:url';

import ts from 'typescript';
import { beforeAll, describe, expect, test } from 'vitest';

import { loadedBy, ofPackages } from './loaded-files.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LIB = join(ROOT, 'lib');

interface Import {
  /** From `lib/`, or the name of a package. */
  readonly target: string;
  readonly isLocal: boolean;
  readonly typeOnly: boolean;
}

interface Module {
  readonly imports: readonly Import[];
  readonly file: ts.SourceFile;
}

/** Runs in a browser. */
const PAGE = 'dashboard/page/';

/** Without those of the page. */
const modules = new Map<string, Module>();
const pageModules = new Map<string, Module>();

beforeAll(async () => {
  for (const name of await readdir(LIB, { recursive: true })) {
    if (!/\.tsx?$/.test(name)) continue;
    const text = await readFile(join(LIB, name), 'utf8');
    const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
    const its = name.startsWith(PAGE) ? pageModules : modules;
    its.set(name, { file, imports: importsOf(name, file) });
  }
  expect(modules.size).toBeGreaterThan(20);
});

function importsOf(name: string, file: ts.SourceFile): Import[] {
  const imports: Import[] = [];
  const add = (specifier: string, typeOnly: boolean): void => {
    const isLocal = specifier.startsWith('.');
    const target = isLocal ? join(dirname(name), specifier).replace(/\.js$/, '.ts') : specifier;
    imports.push({ target, isLocal, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier))
      add(node.moduleSpecifier.text, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    else if (
      ts.isExportDeclaration(node) &&
      node.moduleSpecifier !== undefined &&
      ts.isStringLiteral(node.moduleSpecifier)
    )
      add(node.moduleSpecifier.text, node.isTypeOnly);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments;
      add(specifier !== undefined && ts.isStringLiteral(specifier) ? specifier.text : '(computed)', false);
    } else if (
      ts.isImportTypeNode(node) &&
      ts.isLiteralTypeNode(node.argument) &&
      ts.isStringLiteral(node.argument.literal)
    )
      add(node.argument.literal.text, true);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return imports;
}

function all(of: ReadonlyMap<string, Module> = modules): { name: string; found: Import }[] {
  return [...of].flatMap(([name, { imports }]) => imports.map((found) => ({ name, found })));
}

/** The folder of a file of lib/; none for the core's. */
function folderOf(name: string): string {
  return name.startsWith(PAGE) ? 'page' : name.includes('/') ? (name.split('/')[0] ?? '') : '';
}

/** The groups of each row of a table that matches. */
async function tableOf(document: string, row: RegExp): Promise<string[][]> {
  const text = await readFile(join(ROOT, document), 'utf8');
  return [...text.matchAll(row)].map(([, ...groups]) =>
    groups.map((group: string | undefined) => group ?? ''),
  );
}

/** A `.js` that is imported is a `.ts` or a `.tsx`. */
function pageFile(name: string): string {
  return pageModules.has(name) ? name : name.replace(/\.ts$/, '.tsx');
}

function isServer(name: string): boolean {
  return name.startsWith('server/');
}

describe('the imports of lib/', () => {
  test('lead to files that are there, and compute nothing', () => {
    for (const { name, found } of all()) {
      if (found.isLocal) expect(modules.has(found.target), `${name} → ${found.target}`).toBe(true);
      expect(found.target).not.toBe('(computed)');
    }
  });

  test('make no cycle, types included', () => {
    const done = new Set<string>();
    const cycles: string[] = [];
    const importsFrom = (name: string): readonly Import[] =>
      name.startsWith(PAGE)
        ? (pageModules.get(pageFile(name))?.imports ?? [])
        : (modules.get(name)?.imports ?? []);
    const visit = (name: string, path: readonly string[]): void => {
      if (path.includes(name)) cycles.push([...path.slice(path.indexOf(name)), name].join(' → '));
      if (done.has(name) || path.includes(name)) return;
      for (const { target, isLocal } of importsFrom(name))
        if (isLocal) visit(target.startsWith(PAGE) ? pageFile(target) : target, [...path, name]);
      done.add(name);
    };
    for (const name of [...modules.keys(), ...pageModules.keys()]) visit(name, []);
    expect(cycles).toEqual([]);
  });

  test('lead into the server from what starts one alone, and out of it to nothing else', () => {
    const crossing = all().filter(
      ({ name, found }) => found.isLocal && !found.typeOnly && isServer(name) !== isServer(found.target),
    );
    expect(crossing.map(({ name, found }) => `${name} → ${found.target}`).toSorted()).toEqual([
      'cli/actions/serve.ts → server/server.ts',
      'testing/test-service.ts → server/server.ts',
    ]);
  });

  test('lead out of what tests are given, and never into it', () => {
    const isTesting = (name: string): boolean => name.startsWith('testing/');
    expect([...modules.keys()].some(isTesting)).toBe(true);
    expect(all().filter(({ name, found }) => isTesting(found.target) && !isTesting(name))).toEqual([]);
  });

  test('of each folder are those that the docs tell', async () => {
    const told = await tableOf(
      'docs/architecture.md',
      /^\| +(?:the core|`([\w/]+)\/`) +\|[^|]+\|([^|]*)\|$/gm,
    );
    const found = new Map<string, Set<string>>([['page', new Set()]]);
    for (const [name, { imports }] of [...modules, ...pageModules]) {
      const from = folderOf(name);
      const targets = found.get(from) ?? new Set<string>();
      found.set(from, targets);
      for (const { target, isLocal } of imports)
        if (isLocal && folderOf(target) !== from && folderOf(target) !== '') targets.add(folderOf(target));
    }
    const named = ([folder = '', imports = '']: readonly string[]): [string, string[]] => [
      folder === 'dashboard/page' ? 'page' : folder,
      [...imports.matchAll(/`([\w/.]+)`/g)].map(([, one = '']) => one.replace('/api.ts', '')),
    ];
    expect(Object.fromEntries(told.map(named))).toEqual(
      Object.fromEntries([...found].map(([folder, targets]) => [folder, [...targets].toSorted()])),
    );
  });

  test("of the core stand in files that the docs name, each once, by the stage of a job's life", async () => {
    const stages = await tableOf('docs/architecture.md', /^\| ([\w ]+?) +\| ((?:`[\w-]+` ?)+) *\|$/gm);
    const told = stages.flatMap(([, files = '']) => [...files.matchAll(/`([\w-]+)`/g)].map(([, one]) => one));
    const there = [...modules.keys()].filter((name) => folderOf(name) === '');
    expect(told.toSorted()).toEqual(there.map((name) => name.replace('.ts', '')).toSorted());
  });

  test('name the package itself nowhere', () => {
    expect(all().filter(({ found }) => found.target.startsWith('@oada/jobs'))).toEqual([]);
  });

  test('take a value of @oada/client in the adapters only', () => {
    const takers = all().filter(({ found }) => found.target.startsWith('@oada/client') && !found.typeOnly);
    expect(takers.length).toBeGreaterThan(0);
    for (const { name } of takers) expect(name).toMatch(/^oada\/|^server\/connection\.ts$/);
  });

  test('of the page lead to its own files, and else to the types that it shares with its server', async () => {
    const { devDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      devDependencies: object;
    };
    expect(pageModules.size).toBeGreaterThan(20);
    for (const { name, found } of all(pageModules)) {
      const { target, isLocal, typeOnly } = found;
      if (!isLocal) expect(Object.keys(devDependencies)).toContain(target.split('/')[0]);
      else if (target !== 'dashboard/api.ts')
        expect(pageModules.has(pageFile(target)), `${name} → ${target}`).toBe(true);
      if (target === 'dashboard/api.ts') expect(typeOnly, name).toBe(true);
    }
    expect(all().filter(({ found }) => found.target.startsWith(PAGE))).toEqual([]);
  });

  test('are of packages that package.json names, and all of those are imported', async () => {
    const { dependencies, peerDependencies } = JSON.parse(
      await readFile(join(ROOT, 'package.json'), 'utf8'),
    ) as { dependencies: object; peerDependencies: object };
    const packages = all()
      .filter(({ found }) => !found.isLocal && !found.target.startsWith('node:'))
      .map(({ found }) =>
        found.target
          .split('/')
          .slice(0, found.target.startsWith('@') ? 2 : 1)
          .join('/'),
      );
    const named = Object.keys({ ...dependencies, ...peerDependencies });
    expect([...new Set(packages)].toSorted()).toEqual(named.toSorted());
  });
});

test('time and chance come from the clock alone, outside of the adapters and the server', () => {
  const clocks = new Set(['setTimeout', 'setInterval', 'setImmediate', 'performance', 'Temporal']);
  const found: string[] = [];
  for (const [name, { file }] of modules) {
    if (/^(clock|testing\/skipping-clock)\.ts$/.test(name) || /^(oada|server)\//.test(name)) continue;
    const visit = (node: ts.Node): void => {
      const text = node.getText(file);
      const isValue = ts.isIdentifier(node) && !isNameOfMember(node) && !ts.isTypeQueryNode(node.parent);
      if (isValue && clocks.has(node.text)) found.push(`${name}: ${text}`);
      if (
        ts.isPropertyAccessExpression(node) &&
        /^(Date\.now|Math\.random|AbortSignal\.timeout|process\.hrtime)/.test(text)
      )
        found.push(`${name}: ${text}`);
      // Reading a time that is written somewhere is no look at the clock.
      if (ts.isNewExpression(node) && /^new Date(\(\))?$/.test(text)) found.push(`${name}: ${text}`);
      if (ts.isCallExpression(node) && text.startsWith('Date(')) found.push(`${name}: ${text}`);
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  expect(found).toEqual([]);
});

function isNameOfMember(node: ts.Identifier): boolean {
  const { parent } = node;
  return (
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isPropertyAssignment(parent) && parent.name === node) ||
    (ts.isPropertySignature(parent) && parent.name === node)
  );
}

test('importing the package loads little more than the client, nothing of the server, and does nothing', async () => {
  const [loaded, client] = await Promise.all(
    [pathToFileURL(join(LIB, 'index.ts')).href, '@oada/client'].map(loadedBy),
  );
  expect(loaded!.some((url) => url.endsWith('/lib/service.ts'))).toBe(true);
  expect(loaded!.filter((url) => /\/lib\/(server|operator|dashboard|cli|testing)\//.test(url))).toEqual([]);
  // What only some services need is loaded when they ask for it. Each file takes its time, whatever is in it.
  const ofClient = new Set(ofPackages(client!));
  expect(ofPackages(loaded!).filter((file) => !ofClient.has(file))).toEqual([
    '@oada/types/dist/types/oada/service/job-validate.cjs',
    '@oada/types/dist/types/oada/service/job.js',
    '@oada/types/dist/types/oada/service/queue-validate.cjs',
    '@oada/types/dist/types/oada/service/queue.js',
    'croner/dist/croner.js',
    'p-timeout/index.js',
  ]);
});

test('what the command line shows at once loads no store, no server, no dashboard and no table', async () => {
  const loaded = await loadedBy(pathToFileURL(join(LIB, 'cli/program.ts')).href);
  expect(loaded.some((url) => url.endsWith('/lib/cli/program.ts'))).toBe(true);
  const packages = ofPackages(loaded).map((file) => /^(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]);
  expect([...new Set(packages)]).toEqual(['commander']);
  expect(loaded.filter((url) => /\/lib\/(oada|operator|server|dashboard|cli\/actions)\//.test(url))).toEqual(
    [],
  );
});
