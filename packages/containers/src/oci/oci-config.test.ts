import { describe, expect, test } from 'vitest';
import type { ContainerInfo } from '@dcos/wire';
import type { ContainerSpec } from '../runtime.ts';
import { configText, ociConfig, type OciHost } from './oci-config.ts';

const HOST: OciHost = {
  rootPath: '/state/c1/root',
  user: { uid: 0, gid: 0 },
  initPath: '/usr/bin/tini-static',
  cgroupsPath: '/mesos/c1',
  cgroupVersion: 1,
  cgroups: { hasCpuQuota: false, hasSwapLimit: false, pidsMax: 100 },
  names: {},
  network: 'host',
  processor: 'x64',
};
const IMAGE: Partial<OciHost> = {
  image: { Entrypoint: ['/start'], Env: ['A=image', 'B=image'], WorkingDir: '/work' },
  overlay: { lowerdirs: ['/l/1', '/l/0'], upperdir: '/u', workdir: '/w' },
};
const SPEC: ContainerSpec = {
  id: 'c1',
  sandboxPath: '/sandbox',
  command: { value: 'run' },
  environment: { A: 'task' },
  cpus: 1,
  memoryBytes: 0,
};

const withInfo = (info: Omit<ContainerInfo, 'type'>): ContainerSpec => ({
  ...SPEC,
  container: { type: 'MESOS', ...info },
});

test('a command runs below a first process, on the file system of the host', () => {
  const { process, mounts, linux, root } = ociConfig(SPEC, HOST);
  expect(process).toMatchObject({
    args: ['/usr/bin/tini-static', '-g', '--', '/bin/sh', '-c', 'run'],
    cwd: '/sandbox',
    env: ['A=task'],
    noNewPrivileges: true,
    terminal: false,
  });
  expect(root).toEqual({ path: '/state/c1/root', readonly: false });
  expect(mounts.map(({ destination }) => destination)).toEqual(['/', '/dev', '/proc']);
  expect(mounts[0]?.options).toContain('rslave');
  expect(linux.namespaces).toEqual([{ type: 'mount' }, { type: 'pid' }]);
});

test('at a terminal the first process is silent, so that all output is the one of the task', () => {
  const { process } = ociConfig(withInfo({ tty_info: {} }), HOST);
  expect(process).toMatchObject({ terminal: true, env: ['A=task', 'TINI_VERBOSITY=0'] });
});

test('with an image the root is an overlay, and the sandbox is mounted', () => {
  const { process, mounts, linux } = ociConfig(SPEC, { ...HOST, ...IMAGE });
  expect(process).toMatchObject({
    args: ['/dev/init', '-g', '--', '/bin/sh', '-c', 'run'],
    cwd: '/work',
    env: [expect.stringMatching(/^PATH=/), 'A=task', 'B=image'],
  });
  expect(mounts[0]).toEqual({
    destination: '/',
    type: 'overlay',
    source: 'overlay',
    options: ['lowerdir=/l/1:/l/0', 'upperdir=/u', 'workdir=/w'],
  });
  expect(mounts).toContainEqual({
    destination: '/mnt/mesos/sandbox',
    type: 'bind',
    source: '/sandbox',
    options: ['bind', 'rprivate', 'rw'],
  });
  expect(linux.namespaces.map(({ type }) => type)).toEqual(['mount', 'pid', 'ipc', 'cgroup']);
});

test.each<
  [what: string, info: Omit<ContainerInfo, 'type'>, more: Partial<OciHost>, names: string[]]
>([
  ['shared processes', { linux_info: { share_pid_namespace: true } }, {}, ['mount']],
  ['private ipc', { linux_info: { ipc_mode: 'PRIVATE' } }, {}, ['mount', 'pid', 'ipc']],
  ['a network', {}, { network: 'private' }, ['mount', 'pid', 'network', 'uts']],
  [
    'a parent',
    {},
    { network: { pid: 7 }, parent: { pid: 7 } },
    ['mount', 'pid', 'ipc:/proc/7/ns/ipc', 'network:/proc/7/ns/net', 'uts:/proc/7/ns/uts'],
  ],
  [
    'the processes of a parent',
    { linux_info: { share_pid_namespace: true, ipc_mode: 'PRIVATE' } },
    { parent: { pid: 7 } },
    ['mount', 'pid:/proc/7/ns/pid', 'ipc'],
  ],
])('namespaces with %s', (_what, info, more, names) => {
  const { linux } = ociConfig(withInfo(info), { ...HOST, ...more });
  const found = linux.namespaces.map(({ type, path }) =>
    path === undefined ? type : `${type}:${path}`,
  );
  expect(found).toEqual(names);
});

describe('capabilities', () => {
  const held = (info: Omit<ContainerInfo, 'type'>, uid: number): readonly string[] =>
    ociConfig(withInfo(info), { ...HOST, user: { uid, gid: uid } }).process.capabilities.effective;
  const net = { capabilities: ['NET_ADMIN'] } as const;

  test.each<[what: string, info: Omit<ContainerInfo, 'type'>, uid: number, count: number]>([
    ['root has the default set', {}, 0, 14],
    ['another account has none', {}, 1000, 0],
    ['what is asked for is had', { linux_info: { effective_capabilities: net } }, 1000, 1],
    ['the older name means the same', { linux_info: { capability_info: net } }, 0, 1],
    ['the bounding set is the most', { linux_info: { bounding_capabilities: net } }, 0, 1],
  ])('%s', (_what, info, uid, count) => {
    expect(held(info, uid)).toHaveLength(count);
  });

  test('what is not in the bounding set cannot be effective', () => {
    const linux_info = {
      bounding_capabilities: { capabilities: [] },
      effective_capabilities: net,
    };
    expect(() => held({ linux_info }, 0)).toThrow('CAP_NET_ADMIN');
  });
});

describe('seccomp', () => {
  const refusedBy = (info: Omit<ContainerInfo, 'type'>): readonly string[] =>
    (ociConfig(withInfo(info), HOST).linux.seccomp?.syscalls ?? []).flatMap(({ names }) => names);

  test('mounts are refused, unless the capability for them is there', () => {
    expect(refusedBy({})).toEqual(expect.arrayContaining(['mount', 'bpf', 'clone3']));
    const capable = {
      linux_info: { effective_capabilities: { capabilities: ['SYS_ADMIN' as const] } },
    };
    expect(refusedBy(capable)).not.toContain('mount');
    expect(refusedBy(capable)).toContain('bpf');
  });

  test('it can be lifted', () => {
    expect(refusedBy({ linux_info: { seccomp: { unconfined: true } } })).toEqual([]);
  });
});

test('limits are written as the kernel names them', () => {
  const config = ociConfig(
    withInfo({
      rlimit_info: {
        rlimits: [{ type: 'RLMT_NOFILE', soft: 1, hard: 2 }, { type: 'RLMT_CORE' }],
      },
    }),
    HOST,
  );
  const written = configText(config);
  expect(written).toContain('{"type":"RLIMIT_NOFILE","soft":1,"hard":2}');
  expect(written).toContain(
    '{"type":"RLIMIT_CORE","soft":18446744073709551615,"hard":18446744073709551615}',
  );
});

test("a user's text cannot pass for a limit", () => {
  const value = '"soft":-1,"hard":-1';
  const { process } = JSON.parse(configText(ociConfig({ ...SPEC, command: { value } }, HOST))) as {
    readonly process: { readonly args: readonly string[] };
  };
  expect(process.args.at(-1)).toBe(value);
});

test('volumes are mounted, relative ones in the sandbox', () => {
  const { mounts } = ociConfig(
    {
      parentSandboxPath: '/parent',
      ...withInfo({
        volumes: [
          { mode: 'RO', host_path: '/data', container_path: '/mnt/data' },
          { mode: 'RW', host_path: '/data', container_path: 'data' },
          { mode: 'RW', host_path: 'own', container_path: 'other' },
          {
            mode: 'RO',
            container_path: 'late',
            source: {
              type: 'HOST_PATH',
              host_path: { path: '/srv', mount_propagation: { mode: 'HOST_TO_CONTAINER' } },
            },
          },
          {
            mode: 'RW',
            container_path: 'shared',
            source: { type: 'SANDBOX_PATH', sandbox_path: { type: 'PARENT', path: 'pod' } },
          },
        ],
      }),
    },
    HOST,
  );
  expect(
    mounts
      .slice(-5)
      .map(({ source, destination, options: [, ...how] }) => [source, destination, ...how]),
  ).toEqual([
    ['/data', '/mnt/data', 'rprivate', 'ro'],
    ['/data', '/sandbox/data', 'rprivate', 'rw'],
    ['/sandbox/own', '/sandbox/other', 'rprivate', 'rw'],
    ['/srv', '/sandbox/late', 'rslave', 'ro'],
    ['/parent/pod', '/sandbox/shared', 'rprivate', 'rw'],
  ]);
});

test.each<[message: string, info: Omit<ContainerInfo, 'type'>]>([
  ['leads out', { volumes: [{ mode: 'RW', host_path: '/a', container_path: '../up' }] }],
  ['leads out', { volumes: [{ mode: 'RW', host_path: 'x/../../up', container_path: 'a' }] }],
  ['only host paths', { volumes: [{ mode: 'RW', container_path: 'a' }] }],
  [
    'exclude each other',
    {
      volumes: [
        {
          mode: 'RW',
          host_path: '/a',
          container_path: 'a',
          image: { type: 'DOCKER', docker: { name: 'b' } },
        },
      ],
    },
  ],
  [
    'cannot be propagated to the host',
    {
      volumes: [
        {
          mode: 'RW',
          container_path: 'a',
          source: {
            type: 'HOST_PATH',
            host_path: { path: '/a', mount_propagation: { mode: 'BIDIRECTIONAL' } },
          },
        },
      ],
    },
  ],
  [
    'no parent',
    {
      volumes: [
        {
          mode: 'RW',
          container_path: 'a',
          source: { type: 'SANDBOX_PATH', sandbox_path: { type: 'PARENT', path: 'b' } },
        },
      ],
    },
  ],
  [
    'RLMT_CPU: the soft limit',
    { rlimit_info: { rlimits: [{ type: 'RLMT_CPU', soft: 2, hard: 1 }] } },
  ],
  ['both hard and soft', { rlimit_info: { rlimits: [{ type: 'RLMT_CPU', soft: 2 }] } }],
  ["no resource limit 'UNKNOWN'", { rlimit_info: { rlimits: [{}] } }],
  ['privileged', { docker: { image: 'a', privileged: true } }],
  ['parameters', { docker: { image: 'a', parameters: [{ key: 'a', value: 'b' }] } }],
  ['seccomp profile', { linux_info: { seccomp: { profile_name: 'mine' } } }],
])('refused: %s', (message, info) => {
  expect(() => ociConfig(withInfo(info), HOST)).toThrow(message);
});

describe('devices that the operator allows', () => {
  const fuse = { path: '/dev/fuse', type: 'c', major: 10, minor: 229, access: 'rw' } as const;
  const devices = [{ ...fuse, mode: 0o660, uid: 0, gid: 44 }];

  test('may be used after the usual ones', () => {
    const { resources } = ociConfig(SPEC, { ...HOST, devices }).linux;
    const [nothing] = resources.devices ?? [];
    expect(nothing).toEqual({ allow: false, access: 'rwm' });
    expect(resources.devices?.at(-1)).toEqual({
      allow: true,
      type: 'c',
      major: 10,
      minor: 229,
      access: 'rw',
    });
  });

  test('are made where /dev is the own one of the container', () => {
    expect(ociConfig(SPEC, { ...HOST, devices }).linux.devices).toEqual([]);
    expect(ociConfig(SPEC, { ...HOST, ...IMAGE, devices }).linux.devices).toEqual([
      { path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o660, uid: 0, gid: 44 },
    ]);
  });

  test('are none in what an earlier version kept', () => {
    const { linux } = ociConfig(SPEC, { ...HOST, ...IMAGE });
    expect(linux.devices).toEqual([]);
    expect(linux.resources.devices?.at(-1)).toMatchObject({ major: 136 });
  });
});
