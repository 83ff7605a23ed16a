import { describe, expect, test } from 'vitest';
import type { ContainerInfo } from '@dcos/wire';
import { addressesOf, networkOf, resolverOf } from './cni.ts';
import { networksOf } from './networks.ts';
import { hostsText } from './name-files.ts';
import { groupIn, userIn } from './users.ts';
import { lastError } from './conmon.ts';

const docker = (
  network: 'HOST' | 'BRIDGE' | 'NONE' | 'USER',
  more: object = {},
): ContainerInfo => ({
  type: 'DOCKER',
  docker: { image: 'a', network, ...more },
});
const PORT = { host_port: 1, container_port: 2, protocol: 'UDP' };
const MAPPED = { hostPort: 1, containerPort: 2, protocol: 'udp' };

test.each<[what: string, container: ContainerInfo | undefined, names: readonly string[] | 'host']>([
  ['nothing', undefined, 'host'],
  ['a network without a name', { type: 'MESOS', network_infos: [{}] }, 'host'],
  ['HOST', docker('HOST'), 'host'],
  ['NONE', docker('NONE'), []],
  ['BRIDGE', docker('BRIDGE'), ['mesos-bridge']],
  ['USER', { ...docker('USER'), network_infos: [{ name: 'a' }] }, ['a']],
  ['names', { type: 'MESOS', network_infos: [{ name: 'a' }, { name: 'b' }] }, ['a', 'b']],
])('%s', (_what, container, names) => {
  const wanted = networksOf(container);
  expect(wanted.kind === 'host' ? 'host' : wanted.networks.map(({ name }) => name)).toEqual(names);
});

test('ports are mapped to the network that has them', () => {
  expect(networksOf(docker('BRIDGE', { port_mappings: [PORT] }))).toEqual({
    kind: 'private',
    networks: [{ name: 'mesos-bridge', interfaceName: 'eth0', ports: [MAPPED] }],
  });
  expect(
    networksOf({
      type: 'MESOS',
      network_infos: [{ name: 'a' }, { name: 'b', port_mappings: [PORT] }],
    }),
  ).toEqual({
    kind: 'private',
    networks: [
      { name: 'a', interfaceName: 'eth0', ports: [] },
      { name: 'b', interfaceName: 'eth1', ports: [MAPPED] },
    ],
  });
});

test.each<[message: string, container: ContainerInfo]>([
  ['port mappings need network BRIDGE or USER', docker('HOST', { port_mappings: [PORT] })],
  ['a network with a name', { type: 'MESOS', network_infos: [{ port_mappings: [PORT] }] }],
  ['needs a name', docker('USER')],
  ['named twice', { type: 'MESOS', network_infos: [{ name: 'a' }, { name: 'a' }] }],
  ["protocol 'sctp'", docker('BRIDGE', { port_mappings: [{ ...PORT, protocol: 'sctp' }] })],
])('refused: %s', (message, container) => {
  expect(() => networksOf(container)).toThrow(message);
});

describe('descriptions of networks', () => {
  test('a list, and a single plug-in', () => {
    expect(networkOf('{"name":"a","cniVersion":"1.0.0","plugins":[{"type":"b"}]}')).toEqual({
      name: 'a',
      cniVersion: '1.0.0',
      plugins: [{ type: 'b' }],
    });
    expect(networkOf('{"name":"a","type":"b","mtu":1}').plugins).toEqual([
      { name: 'a', type: 'b', mtu: 1 },
    ]);
  });

  test.each([
    '{',
    '{}',
    '{"name":"a"}',
    '{"name":"a","type":"../sh"}',
    '{"name":"a","plugins":[]}',
  ])('refused: %s', (text) => {
    expect(() => networkOf(text)).toThrow();
  });

  test('addresses of either form of answer', () => {
    expect(addressesOf({ ips: [{ address: '10.0.0.2/24' }, { address: 'fd::2/64' }] })).toEqual([
      '10.0.0.2',
      'fd::2',
    ]);
    expect(addressesOf({ ip4: { ip: '10.0.0.2/24' } })).toEqual(['10.0.0.2']);
    expect(addressesOf({})).toEqual([]);
  });
});

test('name servers of a network', () => {
  const dns = { nameservers: ['10.0.0.1'], domain: 'a', search: ['a', 'b'], options: ['ndots:2'] };
  expect(resolverOf({ dns })).toEqual([
    'domain a',
    'search a b',
    'nameserver 10.0.0.1',
    'options ndots:2',
  ]);
  expect(resolverOf({})).toEqual([]);
});

test('a name belongs to the addresses of its container', () => {
  expect(hostsText('web', ['10.0.0.2', '10.0.0.3'])).toMatch(
    /10\.0\.0\.2\tweb\n10\.0\.0\.3\tweb\n$/,
  );
  expect(hostsText('web', [])).toMatch(/127\.0\.0\.1\tweb\n$/);
});

const PASSWD = 'root:x:0:0::/:/bin/sh\nworker:x:12:34::/:/bin/sh\nbroken\n';

test.each([
  ['worker', { uid: 12, gid: 34 }],
  ['12', { uid: 12, gid: 34 }],
  ['99', { uid: 99, gid: 0 }],
  ['nobody', undefined],
  ['broken', undefined],
])('the account %s of an image', (user, account) => {
  expect(userIn(PASSWD, user)).toEqual(account);
});

test.each([
  ['staff', 50],
  ['50', 50],
  ['60', 60],
  ['none', undefined],
])('the group %s of an image', (group, gid) => {
  expect(groupIn('staff:x:50:\n', group)).toBe(gid);
});

test('the last error of a log is what went wrong', () => {
  const log = [
    '{"level":"warning","msg":"a","time":"t"}',
    '{"level":"error","msg":"b \\"c\\"","time":"t"}',
    '{"level":"info","msg":"d","time":"t"}',
  ].join('\n');
  expect(lastError(log)).toBe('b "c"');
  expect(lastError('')).toBeUndefined();
});
