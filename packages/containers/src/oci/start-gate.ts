/**
 * Lets the first process of a container go, as `runc start` does: the process waits to open a named pipe for writing,
 * and says with one byte that it becomes the task's program now. One program less is started for each container.
 * Source: the state directory of runc, where the pipe has had this name and meaning in all versions since 1.0.
 *
 * Invariant: the pipe is removed only after the byte was read, so that a pipe that is there means that nothing runs.
 */

import { constants, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { containerError } from '../errors.ts';

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
  // Without waiting, which would hold a thread for as long as no process comes to the other end.
  const gate = new Socket({
    fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
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
