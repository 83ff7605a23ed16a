/**
 * Containers that an earlier process of this agent had begun to make when it died. conmon goes on without it: what is
 * removed too early would be made afterwards, and nobody would know of it.
 */

import { readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import type { Logger } from '@dcos/base';
import { exists, readText } from '../process/state-files.ts';
import { PID_FILE } from './conmon.ts';

/** How long the runtime may take to make a container on a busy host. */
const WAIT_MS = 60_000;
const LOOK_MS = 20;

/** Resolves when every supervisor below this state root has its container, or is gone. */
export async function settleCreates(stateRoot: string, logger: Logger): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (performance.now() < deadline) {
    if (!(await isAnyUnderWay(stateRoot))) return;
    await delay(LOOK_MS);
  }
  logger.error({ event: 'create.stuck', stateRoot }, 'a container is being made for too long');
}

async function isAnyUnderWay(stateRoot: string): Promise<boolean> {
  const bundle = `--bundle=${stateRoot}/`;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const vector = (await commandLine(pid)).split('\0');
    const directory = vector.find((word) => word.startsWith(bundle))?.slice('--bundle='.length);
    // The runtime writes the file when the container is made.
    if (directory !== undefined && !(await exists(join(directory, PID_FILE)))) return true;
  }
  return false;
}

/** Empty for a process that ended meanwhile. */
async function commandLine(pid: string): Promise<string> {
  try {
    return await readText(`/proc/${pid}/cmdline`);
  } catch {
    return '';
  }
}
