import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

// A build that a test starts is the one that is published: in another environment lit brings its warnings along.
process.env.NODE_ENV = 'production';

/**
 * The panel as ES modules that a page can load as they are: `session-alerts.js`, and beside it what that imports, now or
 * on demand, under names that stay. `node/` has what servers get instead.
 */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  publicDir: false,
  build: {
    lib: {
      entry: { 'session-alerts': 'panel.ts', element: 'element.ts', 'node/panel': 'node.ts' },
      formats: ['es'],
    },
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // The licenses of what is bundled ask to come along.
    license: { fileName: 'LICENSES.md' },
    rolldownOptions: {
      // What both entries share is the class alone: no third file for it.
      preserveEntrySignatures: 'allow-extension',
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: '[name].js',
        // Vite leaves the blanks in a library's ES module, for a bundler to come; these are loaded as they are.
        minify: true,
      },
    },
  },
});
