import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';

const root = fileURLToPath(new URL('../../', import.meta.url));

let main: string | undefined;

/**
 * The command line as it is published, for tests that start it many times: a process with sources takes three times as
 * long. It is compiled once for each state of the sources, and shared by the files of tests.
 *
 * @returns what Node is to run
 */
export function builtMain(): string {
  main ??= findOrBuild();
  return main;
}

function findOrBuild(): string {
  const sources = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ name, text: readFileSync(join(root, 'lib', name), 'utf8') }));
  const hash = createHash('sha256')
    .update(JSON.stringify([root, sources]))
    .digest('hex')
    .slice(0, 16);
  const folder = join(tmpdir(), `oada-jobs-cli-${hash}`);
  if (!existsSync(folder)) build(folder, sources);
  return join(folder, 'dist/cli/main.js');
}

function build(folder: string, sources: readonly { readonly name: string; readonly text: string }[]): void {
  const making = `${folder}.${String(process.pid)}`;
  for (const { name, text } of sources) {
    const file = join(making, 'dist', name.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(file), { recursive: true });
    const compilerOptions = {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      importHelpers: true,
      verbatimModuleSyntax: true,
    };
    writeFileSync(file, ts.transpileModule(text, { compilerOptions }).outputText);
  }
  writeFileSync(join(making, 'package.json'), readFileSync(join(root, 'package.json')));
  symlinkSync(join(root, 'node_modules'), join(making, 'node_modules'), 'junction');
  try {
    renameSync(making, folder);
  } catch {
    rmSync(making, { recursive: true }); // another file of tests was faster
  }
}
