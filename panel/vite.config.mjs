import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** The panel: one ES module with everything in it. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  publicDir: false,
  build: {
    lib: { entry: 'panel.ts', formats: ['es'], fileName: () => 'session-alerts.js' },
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // The licenses of what is bundled ask to come along.
    license: { fileName: 'LICENSES.md' },
    // Vite leaves the blanks in a library's ES module, for a bundler to come; this one is loaded as it is.
    rolldownOptions: { output: { minify: true } },
  },
});
