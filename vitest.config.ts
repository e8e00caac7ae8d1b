import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    // The package's own names stand for the sources, so that no test needs a build.
    alias: [
      { find: /^@oada\/jobs$/, replacement: source('lib/index.ts') },
      { find: /^@oada\/jobs\/server$/, replacement: source('lib/server/index.ts') },
      { find: /^@oada\/jobs\/dashboard$/, replacement: source('lib/dashboard/index.ts') },
      { find: /^@oada\/jobs\/testing$/, replacement: source('lib/testing/index.ts') },
    ],
  },
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'library', include: ['test/**/*.test.ts'], exclude: ['test/package/**'] },
      },
      {
        // Needs the built package, and the registry; it installs what it is told to.
        extends: true,
        test: {
          ...{ name: 'package', include: ['test/package/*.test.ts'] },
          ...{ testTimeout: 180_000, hookTimeout: 300_000 },
        },
      },
    ],
    pool: 'forks',
    maxWorkers: 3, // they wait more than they work
    testTimeout: 20_000,
    hookTimeout: 20_000,
    expect: { poll: { timeout: 10_000 } }, // a busy machine takes its time
    reporters: ['default', './test/reporter.ts'],
  },
});

function source(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
