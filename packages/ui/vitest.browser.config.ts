// The browser suite: Chromium against a running box (DCOS_URL) or against one that the test starts itself.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions: ['@dcos/source'] },
  ssr: { resolve: { conditions: ['@dcos/source'] } },
  test: {
    name: 'browser',
    include: ['e2e/**/*.e2e.test.ts'],
    environment: 'node',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
