/**
 * Hosts that are not fit, each for another reason: all are named by one run, and nothing is installed. The installer
 * comes by SSH as a user who is root by sudo only, with a password and without.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dockerImage, sshKeyPair, temporaryDirectory } from '@dcos/testkit';
import { HOST_IMAGE, removeOrphans } from '../engine.ts';
import { HostNetwork } from '../host-network.ts';
import { Host } from '../host.ts';
import { runInstaller, saidBy, type InstallerRun } from './installer-run.ts';

const facility = dockerImage(HOST_IMAGE);
const USER = 'dan';
const PASSWORD = 'correct horse';
const NAMES = ['port', 'package', 'clock', 'disk', 'sudo', 'twin', 'away'] as const;

const directory = temporaryDirectory('installer-preflight');
const config = join(directory.path, 'cluster.yaml');
const hosts = new Map<string, Host>();
let network: HostNetwork;
/** Another address of the host `twin`. */
let secondAddress = '';

const host = (name: (typeof NAMES)[number]): Host => {
  const found = hosts.get(name);
  if (found === undefined) throw new Error(`no host ${name}`);
  return found;
};
const run = async (words: readonly string[], password = PASSWORD): Promise<InstallerRun> =>
  await runInstaller(words, {
    directory: directory.path,
    config,
    environment: { SUDO_PASSWORD: password },
  });

function writeConfig(
  lists: { readonly masters: readonly string[]; readonly privateAgents: readonly string[] },
  ssh: Readonly<Record<string, unknown>> = {},
): void {
  const document = {
    name: 'preflight',
    provider: 'ssh',
    ssh: { user: USER, keyFile: join(directory.path, 'key'), ...ssh },
    hosts: lists,
    privateAgentResources: 'cpus:2;mem:1024;disk:1024;ports:[31000-31999]',
  };
  // YAML is a superset of JSON.
  writeFileSync(config, JSON.stringify(document));
}

/** Lets the owner of a key in as a user who is nobody yet. */
async function opensDoor(one: Host, publicKey: string): Promise<void> {
  await one.opensDoor(publicKey);
  await one.does('useradd', '--create-home', '--shell', '/bin/bash', USER);
  await one.does('sh', '-c', `echo '${USER}:${PASSWORD}' | chpasswd`);
  await one.does('cp', '-r', '/root/.ssh', `/home/${USER}/.ssh`);
  await one.does('chown', '-R', `${USER}:`, `/home/${USER}/.ssh`);
}

const letsSudo = async (one: Host, tag: 'PASSWD' | 'NOPASSWD'): Promise<void> => {
  await one.writes({ [`/etc/sudoers.d/${USER}`]: `${USER} ALL=(ALL:ALL) ${tag}: ALL\n` });
};

const faultsOf = ({ events }: InstallerRun): readonly string[] =>
  events
    .filter(({ event }) => event === 'preflight.failed')
    .map(
      (fault) => `${String(fault['host'])}: ${String(fault['check'])}: ${String(fault['reason'])}`,
    )
    .sort();

async function seedFaults(): Promise<void> {
  const squat = ['--quiet', '--unit=squatter', 'python3', '-m', 'http.server', '5050'];
  await host('port').does('systemd-run', ...squat);
  const java = ['default-jre-headless', 'openjdk-17-jre-headless'];
  await host('package').does('dpkg', '--remove', '--force-depends', ...java);
  const clock = '#!/bin/sh\nexec faketime -f +1h /usr/bin/date "$@"\n';
  await host('clock').writes({ '/usr/local/sbin/date': clock });
  await host('clock').does('chmod', '755', '/usr/local/sbin/date');
  await host('disk').does('mount', '-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', '/opt');
  await host('disk').dropsPackets(host('port').address, true, [2181]);
  await host('sudo').does('rm', `/etc/sudoers.d/${USER}`);
  await host('away').does('systemctl', 'stop', 'ssh');
  secondAddress = network.nextAddress();
  await host('twin').does('ip', 'address', 'add', `${secondAddress}/24`, 'dev', 'eth0');
}

describe.skipIf(!facility.available)(`hosts that are not fit${facility.note}`, () => {
  beforeAll(async () => {
    await removeOrphans();
    network = await HostNetwork.create('preflight');
    const booted = await Promise.all(
      NAMES.map(async (name) => await Host.boot(network, { name, mounts: {} })),
    );
    for (const one of booted) hosts.set(one.name, one);
    const { publicKey } = sshKeyPair(directory.path, 'key');
    await Promise.all(
      booted.map(async (one) => {
        await opensDoor(one, publicKey);
        await letsSudo(one, 'NOPASSWD');
      }),
    );
    await seedFaults();
  });
  afterAll(async () => {
    await Promise.all([...hosts.values()].map(async (one) => await one.isRemoved()));
    await network?.isRemoved();
    directory.remove();
  });

  test('one run names what is wrong with each, and installs nothing', async () => {
    writeConfig({
      masters: [host('port').address, host('package').address, host('clock').address],
      privateAgents: [
        host('disk').address,
        host('sudo').address,
        host('twin').address,
        secondAddress,
        host('away').address,
      ],
    });
    const refused = await run(['deploy']);
    expect(refused.code, saidBy(refused)).toBe(4);
    const address = (name: (typeof NAMES)[number]): string => host(name).address;
    const patterns = [
      `${address('port')}: ports: port 5050 of dcos-mesos-master is in use`,
      `${address('package')}: packages: its packages cannot be fetched: .+`,
      `${address('clock')}: clock: 3[56]\\d\\d s ahead of this machine`,
      `${address('disk')}: disk: 64 MiB free at /opt`,
      `${address('disk')}: connection: it does not reach ${address('port')} at port 2181: no answer`,
      `${address('sudo')}: root: .*sudo refuses: .*password is required`,
      `${secondAddress}: address: it is the same machine as ${address('twin')}: both .*`,
    ];
    const found = faultsOf(refused);
    for (const pattern of patterns)
      expect(found).toContainEqual(expect.stringMatching(new RegExp(`^${pattern}$`)));
    expect(found, saidBy(refused)).toHaveLength(patterns.length);
    const unreachable = refused.events.filter(({ event }) => event === 'host.unreachable');
    expect(unreachable.map((event) => event['host'])).toEqual([address('away')]);
    // Not even the mark of its cluster: the next one may have other hosts.
    const look = 'ls /opt; ls -d /var/lib/dcos || systemctl list-units --plain --no-legend "dcos*"';
    for (const one of hosts.values()) {
      const left = await one.does('sh', '-c', `{ ${look}; } 2>/dev/null`);
      expect(left, one.name).toBe('');
    }
  });

  test('a wrong password of sudo is named', async () => {
    await letsSudo(host('clock'), 'PASSWD');
    writeConfig(
      { masters: [host('clock').address], privateAgents: [host('twin').address] },
      { sudoPassword: 'env:SUDO_PASSWORD' },
    );
    await host('clock').does('rm', '/usr/local/sbin/date');
    const refused = await run(['deploy'], 'wrong');
    expect(refused.code, saidBy(refused)).toBe(4);
    expect(faultsOf(refused)).toEqual([
      expect.stringMatching(`^${host('clock').address}: root: .*the password is wrong$`),
    ]);
  });

  test('a cluster is made by way of sudo, which asks on one host and not on the other', async () => {
    const made = await run(['deploy']);
    expect(made.code, saidBy(made)).toBe(0);
    const status = await run(['status']);
    expect(status.code, saidBy(status)).toBe(0);
    const gone = await run(['destroy', '--yes']);
    expect(gone.code, saidBy(gone)).toBe(0);
    expect(
      await host('clock').does('sh', '-c', 'ls /opt /etc/dcos 2>/dev/null || true'),
    ).not.toContain('dcos');
  });
});
