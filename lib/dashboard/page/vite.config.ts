import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vite';

/** The page of the dashboard, to `dist/dashboard/page/`: its addresses are relative, so that it works below any prefix. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: fileURLToPath(new URL('../../../dist/dashboard/page/', import.meta.url)),
    emptyOutDir: true,
    // Its stylesheet uses light-dark().
    target: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
    // The content security policy lets nothing in that stands in the page itself.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
