// `npm test`: checks, then all suites, on whatever this machine has; says what it skipped and why.
// The last line sums all suites. With CI=true a skipped test is a failure.
//
// Suites with servers or hosts of their own wait more than they work, so they go on in two lanes. In one are those that
// share something of the machine, one after another: integration tests that run containers, and hosts that the installer
// makes, for which it looks for networks and ports.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
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
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
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
for (const project of ['unit', 'ui']) {
  say(`\n== ${project}`);
  await runSuites(project, project);
}
say('\n== integration');
await inTwoLanes('integration', (file) => /^packages.(agent|cli|containers)\b/.test(file));
say('\n== browser');
await runSuites('browser', 'browser');
say('\n== e2e');
if (mayHaveManyHosts())
  await inTwoLanes('e2e', (file) =>
    /provider: '?docker/.test(readFileSync(join(root, file), 'utf8')),
  );
else await runSuites('e2e', 'e2e');
rmSync(scratch, { recursive: true });

async function inTwoLanes(project, isInFirst) {
  const list = [vitest, 'list', '--project', project, '--filesOnly', '--json'];
  const { status, stdout, stderr } = spawnSync(node, list, {
    cwd: root,
    env: environment,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the files of ${project} cannot be listed: ${stderr}`);
  const files = JSON.parse(stdout).map(({ file }) => relative(root, file));
  const others = files.filter((file) => !isInFirst(file));
  await Promise.all([
    runSuites(project, `${project}, first lane`, files.filter(isInFirst)),
    runSuites(project, `${project}, second lane`, others),
  ]);
}

/** A host needs about eight of a user's inotify instances, of which there are 128 on many machines. */
function mayHaveManyHosts() {
  const setting = '/proc/sys/fs/inotify/max_user_instances';
  return existsSync(setting) && Number(readFileSync(setting, 'utf8')) >= 512;
}

async function runSuites(project, name, files) {
  // Without a file that is named, all would run.
  if (files?.length === 0) return;
  const report = join(scratch, `${name}.json`);
  const args = [
    vitest,
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...(files ?? []),
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
