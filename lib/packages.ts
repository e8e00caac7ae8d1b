import { createRequire } from 'node:module';

import type ajv from 'ajv';
import type ajvFormats from 'ajv-formats';
import type * as csvParse from 'csv-parse/sync' with { 'resolution-mode': 'require' };

import { ConfigError } from './errors.js';

/** What only some users need: packages that are CommonJS, or that as well. */
interface Packages {
  readonly ajv: typeof ajv;
  readonly 'ajv-formats': typeof ajvFormats;
  readonly 'csv-parse/sync': typeof csvParse;
}

/**
 * Loads a package when it is first asked for. It does so at once, for functions that give their answer at once: others
 * `import()` what they need.
 *
 * @throws {ConfigError} it is not there: no bundler sees that it is needed
 */
export function loadPackage<Name extends keyof Packages>(name: Name): Packages[Name] {
  // In what a bundler makes of this, `import.meta.url` may be nothing that Node can look from.
  try {
    const load: <N extends keyof Packages>(one: N) => Packages[N] = createRequire(import.meta.url);
    return load(name);
  } catch (error) {
    throw new ConfigError(
      `The package ${name} cannot be loaded. Where a bundler makes one file of a program, have it leave packages ` +
        'outside (esbuild: --packages=external), and install them beside that file.',
      { cause: error },
    );
  }
}
