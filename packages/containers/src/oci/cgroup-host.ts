/**
 * The cgroups of this host: which version, where each controller is mounted. `hybrid` hosts, which mount both, keep
 * their controllers in version 1 and are used as such.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Without these no container can be held to its limits. */
const NEEDED = ['cpu', 'cpuacct', 'memory', 'pids', 'devices'] as const;

/** `blkio` is for statistics only: a host may be without it. */
export type Controller = (typeof NEEDED)[number] | 'blkio';

export interface CgroupHost {
  readonly version: 1 | 2;
  /** Directory of a group, such as `/mesos/<id>`, in the hierarchy of a controller. */
  directory(controller: Controller, group: string): string;
  /** The same in every hierarchy, also in those that we have no use for: OCI runtimes make a group in each. */
  directories(group: string): readonly string[];
}

/** Finds them in the text of `/proc/self/mountinfo`; undefined when a controller is missing. */
export function cgroupHost(mountinfo: string): CgroupHost | undefined {
  const mounts = new Map<string, string>();
  const roots = new Set<string>();
  let unified: string | undefined;
  for (const line of mountinfo.split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const path = left.split(' ')[4];
    const [type, , options = ''] = right.split(' ');
    if (path === undefined) continue;
    if (type === 'cgroup' || type === 'cgroup2') roots.add(path);
    if (type === 'cgroup2') unified ??= path;
    if (type === 'cgroup')
      for (const option of options.split(',')) if (!mounts.has(option)) mounts.set(option, path);
  }
  const directories = (group: string): readonly string[] =>
    [...roots].map((root) => join(root, group));
  if (NEEDED.every((controller) => mounts.has(controller)))
    return {
      version: 1,
      // One that is not mounted is looked for in its usual place, where nothing is.
      directory: (controller, group) =>
        join(mounts.get(controller) ?? join('/sys/fs/cgroup', controller), group),
      directories,
    };
  // Controllers of both versions would be neither one nor the other.
  if (unified === undefined || NEEDED.some((controller) => mounts.has(controller)))
    return undefined;
  const root = unified;
  return { version: 2, directory: (_controller, group) => join(root, group), directories };
}

/** The same for this host. */
export async function findCgroups(): Promise<CgroupHost | undefined> {
  return cgroupHost(await readFile('/proc/self/mountinfo', 'utf8'));
}
