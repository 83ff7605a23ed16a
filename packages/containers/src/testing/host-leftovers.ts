/** What containers could leave behind on a host: a suite looks before and after, and finds nothing new. */

import { readdir, readFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Names of cgroups, mounts, named network namespaces, links, packet filter rules and supervisors. */
export async function hostLeftovers(): Promise<readonly string[]> {
  const [groups, mounts, namespaces, links, rules, supervisors] = await Promise.all([
    cgroups(),
    lines(readFile('/proc/self/mountinfo', 'utf8')),
    readdirOrNone('/run/netns'),
    readdirOrNone('/sys/class/net'),
    packetRules(),
    conmons(),
  ]);
  return [
    ...groups,
    ...mounts.map((line) => `mount ${line.split(' ')[4]}`),
    ...namespaces.map((name) => `network namespace ${name}`),
    ...links.filter((name) => name.startsWith('veth')).map((name) => `link ${name}`),
    ...rules.map((rule) => `rule ${rule}`),
    ...supervisors,
  ];
}

async function cgroups(): Promise<readonly string[]> {
  const hierarchies = await readdirOrNone('/sys/fs/cgroup');
  const found: string[] = [];
  for (const root of ['', ...hierarchies.map((name) => `/${name}`)]) {
    const path = `/sys/fs/cgroup${root}/mesos`;
    for (const name of await readdirOrNone(path))
      if (!name.includes('.') && !['tasks', 'notify_on_release'].includes(name))
        found.push(`cgroup ${path}/${name}`);
  }
  return found;
}

/** Those of one container: chains and rules that all of them share are made once and stay, as the bridge does. */
async function packetRules(): Promise<readonly string[]> {
  try {
    const { stdout } = await run('nft', ['--stateless', 'list', 'ruleset']);
    return stdout.split('\n').filter((line) => /CNI-(?:DN-|SN-|[0-9a-f]{20})/.test(line));
  } catch {
    // Without the program there are no rules of ours either.
    return [];
  }
}

async function conmons(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    try {
      const [program, ...vector] = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
      const id = vector.find((word) => word.startsWith('--cid='));
      if (program?.endsWith('/conmon') === true) found.push(`conmon ${id ?? pid}`);
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

async function readdirOrNone(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch {
    // There is no such place on this host.
    return [];
  }
}

async function lines(text: Promise<string>): Promise<readonly string[]> {
  return (await text).split('\n').filter((line) => line !== '');
}
