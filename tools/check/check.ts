/**
 * `npm run check`: types, lint, format, boundaries, graph. Every step runs, so that one run shows all
 * that is wrong. Exit code 1 when any failed.
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { checkBoundaries } from './boundaries.ts';
import { checkGraph } from './graph.ts';

const root = join(import.meta.dirname, '..', '..');
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);

function run(command: string, args: readonly string[]): readonly string[] {
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.status === 0) return [];
  return [`${result.stdout}${result.stderr}`.trim() || `${command} failed`];
}

/** The lint must see what it is there for: a file with known violations has to fail. */
function checkLintFixture(): readonly string[] {
  const fixture = join('tools', 'check', 'fixtures', 'impure-core.ts');
  const result = spawnSync(
    bin('oxlint'),
    ['--no-ignore', '-c', 'tools/check/fixtures/oxlintrc.json', '--format=unix', fixture],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  return ['no-restricted-globals', 'no-restricted-properties']
    .filter((rule) => !result.stdout.includes(rule))
    .map((rule) => `the fixture ${fixture} must fail by ${rule}, but it passed`);
}

const steps: readonly (readonly [string, () => readonly string[]])[] = [
  ['types', () => run(bin('tsc'), ['-b'])],
  [
    'lint',
    () => [...run(bin('oxlint'), ['--type-aware', '--deny-warnings']), ...checkLintFixture()],
  ],
  ['format', () => run(bin('oxfmt'), ['--check', '.'])],
  ['boundaries', () => checkBoundaries(root)],
  ['graph', () => checkGraph(root)],
];

let failed = 0;
for (const [name, step] of steps) {
  const startedMs = performance.now();
  const problems = step();
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(
    `  ${name.padEnd(12)} ${problems.length === 0 ? 'ok' : 'FAILED'}  ${seconds} s\n`,
  );
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  if (problems.length > 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;
