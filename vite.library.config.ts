// Builds the library, each entry of `exports` and `bin` in package.json, from lib/ to dist/. Most of the time that an
// import takes goes by files, whatever is in them: so what entries share is in few files. Packages stay outside.
// tsc makes the types of it. There are no source maps: names and lines are left as they are.
import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vite';

export default defineConfig({
  root: path('.'),
  publicDir: false,
  logLevel: 'warn',
  build: {
    ssr: true, // that is: for Node
    target: 'node20',
    outDir: path('dist/'),
    rolldownOptions: {
      input: {
        index: path('lib/index.ts'),
        'server/index': path('lib/server/index.ts'),
        'dashboard/index': path('lib/dashboard/index.ts'),
        'testing/index': path('lib/testing/index.ts'),
        'cli/main': path('lib/cli/main.ts'),
      },
      // One folder deep, as the sources are: see what reads files beside its own.
      output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name].js' },
    },
  },
});

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
