import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** Applications that use the panel, each as a bundler would leave it. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  publicDir: false,
  define: {
    'process.env.NODE_ENV': '"production"',
    __VUE_OPTIONS_API__: 'true',
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
  },
  build: {
    lib: { entry: ['react.mjs', 'vue.mjs'], formats: ['es'] },
    target: 'es2022',
    emptyOutDir: true,
    rolldownOptions: { external: ['/session-alerts.js'] },
  },
});
