/** A host in memory as its probe tells of it: a machine that is fit, and what is installed there. */

import { createHash } from 'node:crypto';
import type { FakeHost } from './fake-host.ts';

const PORTS_OF: Readonly<Record<string, readonly number[]>> = {
  'dcos-zookeeper': [2181],
  'dcos-mesos-master': [5050],
  'dcos-mesos-dns': [53, 8123],
  'dcos-marathon': [8080],
  'dcos-adminrouter': [80],
  'dcos-mesos-slave': [5051],
  'dcos-mesos-slave-public': [5051],
};
const FITTING = [
  'os.id\tdebian',
  'architecture\tx86_64',
  'user\t0',
  'systemd\t252',
  'memory.kib\t8000000',
  'disk.kib\t40000000',
  'disk\t/\t/\t80000000\t40000000\t',
  'cgroups\t2',
  'name.resolves\tit',
  ...[
    'systemctl',
    'journalctl',
    'tar',
    'sha256sum',
    'timeout',
    'bash',
    'systemd-socket-activate',
  ].map((name) => `program\t${name}`),
];

/** What `probe.sh` prints there. */
export function factsText(host: FakeHost): string {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const lines = [
    ...FITTING,
    `machine\t${host.place.name}`,
    `address\t${host.place.address}`,
    ...(host.hasJava ? ['program\tjava'] : []),
    ...(host.active === undefined ? [] : [`release.active\t${host.active}`]),
    ...(host.former === undefined ? [] : [`release.former\t${host.former}`]),
    ...[...host.releases].map((hash) => `release\t${hash}`),
    ...[...host.files].map(
      ([path, { text, mode }]) => `file\t${sha256(text)}\t${mode.toString(8)}\t${path}`,
    ),
    ...[...host.units].map(([name, { active, isEnabled, restarts, fingerprint }]) =>
      [
        'unit',
        name,
        active,
        isEnabled ? 'enabled' : 'disabled',
        restarts,
        active === 'active' ? fingerprint : '',
      ].join('\t'),
    ),
    ...[...host.units].flatMap(([name, { active }]) =>
      active === 'active' ? (PORTS_OF[name] ?? []).map((port) => `port\t${port.toString(16)}`) : [],
    ),
    `clock\t${Math.floor(Date.now() / 1000)}`,
    'end\tyes',
  ];
  return lines.join('\n');
}
