import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** The demo page, which its server shows at `/` with everything else below `/demo/`. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/demo/',
  publicDir: false,
  build: { outDir: '../../dist/demo/page', emptyOutDir: true, target: 'es2022' },
});
