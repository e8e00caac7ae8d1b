import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const config = join(root, 'vite.library.config.ts');

let main: string | undefined;

/**
 * The command line as it is published, for tests that start it many times: a process with sources takes three times as
 * long. It is built once for each state of the sources, and shared by the files of tests.
 *
 * @returns what Node is to run
 */
export function builtMain(): string {
  main ??= findOrBuild();
  return main;
}

function findOrBuild(): string {
  const hash = createHash('sha256').update(root);
  const sources = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(root, 'lib', name));
  for (const file of [config, ...sources]) hash.update(file).update(readFileSync(file));
  const folder = join(tmpdir(), `oada-jobs-cli-${hash.digest('hex').slice(0, 16)}`);
  if (!existsSync(folder)) build(folder);
  return join(folder, 'dist/cli/main.js');
}

function build(folder: string): void {
  const making = `${folder}.${String(process.pid)}`;
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const output = ['--outDir', join(making, 'dist'), '--emptyOutDir'];
  execFileSync(process.execPath, [vite, 'build', '--config', config, ...output]);
  copyFileSync(join(root, 'package.json'), join(making, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(making, 'node_modules'), 'junction');
  try {
    renameSync(making, folder);
  } catch {
    rmSync(making, { recursive: true }); // another file of tests was faster
  }
}
