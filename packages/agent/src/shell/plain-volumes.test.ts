import { existsSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryDirectory } from '@dcos/testkit';
import type { Volume } from '@dcos/wire';
import { linkPlainVolumes, plainVolumeProblem } from './plain-volumes.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let sandbox: string;
let pod: string;

beforeEach(() => {
  directory = temporaryDirectory('plain-volumes');
  pod = join(directory.path, 'pod');
  sandbox = join(pod, 'tasks', 't');
  mkdirSync(sandbox, { recursive: true });
});
afterEach(() => directory.remove());

function volume(container_path: string, more: Partial<Volume>): Volume {
  return { mode: 'RW', container_path, ...more };
}

const hostPath = (path: string): Partial<Volume> => ({
  source: { type: 'HOST_PATH', host_path: { path } },
});

const sandboxPath = (type: 'SELF' | 'PARENT', path: string): Partial<Volume> => ({
  source: { type: 'SANDBOX_PATH', sandbox_path: { type, path } },
});

const link = (...volumes: readonly Volume[]): Promise<void> =>
  linkPlainVolumes(
    {
      id: 'c',
      sandboxPath: sandbox,
      parentSandboxPath: pod,
      command: {},
      container: { type: 'MESOS', volumes },
      environment: {},
      cpus: 0,
      memoryBytes: 0,
    },
    undefined,
  );

test.each([
  ['a host path', hostPath('/etc'), '/etc'],
  ['a host path in the old form', { host_path: '/etc' }, '/etc'],
  ['a place in the own sandbox', sandboxPath('SELF', 'a/b'), 'tasks/t/a/b'],
  ['the same in the old form', { host_path: 'a/b' }, 'tasks/t/a/b'],
  ["a place in the pod's", sandboxPath('PARENT', 'shared'), 'shared'],
])('%s is linked into the sandbox', async (_what, more, target) => {
  await link(volume('deep/place', more));
  const place = target.startsWith('/') ? target : join(pod, target);
  expect(readlinkSync(join(sandbox, 'deep/place'))).toBe(place);
  expect(existsSync(place)).toBe(true);
});

test.each<[string, Volume, RegExp]>([
  ['an absolute place', volume('/data', hostPath('/srv')), /in their sandbox only/],
  ['a place outside', volume('../x', hostPath('/srv')), /in their sandbox only/],
  ['one to be read only', { ...volume('d', hostPath('/srv')), mode: 'RO' }, /kept from writing/],
  [
    'one that is propagated',
    volume('d', {
      source: {
        type: 'HOST_PATH',
        host_path: { path: '/srv', mount_propagation: { mode: 'BIDIRECTIONAL' } },
      },
    }),
    /propagated/,
  ],
  [
    'one of a driver',
    volume('d', { source: { type: 'DOCKER_VOLUME', docker_volume: { name: 'v' } } }),
    /host paths, paths of sandboxes and secrets/,
  ],
  ['an image', volume('d', { image: { type: 'DOCKER' } }), /host paths, paths of sandboxes/],
])('%s is refused', (_what, wanted, message) => {
  expect(plainVolumeProblem([wanted])).toMatch(message);
});

test('a secret may be one, although it is read only', () => {
  const source = { type: 'SECRET', secret: { type: 'REFERENCE', reference: { name: 's' } } };
  expect(plainVolumeProblem([{ mode: 'RO', container_path: 's', source } as Volume])).toBe(
    undefined,
  );
});

test.each(['SELF', 'PARENT'] as const)('%s: links that lead out make nothing', async (type) => {
  const outside = join(directory.path, 'outside');
  mkdirSync(outside);
  symlinkSync(outside, join(type === 'SELF' ? sandbox : pod, 'trap'));
  await expect(link(volume('d', sandboxPath(type, 'trap/made')))).rejects.toThrow(/leads out/);
  await expect(link(volume('d', sandboxPath(type, '../made')))).rejects.toThrow(/leads out/);
  expect(existsSync(join(outside, 'made'))).toBe(false);
});

test('a link in the way of a volume makes nothing outside', async () => {
  const outside = join(directory.path, 'outside');
  mkdirSync(outside);
  symlinkSync(outside, join(sandbox, 'trap'));
  await expect(link(volume('trap/d', hostPath('/etc')))).rejects.toThrow(/leads out/);
  expect(existsSync(join(outside, 'd'))).toBe(false);
});

test('a file is no place for a volume', async () => {
  writeFileSync(join(pod, 'file'), '');
  await expect(link(volume('d', sandboxPath('PARENT', 'file')))).rejects.toThrow(/there is a file/);
});
