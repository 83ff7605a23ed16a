/**
 * Containers that are still being made when who asked for them is gone: an earlier process of this agent, or its
 * launcher. conmon goes on without them: what is removed too early would be made afterwards, and nobody would know
 * of it. A launcher that has lost its agent may still have a request in hand, so its end is waited for as well.
 */

import { readdir, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import type { Logger } from '@dcos/base';
import { LAUNCHER_MARK } from '../process/launcher-program.ts';
import { parseStatLine } from '../process/shim.ts';
import { exists, readText } from '../process/state-files.ts';

/** How long the runtime may take to make a container on a busy host. */
const WAIT_MS = 60_000;
const LOOK_MS = 20;

/** The runtime writes it into a container's directory when the container is made. */
export const PID_FILE = 'pid';

/** Resolves when every supervisor below this state root has its container, or is gone. */
export async function settleCreates(stateRoot: string, logger: Logger): Promise<void> {
  if (await isSettled((bundle) => bundle.startsWith(`${stateRoot}/`))) return;
  logger.error({ event: 'create.stuck', stateRoot }, 'a container is being made for too long');
}

/** The same for the container of this directory. */
export async function settleCreate(directory: string): Promise<void> {
  await isSettled((bundle) => bundle === directory);
}

async function isSettled(isOurs: (bundle: string) => boolean): Promise<boolean> {
  const deadline = performance.now() + WAIT_MS;
  while (performance.now() < deadline) {
    if (!(await isAnyUnderWay(isOurs))) return true;
    await delay(LOOK_MS);
  }
  return false;
}

async function isAnyUnderWay(isOurs: (bundle: string) => boolean): Promise<boolean> {
  const option = '--bundle=';
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const vector = (await textOf(pid, 'cmdline')).split('\0');
    if (await isOrphanedLauncher(pid, vector)) return true;
    const directory = vector.find((word) => word.startsWith(option))?.slice(option.length);
    if (directory === undefined || !isOurs(directory)) continue;
    if (!(await exists(join(directory, PID_FILE)))) return true;
  }
  return false;
}

/** A launcher whose agent is no longer its parent; also what it has forked and is no other program yet. */
async function isOrphanedLauncher(pid: string, vector: readonly string[]): Promise<boolean> {
  const mark = vector.indexOf(LAUNCHER_MARK);
  if (mark === -1) return false;
  const agent = Number(vector[mark + 1]);
  const stat = parseStatLine(await textOf(pid, 'stat'));
  if (stat === undefined || stat.state === 'Z' || stat.parent === agent) return false;
  return (await processesOf(pid)) === (await processesOf('self'));
}

/** The namespace whose numbers a process uses: in another one an agent's number says nothing to us. */
async function processesOf(pid: string): Promise<string> {
  return await readlink(`/proc/${pid}/ns/pid`).catch(() => '');
}

/** Empty for a process that ended meanwhile. */
async function textOf(pid: string, file: 'cmdline' | 'stat'): Promise<string> {
  try {
    return await readText(`/proc/${pid}/${file}`);
  } catch {
    return '';
  }
}
