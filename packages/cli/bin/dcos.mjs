#!/usr/bin/env node
// Starts the `dcos` command. From a clone the TypeScript sources run as they are, from a package the
// compiled files. Sources need the pinned Node: on another one this program starts again on the one
// that was installed with the workspace. Plain JavaScript that Node 20 understands.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as module from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const nodeMajor = 24;
const home = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(home, 'src', 'main.ts');
const compiled = join(home, 'dist', 'main.js');
const isCurrent = Number(process.versions.node.split('.')[0]) >= nodeMajor;

if (isCurrent && existsSync(source)) await runSource();
else if (isCurrent && existsSync(compiled)) await runCompiled();
else await runOnPinnedNode();

async function runSource() {
  module.enableCompileCache?.();
  // Workspace packages are read from their sources, too, whether they are built or not.
  module.registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...context.conditions, '@dcos/source'] }),
  });
  await import(pathToFileURL(source).href);
}

async function runCompiled() {
  module.enableCompileCache?.();
  await import(pathToFileURL(compiled).href);
}

async function runOnPinnedNode() {
  // Once only: a workspace whose own Node is too old must end in the message, not in a loop.
  const pinned = process.env['DCOS_CLI_PINNED_NODE'] === '1' ? undefined : findPinnedNode(home);
  if (pinned === undefined) {
    process.stderr.write(
      `Error: dcos needs Node ${nodeMajor} or newer, this is ${process.version}, and the workspace ` +
        'has none of its own. Run "npm install" in the clone, or use a newer Node.\n',
    );
    process.exitCode = 1;
    return;
  }
  const program = fileURLToPath(import.meta.url);
  const child = spawn(pinned, [program, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, DCOS_CLI_PINNED_NODE: '1' },
  });
  // The child decides what a signal means.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', (error) => {
    process.stderr.write(`Error: cannot start ${pinned}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal ?? ''] ?? 0);
  });
}

function findPinnedNode(start) {
  const names = [
    join('node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node'),
    join('node_modules', '.bin', 'node'),
  ];
  for (let at = start; ; at = dirname(at)) {
    for (const name of names) {
      const candidate = join(at, name);
      if (existsSync(candidate) && candidate !== process.execPath) return candidate;
    }
    if (dirname(at) === at) return undefined;
  }
}
