import { describe, expect, test } from 'vitest';
import type { CommandInfo, ContainerInfo } from '@dcos/wire';
import type { DnsDefault } from '../container-dns.ts';
import type { ContainerSpec } from '../runtime.ts';
import { engineSpec, imageReference, type EngineSpec } from './engine-spec.ts';

/** Name servers, domains to search, options. */
type EngineDns = readonly [readonly string[], readonly string[], readonly string[]];

const docker: ContainerInfo = { type: 'DOCKER', docker: { image: 'python:3' } };

function translate(
  container: ContainerInfo,
  command: CommandInfo = { value: 'true' },
  dns?: readonly DnsDefault[],
): EngineSpec {
  const spec: ContainerSpec = {
    id: 'c1',
    sandboxPath: '/sandbox',
    command,
    container,
    environment: { A: 'b=c' },
    cpus: 0.5,
    memoryBytes: 33_554_432,
  };
  return engineSpec({ spec, owner: 'me', hostIp: '127.0.0.21', dns });
}

const withParameter = (key: string, value: string): EngineSpec =>
  translate({ type: 'DOCKER', docker: { image: 'x', parameters: [{ key, value }] } });

test('an app on the bridge gets shares, memory, labels, its sandbox and its port on the agent', () => {
  const engine = translate({
    type: 'DOCKER',
    docker: {
      image: 'python:3',
      network: 'BRIDGE',
      port_mappings: [{ host_port: 31_000, container_port: 8080 }],
    },
  });
  expect(engine).toMatchObject({
    name: 'mesos-c1',
    Image: 'python:3',
    Env: ['A=b=c'],
    Entrypoint: ['/bin/sh'],
    Cmd: ['-c', 'true'],
    Labels: { 'org.dcos.agent': 'me', 'org.dcos.container': 'c1' },
    ExposedPorts: { '8080/tcp': {} },
    HostConfig: {
      NetworkMode: 'bridge',
      CpuShares: 512,
      Memory: 33_554_432,
      Binds: ['/sandbox:/mnt/mesos/sandbox:rw'],
      PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.21', HostPort: '31000' }] },
    },
  });
});

const commands: readonly (readonly [CommandInfo, string[] | undefined])[] = [
  [{ shell: false }, undefined],
  [{ shell: false, arguments: ['a', 'b c'] }, ['a', 'b c']],
  [{ shell: false, value: 'run', arguments: ['run', 'x'] }, ['run', 'x']],
  [{ shell: false, value: 'run', arguments: ['x'] }, ['run', 'x']],
];
test.each(commands)('command %j keeps the image’s entry point', (command, expected) => {
  const engine = translate(docker, command);
  expect(engine.Entrypoint).toBeUndefined();
  expect(engine.Cmd).toEqual(expected);
});

test.each([
  ['python', 'python:latest'],
  ['python:3', 'python:3'],
  ['host:5000/team/app', 'host:5000/team/app:latest'],
  ['app@sha256:00', 'app@sha256:00'],
])('image %s is %s', (image, expected) => expect(imageReference(image)).toBe(expected));

describe('parameters', () => {
  test.each([
    [
      'ulimit',
      'nofile=1024:2048',
      { HostConfig: { Ulimits: [{ Name: 'nofile', Soft: 1024, Hard: 2048 }] } },
    ],
    ['env', 'X=1=2', { Env: ['A=b=c', 'X=1=2'] }],
    ['e', 'X=1', { Env: ['A=b=c', 'X=1'] }],
    ['hostname', 'web', { Hostname: 'web' }],
    ['label', 'team=blue', { Labels: { team: 'blue', 'org.dcos.agent': 'me' } }],
    ['label', 'org.dcos.agent=other', { Labels: { 'org.dcos.agent': 'me' } }],
    [
      'volume',
      '/a:/b:ro',
      { HostConfig: { Binds: ['/sandbox:/mnt/mesos/sandbox:rw', '/a:/b:ro'] } },
    ],
    ['cpuset-mems', '0', { HostConfig: { CpusetMems: '0' } }],
    ['memory-swappiness', '0', { HostConfig: { MemorySwappiness: 0 } }],
    ['storage-opt', 'size=5G', { HostConfig: { StorageOpt: { size: '5G' } } }],
    ['volumes-from', 'data:ro', { HostConfig: { VolumesFrom: ['data:ro'] } }],
    ['device-cgroup-rule', 'c 1:3 r', { HostConfig: { DeviceCgroupRules: ['c 1:3 r'] } }],
    ['runtime', 'runsc', { HostConfig: { Runtime: 'runsc' } }],
    ['userns', 'host', { HostConfig: { UsernsMode: 'host' } }],
    ['domainname', 'example', { Domainname: 'example' }],
    ['shm-size', '64m', { HostConfig: { ShmSize: 67_108_864 } }],
    ['memory-swap', '-1', { HostConfig: { MemorySwap: -1 } }],
    [
      'device',
      '/dev/fuse',
      { HostConfig: { Devices: [{ PathInContainer: '/dev/fuse', CgroupPermissions: 'rwm' }] } },
    ],
  ])('%s=%s', (key, value, expected) => expect(withParameter(key, value)).toMatchObject(expected));

  test.each([
    ['rm', 'true', "docker parameter 'rm' is not supported"],
    ['log-driver', 'none', "docker parameter 'log-driver' is not supported"],
    ['constructor', '', "docker parameter 'constructor' is not supported"],
    ['cpus', 'many', "docker parameter 'cpus' has the value 'many': expected a number"],
    ['init', 'maybe', 'expected true or false'],
    ['network-alias', 'web', "the network 'host' has neither aliases nor fixed addresses"],
    ['ip', '10.0.0.9', "docker parameter 'ip' has the value '10.0.0.9': the network 'host'"],
  ])('%s=%s is refused', (key, value, message) => {
    expect(() => withParameter(key, value)).toThrow(message);
  });
});

test('aliases and fixed addresses are those of a network with a name', () => {
  const parameters = [
    { key: 'network-alias', value: 'web' },
    { key: 'net-alias', value: 'www' },
    { key: 'ip', value: '10.0.0.9' },
  ];
  const { NetworkingConfig } = translate({
    type: 'DOCKER',
    docker: { image: 'x', network: 'USER', parameters },
    network_infos: [{ name: 'blue' }],
  });
  expect(NetworkingConfig).toEqual({
    EndpointsConfig: {
      blue: { Aliases: ['web', 'www'], IPAMConfig: { IPv4Address: '10.0.0.9' } },
    },
  });
});

test.each<readonly [string, ContainerInfo]>([
  ['container.docker.image is missing', { type: 'DOCKER' }],
  [
    'network USER needs exactly one entry',
    { type: 'DOCKER', docker: { image: 'x', network: 'USER' } },
  ],
  [
    'port mappings need network BRIDGE or USER, not HOST',
    {
      type: 'DOCKER',
      docker: { image: 'x', port_mappings: [{ host_port: 1, container_port: 1 }] },
    },
  ],
  [
    'must not hold a colon',
    { ...docker, volumes: [{ mode: 'RW', container_path: '/b', host_path: '/a:/etc' }] },
  ],
  [
    'no parent whose sandbox',
    {
      ...docker,
      volumes: [
        {
          mode: 'RW',
          container_path: '/b',
          source: { type: 'SANDBOX_PATH', sandbox_path: { type: 'PARENT', path: 'a' } },
        },
      ],
    },
  ],
  [
    'leads out of its root',
    { ...docker, volumes: [{ mode: 'RW', container_path: '/b', host_path: '../../up' }] },
  ],
  [
    'leads out of its root',
    { ...docker, volumes: [{ mode: 'RW', container_path: '../b', host_path: '/a' }] },
  ],
  ['volume /b: only host paths', { ...docker, volumes: [{ mode: 'RW', container_path: '/b' }] }],
])('%s', (message, container) => {
  expect(() => translate(container)).toThrow(message);
});

test('volumes are bound, relative ones inside the sandbox', () => {
  const engine = translate({
    ...docker,
    volumes: [
      { mode: 'RO', container_path: '/b', host_path: '/a' },
      { mode: 'RW', container_path: 'data', host_path: 'inside' },
    ],
  });
  expect(engine.HostConfig.Binds.slice(1)).toEqual([
    '/a:/b:ro',
    '/sandbox/inside:/mnt/mesos/sandbox/data:rw',
  ]);
});

const DNS: readonly DnsDefault[] = [
  { mode: 'USER', dns: { nameservers: ['10.0.0.1'], search: ['any'], options: [] } },
  { mode: 'USER', network: 'blue', dns: { nameservers: ['10.0.0.2'], search: [], options: [] } },
  { mode: 'BRIDGE', dns: { nameservers: ['10.0.0.3'], search: [], options: ['timeout:1'] } },
];
test.each<readonly [ContainerInfo['docker'], string | undefined, EngineDns]>([
  [{ image: 'x' }, undefined, [[], [], []]],
  [{ image: 'x', network: 'NONE' }, undefined, [[], [], []]],
  [{ image: 'x', network: 'BRIDGE' }, undefined, [['10.0.0.3'], [], ['timeout:1']]],
  [{ image: 'x', network: 'USER' }, 'blue', [['10.0.0.2'], [], []]],
  [{ image: 'x', network: 'USER' }, 'green', [['10.0.0.1'], ['any'], []]],
  [
    { image: 'x', network: 'BRIDGE', parameters: [{ key: 'dns', value: '9.9.9.9' }] },
    undefined,
    [['10.0.0.3', '9.9.9.9'], [], ['timeout:1']],
  ],
])('name servers of %j on %s', (info, name, expected) => {
  const container: ContainerInfo = {
    type: 'DOCKER',
    ...(info !== undefined && { docker: info }),
    ...(name !== undefined && { network_infos: [{ name }] }),
  };
  const { HostConfig } = translate(container, { value: 'true' }, DNS);
  expect([HostConfig.Dns, HostConfig.DnsSearch, HostConfig.DnsOptions]).toEqual(expected);
});

test('docker volumes have their own drivers, with options', () => {
  const docker_volume = { name: 'data' };
  const options = { parameter: [{ key: 'size', value: '5' }] };
  const { HostConfig } = translate({
    type: 'DOCKER',
    docker: { image: 'x', volume_driver: 'usual' },
    volumes: [
      { mode: 'RW', container_path: '/a', source: { type: 'DOCKER_VOLUME', docker_volume } },
      {
        mode: 'RO',
        container_path: 'b',
        source: {
          type: 'DOCKER_VOLUME',
          docker_volume: { name: 'fast', driver: 'rexray', driver_options: options },
        },
      },
      {
        mode: 'RW',
        container_path: '/c',
        source: {
          type: 'DOCKER_VOLUME',
          docker_volume: { name: 'small', driver_options: options },
        },
      },
    ],
  });
  expect(HostConfig.VolumeDriver).toBe('usual');
  expect(HostConfig.Binds.slice(1)).toEqual(['data:/a:rw']);
  expect(HostConfig.Mounts).toMatchObject([
    {
      Type: 'volume',
      Source: 'fast',
      Target: '/mnt/mesos/sandbox/b',
      ReadOnly: true,
      VolumeOptions: { DriverConfig: { Name: 'rexray', Options: { size: '5' } } },
    },
    { ReadOnly: false, VolumeOptions: { DriverConfig: { Name: 'usual' } } },
  ]);
});

test.each([
  ['HOST_TO_CONTAINER', '/a:/b:rw,rslave'],
  ['BIDIRECTIONAL', '/a:/b:rw,rshared'],
  ['UNKNOWN', '/a:/b:rw'],
] as const)('mounts below a volume are propagated: %s', (mode, expected) => {
  const host_path = { path: '/a', mount_propagation: { mode } };
  const source = { type: 'HOST_PATH', host_path } as const;
  const engine = translate({
    ...docker,
    volumes: [{ mode: 'RW', container_path: '/b', source }],
  });
  expect(engine.HostConfig.Binds[1]).toBe(expected);
});

test.each<readonly [string | undefined, ContainerInfo]>([
  ['host', docker],
  ['none', { type: 'DOCKER', docker: { image: 'x', network: 'NONE' } }],
  ['bridge', { type: 'DOCKER', docker: { image: 'x', network: 'BRIDGE' } }],
  [
    'overlay-1',
    {
      type: 'DOCKER',
      docker: { image: 'x', network: 'USER' },
      network_infos: [{ name: 'overlay-1' }],
    },
  ],
])('the network is %s', (mode, container) => {
  expect(translate(container).HostConfig.NetworkMode).toBe(mode);
});

test('ports may be of udp and on a network of the operator; name and privilege are passed on', () => {
  const engine = translate({
    type: 'DOCKER',
    hostname: 'web-1',
    docker: {
      image: 'x',
      network: 'USER',
      privileged: true,
      port_mappings: [
        { host_port: 31_000, container_port: 53, protocol: 'udp' },
        { host_port: 31_001, container_port: 53, protocol: 'udp' },
      ],
    },
    network_infos: [{ name: 'overlay-1' }],
  });
  expect(engine.Hostname).toBe('web-1');
  expect(engine.HostConfig).toMatchObject({
    Privileged: true,
    PortBindings: {
      '53/udp': [
        { HostIp: '127.0.0.21', HostPort: '31000' },
        { HostIp: '127.0.0.21', HostPort: '31001' },
      ],
    },
  });
});

test('GPUs are devices of the host', () => {
  const spec: ContainerSpec = {
    id: 'c1',
    sandboxPath: '/sandbox',
    command: { value: 'true' },
    container: docker,
    environment: {},
    cpus: 1,
    memoryBytes: 0,
    gpus: [2],
  };
  const { HostConfig } = engineSpec({ spec, owner: 'me', hostIp: '127.0.0.1' });
  expect(HostConfig.Devices.map(({ PathInContainer }) => PathInContainer)).toEqual([
    '/dev/nvidiactl',
    '/dev/nvidia-uvm',
    '/dev/nvidia2',
  ]);
});
