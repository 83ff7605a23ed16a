/** What the `oci` runtime needs of its host, and words for what is missing. */

import { access, constants, mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { getuid, platform } from 'node:process';
import { errorText, OperationError } from '@dcos/base';
import type { DeviceAccess } from '@dcos/wire';
import { exists } from '../process/state-files.ts';
import { findCgroups } from './cgroup-host.ts';
import { TOOL_ENVIRONMENT, type OciTools } from './conmon.ts';
import { findDevices } from './host-devices.ts';

/** Name of a program, and the distribution's package that has it. */
const PACKAGES: { readonly [program: string]: string } = {
  conmon: 'conmon',
  runc: 'runc',
  crun: 'crun',
  'tini-static': 'tini',
};

/** The programs; or the names of those that are not there. */
export async function findTools(
  runtime: 'runc' | 'crun',
): Promise<{ readonly tools: OciTools } | { readonly missing: readonly string[] }> {
  const wanted = ['conmon', runtime, 'tini-static'];
  const found = await Promise.all(wanted.map(async (name) => await findProgram(name)));
  const [conmon, oci, init] = found;
  if (conmon === undefined || oci === undefined || init === undefined)
    return { missing: wanted.filter((_, index) => found[index] === undefined) };
  return { tools: { conmon, runtime: oci, kind: runtime, init } };
}

/** Where a program is; undefined when it is not on the host. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const directory of (TOOL_ENVIRONMENT['PATH'] ?? '').split(':')) {
    const path = join(directory, name);
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // Not here; perhaps in the next one.
    }
  }
  return undefined;
}

export interface HostNeeds {
  readonly runtime: 'runc' | 'crun';
  readonly hasSwapLimit: boolean;
  readonly allowedDevices: readonly DeviceAccess[];
}

/** Why this host can run no containers, with the remedy; undefined when it can. */
export async function hostProblem(needs: HostNeeds): Promise<string | undefined> {
  if (platform !== 'linux') return 'the oci runtime needs Linux';
  if (getuid?.() !== 0) return 'the oci runtime needs root';
  const tools = await findTools(needs.runtime);
  if ('missing' in tools) {
    const packages = tools.missing.map((name) => PACKAGES[name] ?? name);
    return `the oci runtime needs ${tools.missing.join(', ')}: apt-get install ${packages.join(' ')}`;
  }
  const cgroups = await findCgroups();
  if (cgroups === undefined)
    return 'the oci runtime needs cgroups with the controllers cpu, memory, pids and devices, mounted below /sys/fs/cgroup';
  const probe = cgroups.directory('memory', `/mesos-probe-${process.pid}`);
  try {
    // One that was killed here may have had this process id, as it always has as the first one in a container.
    await mkdir(probe, { recursive: true });
    const hasSwap = !needs.hasSwapLimit || (await hasSwapCount(cgroups.version, probe));
    await rmdir(probe);
    if (!hasSwap)
      return 'swap cannot be limited: this kernel does not count it; try swapaccount=1 on its command line';
    await findDevices(needs.allowedDevices);
    return undefined;
  } catch (error) {
    if (error instanceof OperationError) return error.message;
    return `the oci runtime cannot make cgroups: ${errorText(error)}`;
  }
}

/** Whether the kernel counts what a group has swapped out. */
export async function hasSwapCount(version: 1 | 2, group: string): Promise<boolean> {
  if (version === 1) return await exists(join(group, 'memory.memsw.limit_in_bytes'));
  // Where the controller is not on yet there are no files of it, which says nothing.
  const isOn = await exists(join(group, 'memory.max'));
  return !isOn || (await exists(join(group, 'memory.swap.max')));
}
