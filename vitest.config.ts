import { defineConfig } from 'vitest/config';

// One configuration for all suites: `*.test.ts` are unit, property and simulation tests,
// `*.int.test.ts` need real servers or kernel features and run one file at a time, `*.e2e.test.ts` hosts of their own.
const resolve = { conditions: ['@dcos/source'] };
// Nothing in a test may reach a cloud: without an endpoint of its own, a client finds nobody.
const env = { AWS_ENDPOINT_URL_EC2: 'http://127.0.0.1:9', AWS_EC2_METADATA_DISABLED: 'true' };
const isNightly = process.env['E2E_NIGHTLY'] === '1';
const ssr = { resolve: { conditions: ['@dcos/source'] } };

export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          env,
          include: [
            'packages/*/src/**/*.test.ts',
            'installer/src/**/*.test.ts',
            'tools/**/*.test.ts',
            'e2e/src/**/*.test.ts',
          ],
          exclude: [
            '**/*.int.test.ts',
            '**/*.e2e.test.ts',
            '**/node_modules/**',
            '**/dist/**',
            'packages/ui/**',
          ],
          // Vitest leaves a processor free, which on two is half of them; these tests are work for processors alone.
          maxWorkers: '100%',
          testTimeout: 30_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'integration',
          env,
          include: [
            'packages/*/src/**/*.int.test.ts',
            'installer/src/**/*.int.test.ts',
            'tools/**/*.int.test.ts',
          ],
          exclude: ['**/node_modules/**', '**/dist/**'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'e2e',
          env,
          include: ['e2e/src/**/*.e2e.test.ts'],
          // What takes the better part of an hour is for the night.
          exclude: ['**/node_modules/**', ...(isNightly ? [] : ['**/*.nightly.e2e.test.ts'])],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      'packages/ui/vitest.config.ts',
      'packages/ui/vitest.browser.config.ts',
    ],
  },
});
