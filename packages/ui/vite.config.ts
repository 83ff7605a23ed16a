// Build of the web console: one page, hashed assets, the chart and the editor in chunks of their own.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const BACKEND = 'http://127.0.0.1:8180';

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  plugins: [react()],
  resolve: { conditions: ['@dcos/source', 'module', 'browser', 'development|production'] },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    assetsDir: 'assets',
    target: 'es2022',
    sourcemap: false,
    chunkSizeWarningLimit: 700,
  },
  server: {
    proxy: Object.fromEntries(
      ['/service', '/mesos', '/agent', '/system', '/metadata', '/dcos-metadata'].map((path) => [
        path,
        { target: BACKEND, changeOrigin: false },
      ]),
    ),
  },
});
