// `npm start`: everything from a fresh clone to a running cluster. Flags are those of packages/box.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { checkNode, ensureDependencies, ensureUi, pinnedNode, root } from './set-up.mjs';

checkNode();
const flags = process.argv.slice(2);
const json = flags.includes('--json');
const progress = (step, status) =>
  process.stdout.write(
    json
      ? `${JSON.stringify({ event: 'set-up', step, status })}\n`
      : `  ${step.padEnd(14)} ${status}\n`,
  );

const wantsHelp = flags.includes('--help') || flags.includes('-h');
ensureDependencies(progress);
const node = pinnedNode();
if (!wantsHelp) ensureUi(node, progress);

const args = [
  '--conditions=@dcos/source',
  '--disable-warning=ExperimentalWarning',
  join(root, 'packages', 'box', 'src', 'main.ts'),
  ...flags,
];
if (process.execve !== undefined) {
  // Nothing is left of this process: no second Node in memory, signals reach the cluster itself.
  process.execve(node, [node, ...args], process.env);
}
const child = spawn(node, args, { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
