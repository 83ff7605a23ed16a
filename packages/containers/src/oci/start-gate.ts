/**
 * Lets the first process of a container go, as `runc start` does: the process waits to open a named pipe for writing,
 * and says with one byte that it becomes the task's program now. One program less is started for each container.
 * Source: the state directory of runc, where the pipe has had this name and meaning in all versions since 1.0.
 *
 * The pipe goes a moment after the process did: one that is still there does not mean that nothing runs.
 */

import { closeSync, constants, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { containerError } from '../errors.ts';
import { readText } from '../process/state-files.ts';

/** How long it may take on a busy host. */
const START_TIMEOUT_MS = 60_000;

/** The pipe's name in the runtime's directory of a container. */
export const GATE_FILE = 'exec.fifo';

/**
 * Resolves when the process has gone on. Throws CONTAINER_LAUNCH_FAILED when it never will.
 * @param ended resolves when the container has ended: one that died before it came to the pipe leaves no sign there.
 */
export async function openGate(path: string, ended: Promise<unknown>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (why: string, cause?: unknown): void =>
    reject(containerError('CONTAINER_LAUNCH_FAILED', `the container ${why}`, cause));
  const gate = new Socket({
    fd: openGateFile(path),
    readable: true,
    writable: false,
  });
  const timer = setTimeout(() => fail('did not start in time'), START_TIMEOUT_MS);
  gate.once('data', () => resolve());
  gate.once('end', () => fail('ended before it was started'));
  gate.once('error', (error) => fail('cannot be started', error));
  void ended.then(() => fail('ended before it was started'));
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    gate.destroy();
  }
  await rm(path, { force: true });
}

/** Without waiting, which would hold a thread for as long as no process comes to the other end. */
function openGateFile(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

/** How often a process is looked at that may be through already. */
const LOOK_MS = 10;

/**
 * Does what is left where somebody died while opening the gate: the process may wait, be through, or have ended.
 * Resolves when it does not wait any more, or has done so for too long.
 * @param pid the container's first process.
 */
export async function finishGate(path: string, pid: number): Promise<void> {
  const gate = openGateFile(path);
  try {
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (performance.now() < deadline && (await isInRuntime(pid))) await delay(LOOK_MS);
  } finally {
    closeSync(gate);
  }
  await rm(path, { force: true });
}

/** Whether a process is still a part of the runtime, which becomes the task's program behind the gate. */
async function isInRuntime(pid: number): Promise<boolean> {
  const vector = await readText(`/proc/${pid}/cmdline`).catch(() => '');
  const [program = '', command] = vector.split('\0');
  return basename(program) === 'runc' && command === 'init';
}
