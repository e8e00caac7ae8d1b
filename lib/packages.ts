import { createRequire } from 'node:module';

import type ajv from 'ajv';
import type ajvFormats from 'ajv-formats';
import type * as csvParse from 'csv-parse/sync' with { 'resolution-mode': 'require' };

/** What only some users need: packages that are CommonJS, or that as well. */
interface Packages {
  readonly ajv: typeof ajv;
  readonly 'ajv-formats': typeof ajvFormats;
  readonly 'csv-parse/sync': typeof csvParse;
}

/**
 * Loads a package when it is first asked for. It does so at once, for functions that give their answer at once: others
 * `import()` what they need.
 */
export const loadPackage: <Name extends keyof Packages>(name: Name) => Packages[Name] = createRequire(
  import.meta.url,
);
