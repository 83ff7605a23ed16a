// `npx installer`, `npm run installer -- …`: from a fresh clone to the installer itself. Does what is missing of the
// set-up, as `npm start` does. Plain JavaScript for Node 20, since nothing else may be there.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { checkNode, ensureDependencies, pinnedNode, root } from './set-up.mjs';

checkNode();
const words = process.argv.slice(2);
// Standard output is for results.
const progress = (step, status) => process.stderr.write(`  ${step.padEnd(14)} ${status}\n`);
ensureDependencies(progress);
const node = pinnedNode();

const args = [
  '--conditions=@dcos/source',
  '--disable-warning=ExperimentalWarning',
  join(root, 'installer', 'src', 'main.ts'),
  ...words,
];
if (process.execve !== undefined) {
  // Nothing is left of this process: signals reach the installer itself.
  process.execve(node, [node, ...args], process.env);
}
const child = spawn(node, args, { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
