/** What the compiler makes of the packages can be loaded: the rest of the tests runs the sources as they are. */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const packages = readdirSync(join(root, 'packages')).filter((name) =>
  existsSync(join(root, 'packages', name, 'src', 'index.ts')),
);

beforeAll(() => {
  execFileSync(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root });
}, 300_000);

test('every package that others import loads from what was compiled', () => {
  const program = packages
    .map((name) => `await import(${JSON.stringify(`./packages/${name}/dist/index.js`)});`)
    .join('\n');
  const loaded = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: root,
    encoding: 'utf8',
  });
  expect([loaded.status, loaded.stderr]).toEqual([0, '']);
});
