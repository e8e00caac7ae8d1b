import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const program = fileURLToPath(new URL('programs/list-modules.ts', import.meta.url));

/** The URLs of the files that importing a package, or a URL, loads. It is to print nothing. */
export async function loadedBy(specifier: string): Promise<string[]> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    ...['--import', 'tsx', program, specifier],
  ]);
  if (stderr !== '') throw new Error(stderr);
  return [...new Set(stdout.trim().split('\n'))];
}

/** Those of packages, by the folder of the package, without what compiles our sources. */
export function ofPackages(urls: readonly string[]): string[] {
  const files = urls.flatMap((url) => /\/node_modules\/(.*)/.exec(url)?.[1] ?? []);
  return files.filter((file) => !/^(tsx|esbuild|get-tsconfig)\//.test(file)).toSorted();
}
