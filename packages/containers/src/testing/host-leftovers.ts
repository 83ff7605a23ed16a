/**
 * What the containers of a suite left behind on the host: cgroups, mounts, processes, rules of the packet filter,
 * addresses. Only what bears the name of the suite's own directory or containers counts: others may run beside it.
 */

import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Of containers whose state is below `root`, and whose sandboxes are in `root/sandboxes` under their ids. */
export async function hostLeftovers(root: string): Promise<readonly string[]> {
  const ids = new Set(await namesIn(join(root, 'sandboxes')));
  const found = await Promise.all([
    cgroups(ids),
    mounts(root),
    processes(root),
    packetRules(ids),
    addresses(ids),
  ]);
  return found.flat();
}

async function cgroups(ids: ReadonlySet<string>): Promise<readonly string[]> {
  const found: string[] = [];
  for (const hierarchy of ['', ...(await namesIn('/sys/fs/cgroup'))]) {
    const path = join('/sys/fs/cgroup', hierarchy, 'mesos');
    for (const name of await namesIn(path))
      if (ids.has(name)) found.push(`cgroup ${join(path, name)}`);
  }
  return found;
}

async function mounts(root: string): Promise<readonly string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines.filter((line) => line.includes(root)).map((line) => `mount ${line}`);
}

async function processes(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await namesIn('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')) // gone meanwhile
      .replaceAll('\0', ' ');
    if (line.includes(root)) found.push(`process ${pid} ${line}`);
  }
  return found;
}

async function packetRules(ids: ReadonlySet<string>): Promise<readonly string[]> {
  const found: string[] = [];
  for (const table of ['nat', 'filter']) {
    // Without the program there are no rules of ours either.
    const { stdout } = await run('iptables', ['-w', '-t', table, '-S']).catch(() => ({
      stdout: '',
    }));
    for (const line of stdout.split('\n')) {
      const id = /id: \\"([^"\\]+)\\"/.exec(line)?.[1];
      if (id !== undefined && ids.has(id)) found.push(`rule ${line}`);
    }
  }
  return found;
}

/** Files of the plug-in that gives addresses out: one for each address, with the container's id in it. */
async function addresses(ids: ReadonlySet<string>): Promise<readonly string[]> {
  const found: string[] = [];
  const networks = '/var/lib/cni/networks';
  for (const network of await namesIn(networks)) {
    for (const name of await namesIn(join(networks, network))) {
      const path = join(networks, network, name);
      const [id = ''] = (await readFile(path, 'utf8').catch(() => '')).split(/\s/);
      if (ids.has(id)) found.push(`address ${path}`);
    }
  }
  return found;
}

async function namesIn(path: string): Promise<readonly string[]> {
  // There may be no such place on this host.
  return await readdir(path).catch(() => []);
}
