// `npm test`: checks, then all suites, on whatever this machine has; says what it skipped and why.
// The last line sums all suites. With CI=true a skipped test is a failure.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkNode, ensureDependencies, ensureUi, pinnedNode, root } from './set-up.mjs';

checkNode();
const say = (text) => process.stdout.write(`${text}\n`);
const progress = (step, status) => say(`  ${step.padEnd(14)} ${status}`);
ensureDependencies(progress);
const node = pinnedNode();
ensureUi(node, progress);

const environment = {
  ...process.env,
  PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH ?? ''}`,
  NX_DAEMON: 'false',
  NX_NO_CLOUD: 'true',
};
const sum = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const startedMs = Date.now();

function run(args) {
  return spawnSync(node, args, { cwd: root, stdio: 'inherit', env: environment }).status === 0;
}

function step(name, succeeded) {
  if (succeeded) sum.passed += 1;
  else {
    sum.failed += 1;
    failures.push(name);
  }
}

say('\n== checks');
step('checks', run([join(root, 'tools', 'check', 'check.ts')]));

const scratch = mkdtempSync(join(tmpdir(), 'dcos-test-'));
const skippedTests = [];
for (const project of ['unit', 'ui', 'integration', 'browser', 'e2e']) {
  say(`\n== ${project}`);
  const report = join(scratch, `${project}.json`);
  const succeeded = run([
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  count(project, succeeded, report);
}
rmSync(scratch, { recursive: true });

function count(project, succeeded, report) {
  if (!existsSync(report)) {
    step(`${project}: did not run to its end`, false);
    return;
  }
  const result = JSON.parse(readFileSync(report, 'utf8'));
  sum.passed += result.numPassedTests;
  sum.failed += result.numFailedTests;
  for (const file of result.testResults) {
    for (const test of file.assertionResults) {
      if (test.status === 'failed') failures.push(`${project}: ${test.fullName}`);
      if (test.status === 'skipped' || test.status === 'pending' || test.status === 'todo') {
        sum.skipped += 1;
        skippedTests.push(`${project}: ${test.fullName}`);
      }
    }
  }
  // A file that does not even load has no failed test to count.
  if (!succeeded && result.numFailedTests === 0)
    step(`${project}: an error outside of the tests`, false);
}

if (skippedTests.length > 0) {
  say('\nSkipped (the name of the suite says what is missing on this machine):');
  for (const name of skippedTests) say(`  ${name}`);
  if (process.env.CI === 'true')
    step('tests were skipped, although everything must be there in CI', false);
}
if (failures.length > 0) {
  say('\nFailed:');
  for (const name of failures) say(`  ${name}`);
}
say(`\nin ${Math.round((Date.now() - startedMs) / 1000)} s`);
say(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exit(sum.failed === 0 ? 0 : 1);
