// Unit tests of the console's pure logic; the browser suite has its own configuration.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions: ['@dcos/source'] },
  test: { name: 'ui', include: ['src/**/*.test.ts'], environment: 'node' },
});
