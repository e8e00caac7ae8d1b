// Builds the page of the dashboard.
import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vite';

export default defineConfig({
  root: path('lib/dashboard/page/'),
  base: './', // so that it works below any prefix
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: path('dist/dashboard/page/'),
    emptyOutDir: true,
    // Its style sheet uses light-dark().
    target: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
    // The content security policy lets in nothing that stands in the page itself.
    assetsInlineLimit: 0,
    modulePreload: false,
  },
});

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
