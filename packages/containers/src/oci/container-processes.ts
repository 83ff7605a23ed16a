/**
 * The processes of containers as their cgroups know them: signals, and the end of all of them. Members are read at
 * the moment of use, so that a number that is signalled is one of the container's.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@dcos/base';
import { isRunning } from '../process/process-table.ts';
import type { ShimIdentity } from '../process/shim.ts';
import type { ContainerSignal } from '../runtime.ts';
import type { CgroupHost } from './cgroup-host.ts';
import { cgroupReader } from './cgroup-usage.ts';

/** Looks for what is left of a container before it is given up as unkillable; pauses between them double. */
const KILL_ROUNDS = 500;
const KILL_PAUSE_MS_MAX = 20;

/** Signals the container's first process, if it is still the one that we know. */
export async function signalProcess(
  identity: ShimIdentity | undefined,
  signal: ContainerSignal,
): Promise<void> {
  if (identity !== undefined && (await isRunning(identity))) sendTo(identity.pid, signal);
}

/** Signals every process of the group once. */
export async function signalGroupOf(
  cgroups: CgroupHost,
  group: string,
  signal: ContainerSignal,
): Promise<void> {
  for (const pid of await members(cgroups, group)) sendTo(pid, signal);
}

/** Kills until none is left, however fast they multiply: their number is bounded. */
export async function killGroup(cgroups: CgroupHost, group: string, logger: Logger): Promise<void> {
  for (let round = 0; round < KILL_ROUNDS; round++) {
    const pids = await members(cgroups, group);
    if (pids.length === 0) return;
    for (const pid of pids) sendTo(pid, 'SIGKILL');
    await delay(Math.min(KILL_PAUSE_MS_MAX, 2 ** round));
  }
  logger.error({ event: 'container.unkillable', group }, 'processes of a container do not end');
}

async function members(cgroups: CgroupHost, group: string): Promise<readonly number[]> {
  const text = await cgroupReader(cgroups, group).read('pids', 'cgroup.procs');
  return (text ?? '')
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 1);
}

function sendTo(pid: number, signal: ContainerSignal): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended meanwhile, which is what a signal was meant to achieve or cannot change.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
