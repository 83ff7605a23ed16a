/**
 * Containers whose first process has a terminal. conmon hands a terminal's output to nobody but its own kind of log, so
 * a switchboard is their supervisor instead, with the runtime at its terminal for as long as the container lives. The
 * runtime can then not make and start it in two steps: a hook holds it back, between the making of its namespaces and
 * its program, until networks are attached and a file says so.
 *
 * Its files are those of conmon: the supervisor's pid, the first process's pid, the exit code.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { containerError } from '../errors.ts';
import { startAtTerminal } from '../process/switchboard.ts';
import { isRunning } from '../process/process-table.ts';
import type { ShimIdentity } from '../process/shim.ts';
import type { ShimLauncher } from '../process/shim-launcher.ts';
import { exists } from '../process/state-files.ts';
import type { WindowSize } from '../session.ts';
import {
  CONMON_PID_FILE,
  creationError,
  lastError,
  logText,
  RUNTIME_LOG_FILE,
  TOOL_ENVIRONMENT,
  type CreateRequest,
} from './conmon.ts';
import { PID_FILE, settleCreate } from './creates-under-way.ts';
import type { OciHook } from './oci-spec.ts';

/** It may go on. */
const GO_FILE = 'go';
/** How often is looked whether it has. */
const LOOK_MS = 10;
/** How long it may take on a busy host. */
const START_TIMEOUT_MS = 60_000;

/**
 * Writes down the pid that it reads in the container's state, and waits: until it may go on, or until the directory is
 * gone, which is the end of a container that nobody wants any more.
 */
const HOOK_PROGRAM = [
  'state=$(cat)',
  'pid=${state#*\\"pid\\":}',
  'pid=${pid%%[!0-9]*}',
  `echo "$pid" >"$1/${PID_FILE}.new" && mv "$1/${PID_FILE}.new" "$1/${PID_FILE}" || exit 1`,
  `until [ -e "$1/${GO_FILE}" ]; do`,
  '  [ -d "$1" ] || exit 1',
  '  sleep 0.02',
  'done',
].join('\n');

/** What holds the container back; part of its configuration. */
export function holdingHook(directory: string): OciHook {
  return { path: '/bin/sh', args: ['sh', '-c', HOOK_PROGRAM, 'sh', directory], env: HOOK_ENV };
}

const HOOK_ENV = Object.entries(TOOL_ENVIRONMENT).map(([name, value]) => `${name}=${value}`);

/** Resolves with the pid of the container's first process, which is held back. */
export async function createAtTerminal(
  request: CreateRequest,
  size: WindowSize | undefined,
  launcher: Pick<ShimLauncher, 'supervise'>,
): Promise<number> {
  const { id, tools, directory, runtimeRoot, sandboxPath, user } = request;
  const general = [
    `--root=${runtimeRoot}`,
    `--log=${join(directory, RUNTIME_LOG_FILE)}`,
    '--log-format=json',
  ];
  const start = await startAtTerminal(
    {
      file: tools.runtime,
      // Kept after its end: its groups tell whether it lacked memory.
      vector: [...general, 'run', '--keep', `--bundle=${directory}`, id],
      directory,
      environment: TOOL_ENVIRONMENT,
      statePath: directory,
      makesState: false,
      files: { pid: CONMON_PID_FILE, exit: id },
      size,
      sandboxPath,
      owner: user,
      marks: [`--bundle=${directory}`],
    },
    launcher,
  );
  if (start.kind === 'started') return start.pid;
  if (start.kind === 'failed')
    throw creationError(lastError(await logText(directory)) ?? start.message);
  await settleCreate(directory);
  throw containerError('CONTAINER_LAUNCH_FAILED', 'the launcher of tasks died');
}

/** Lets it go on; resolves when its program runs. Throws CONTAINER_LAUNCH_FAILED when it never will. */
export async function releaseFromHook(container: {
  readonly directory: string;
  /** The runtime's pipe, which it removes when the program runs, or cannot. */
  readonly gate: string;
  readonly init: ShimIdentity;
  readonly ended: Promise<unknown>;
}): Promise<void> {
  const { directory, gate, init, ended } = container;
  await writeFile(join(directory, GO_FILE), '');
  const isOver = ended.then(() => true);
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (await exists(gate)) {
    if (performance.now() > deadline)
      throw containerError('CONTAINER_LAUNCH_FAILED', 'the container did not start in time');
    if (await Promise.race([isOver, delay(LOOK_MS, false)])) break;
  }
  if (await isRunning(init)) return;
  // A short task, or none: the runtime says which.
  await ended;
  const refusal = lastError(await logText(directory));
  if (refusal !== undefined) throw creationError(refusal);
}

/** The same where an earlier agent died on the way: resolves when it is held back no more, however that came. */
export async function finishFromHook(container: {
  readonly directory: string;
  readonly gate: string;
  readonly init: ShimIdentity;
}): Promise<void> {
  const { directory, gate, init } = container;
  await writeFile(join(directory, GO_FILE), '');
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline && (await exists(gate)) && (await isRunning(init)))
    await delay(LOOK_MS);
}
