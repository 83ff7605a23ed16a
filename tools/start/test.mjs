// `npm test`: checks, then all suites, on whatever this machine has; says what it skipped and why.
// The last line sums all suites. With CI=true a skipped test is a failure.
//
// Suites with hosts of their own wait more than they work: those whose hosts the installer makes go on beside all others,
// where the machine lets that many hosts watch files.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
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
for (const project of ['unit', 'ui', 'integration', 'browser']) {
  say(`\n== ${project}`);
  await runSuites(project, project);
}
say('\n== e2e');
const [inContainers, others] = hostedSuites();
if (mayHaveManyHosts())
  await Promise.all([
    runSuites('e2e', 'e2e in containers', inContainers),
    runSuites('e2e', 'e2e, others', others),
  ]);
else await runSuites('e2e', 'e2e');
rmSync(scratch, { recursive: true });

/** Files whose hosts the installer makes: it looks for free networks and ports itself, one after another. */
function hostedSuites() {
  const files = readdirSync(join(root, 'e2e', 'src'), { recursive: true })
    .filter((file) => file.endsWith('.e2e.test.ts'))
    .map((file) => join('e2e', 'src', file));
  const isInContainers = (file) =>
    /provider: '?docker/.test(readFileSync(join(root, file), 'utf8'));
  return [files.filter(isInContainers), files.filter((file) => !isInContainers(file))];
}

/** A host needs about eight of a user's inotify instances, of which there are 128 on many machines. */
function mayHaveManyHosts() {
  const setting = '/proc/sys/fs/inotify/max_user_instances';
  return existsSync(setting) && Number(readFileSync(setting, 'utf8')) >= 512;
}

async function runSuites(project, name, files = []) {
  const report = join(scratch, `${name}.json`);
  const args = [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...files,
  ];
  const child = spawn(node, args, { cwd: root, stdio: 'inherit', env: environment });
  const [code] = await once(child, 'close');
  count(name, code === 0, report);
}

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
