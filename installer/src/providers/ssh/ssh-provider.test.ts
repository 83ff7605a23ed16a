/** Whose hosts are: none is marked before it has to be, none is taken from another cluster, a silent one is no free one. */

import { join } from 'node:path';
import { OperationError } from '@dcos/base';
import { temporaryDirectory } from '@dcos/testkit';
import { afterAll, expect, test } from 'vitest';
import type { HostPlace } from '../../core/cluster.ts';
import type { HostConnection, RunResult } from '../../hosts/connection.ts';
import { HostRegister } from './host-register.ts';
import { SshProvider } from './ssh-provider.ts';

const folder = temporaryDirectory('ssh-provider');
afterAll(() => folder.remove());

const HOSTS: readonly HostPlace[] = [
  { name: '10.0.0.1', role: 'master', address: '10.0.0.1' },
  { name: '10.0.0.2', role: 'master', address: '10.0.0.2' },
  { name: '10.0.0.3', role: 'private', address: '10.0.0.3' },
];

/** Hosts that hold nothing but the mark of their cluster, and listeners of a preflight. */
class MarkedHosts {
  /** By address. */
  readonly marks = new Map<string, string>();
  readonly silent = new Set<string>();
  readonly listening = new Set<string>();

  connect(address: string): HostConnection {
    return {
      run: async (argv) => await Promise.resolve(this.#run(address, argv)),
      upload: async () => await Promise.reject(new Error('nothing is sent')),
      close: async () => await Promise.resolve(),
    };
  }

  /** The words of `host-claim.ts`: a sixth one is a mark to put where there is none. */
  #run(address: string, argv: readonly string[]): RunResult {
    const mark = argv[5];
    if (this.silent.has(address)) throw new OperationError('HOST_UNREACHABLE', 'no answer');
    if (argv.join(' ') === 'systemctl stop dcos-preflight-*.service')
      this.listening.delete(address);
    if (mark !== undefined && !this.marks.has(address)) this.marks.set(address, mark);
    return { code: 0, stdout: this.marks.get(address) ?? '', stderr: '' };
  }
}

let registers = 0;

function providerOf(hosts: MarkedHosts, cluster = 'demo'): SshProvider {
  registers += 1;
  return new SshProvider({
    cluster,
    hosts: HOSTS,
    targetOf: ({ address }) => ({
      host: address,
      port: 22,
      user: 'root',
      proof: {},
      bastions: [],
      hostKeys: { file: join(folder.path, 'known_hosts'), pinsFirst: true },
    }),
    connect: ({ host }) => hosts.connect(host),
    register: new HostRegister(join(folder.path, `${registers}.json`)),
    parallelMax: 10,
  });
}

async function claimAll(provider: SshProvider): Promise<string> {
  const { clusterId, claim } = await provider.ensure();
  await claim?.(() => undefined);
  return clusterId;
}

test('a host is marked when it is claimed, not before, and the cluster is known by it again', async () => {
  const hosts = new MarkedHosts();
  expect(await providerOf(hosts).changes()).toHaveLength(3);
  await providerOf(hosts).ensure();
  expect(hosts.marks).toEqual(new Map());
  expect(await providerOf(hosts).existing()).toBeUndefined();

  const clusterId = await claimAll(providerOf(hosts));
  expect([...hosts.marks.keys()]).toEqual(HOSTS.map(({ address }) => address));
  expect(await claimAll(providerOf(hosts))).toBe(clusterId);
  expect(await providerOf(hosts).changes()).toEqual([]);
});

test('where no host is marked, one that is silent is looked past, and not claimed past', async () => {
  const hosts = new MarkedHosts();
  hosts.silent.add('10.0.0.2');
  const provider = providerOf(hosts);
  expect(await provider.changes()).toHaveLength(2);
  const { hosts: found } = await provider.ensure();
  expect(found.map(({ address }) => address)).toEqual(HOSTS.map(({ address }) => address));
  await expect(claimAll(provider)).rejects.toMatchObject({
    code: 'HOST_UNREACHABLE',
    message: expect.stringMatching(/^10\.0\.0\.2: no answer\n.*all have to answer/) as unknown,
  });
  expect(hosts.marks).toEqual(new Map());
});

test('a silent host of a cluster holds up no other', async () => {
  const hosts = new MarkedHosts();
  const clusterId = await claimAll(providerOf(hosts));
  hosts.silent.add('10.0.0.2');
  hosts.marks.delete('10.0.0.3');
  expect(await claimAll(providerOf(hosts))).toBe(clusterId);
  expect(hosts.marks.get('10.0.0.3')).toBe(hosts.marks.get('10.0.0.1'));
});

test('hosts belong to whoever marked them first', async () => {
  const hosts = new MarkedHosts();
  const { claim } = await providerOf(hosts).ensure();
  await claimAll(providerOf(hosts, 'other'));
  const marks = new Map(hosts.marks);
  const refused = { code: 'HOST_OF_ANOTHER_CLUSTER' };
  await expect(claim?.(() => undefined)).rejects.toMatchObject(refused);
  await expect(providerOf(hosts).ensure()).rejects.toMatchObject(refused);
  await expect(providerOf(hosts).destroy(() => undefined)).rejects.toMatchObject(refused);
  expect(hosts.marks).toEqual(marks);
});

test('destroyed before it was marked, no host listens for a preflight any more', async () => {
  const hosts = new MarkedHosts();
  for (const { address } of HOSTS) hosts.listening.add(address);
  await providerOf(hosts).destroy(() => undefined);
  expect(hosts.listening).toEqual(new Set());
  expect(hosts.marks).toEqual(new Map());
});

test('a host of another cluster goes on listening', async () => {
  const hosts = new MarkedHosts();
  await claimAll(providerOf(hosts, 'other'));
  for (const { address } of HOSTS) hosts.listening.add(address);
  await expect(providerOf(hosts).destroy(() => undefined)).rejects.toMatchObject({
    code: 'HOST_OF_ANOTHER_CLUSTER',
  });
  expect(hosts.listening.size).toBe(HOSTS.length);
});

test('a master that is replaced is claimed again at its place', async () => {
  const hosts = new MarkedHosts();
  const provider = providerOf(hosts);
  await claimAll(provider);
  await provider.remove(HOSTS.slice(0, 1), () => undefined);
  hosts.marks.delete('10.0.0.1');
  await claimAll(provider);
  expect([...hosts.marks.keys()]).toContain('10.0.0.1');
});
