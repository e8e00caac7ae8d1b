import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { expect, onTestFinished, test } from 'vitest';
import { build } from 'vite';

const BUNDLED = fileURLToPath(new URL('../lib/worker.ts', import.meta.url));

/** What it asks for is an error, which is printed. */
const PROGRAM = `
const [, , bundle] = process.argv;
const { createWorker } = await import(bundle);
try {
  createWorker('weigh', { timeout: 1000, config: { type: 'object' } }, () => undefined);
} catch ({ name, code, message }) {
  console.log(JSON.stringify({ name, code, message }));
}
`;

// As esbuild does it: in a bundle of the older kind, a module does not know where it is.
test.each([
  ['es', {}],
  ['cjs', { 'import.meta.url': 'undefined' }],
] as const)(
  'a bundle (%s) that has no packages beside it says what it lacks, and what to do',
  async (format, define) => {
    const folder = await mkdtemp(join(tmpdir(), 'oada-jobs-bundle-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await build({
      ...{ configFile: false, logLevel: 'error', publicDir: false, define },
      ssr: { noExternal: true },
      build: {
        ...{ ssr: BUNDLED, outDir: folder, emptyOutDir: false, minify: false },
        rolldownOptions: { output: { format, entryFileNames: `bundle.${format === 'es' ? 'mjs' : 'cjs'}` } },
      },
    });
    const program = join(folder, 'program.mjs');
    await writeFile(program, PROGRAM);
    const bundle = pathToFileURL(join(folder, `bundle.${format === 'es' ? 'mjs' : 'cjs'}`)).href;
    const { stdout } = await promisify(execFile)(process.execPath, [program, bundle], { cwd: folder });
    const told = JSON.parse(stdout) as { message: string };
    expect(told).toMatchObject({ name: 'ConfigError', code: 'OADA_JOBS_CONFIG' });
    expect(told.message).toMatch(/^The package ajv cannot be loaded\..* --packages=external.*install them/);
  },
);
