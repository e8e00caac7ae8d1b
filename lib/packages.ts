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
export function loadPackage<Name extends keyof Packages>(name: Name): Packages[Name] {
  // Made no earlier: in what a bundler makes of this, `import.meta.url` may be nothing that Node can look from.
  const load: <N extends keyof Packages>(one: N) => Packages[N] = createRequire(import.meta.url);
  return load(name);
}
