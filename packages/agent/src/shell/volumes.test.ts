import {
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { temporaryDirectory } from '@dcos/testkit';
import type { Resource } from '@dcos/wire';
import { destroyVolumes, hostPathProblem, linkVolumes, volumePath } from './volumes.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let workDir: string;
let sandbox: string;

beforeEach(() => {
  directory = temporaryDirectory('volumes');
  workDir = join(directory.path, 'work');
  sandbox = join(directory.path, 'sandbox');
  mkdirSync(sandbox);
});
afterEach(() => directory.remove());

function volume(id: string, place: string, more: NonNullable<Resource['disk']> = {}): Resource {
  return {
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: 10 },
    reservations: [{ type: 'DYNAMIC', role: 'eng/dev' }],
    disk: { ...more, persistence: { id }, volume: { mode: 'RW', container_path: place } },
  };
}

const link = (...volumes: readonly Resource[]): Promise<void> =>
  linkVolumes(workDir, sandbox, volumes, undefined);

test('a volume appears in the sandbox, and is there again in the next one', async () => {
  await link(volume('v', 'data/files'));
  expect(readlinkSync(join(sandbox, 'data/files'))).toBe(
    join(workDir, 'volumes/roles/eng dev', 'v'),
  );
  writeFileSync(join(sandbox, 'data/files/kept'), 'x');
  sandbox = join(directory.path, 'next');
  mkdirSync(sandbox);
  await link(volume('v', 'data'));
  expect(readdirSync(join(sandbox, 'data'))).toEqual(['kept']);
});

describe('a place is refused', () => {
  test.each(['', '.', '/etc', '../out', 'a/../../out'])(
    "'%s': not in the sandbox",
    async (place) => {
      await expect(link(volume('v', place))).rejects.toThrow('must lie in the sandbox');
    },
  );

  test('where something is', async () => {
    await expect(link(volume('v', 'a'), volume('w', 'a/'))).rejects.toThrow('already');
  });

  test.each([
    ['below another volume', ['a', 'a/b/c']],
    ['above another volume', ['a/b/c', 'a']],
  ])('%s, where the owner of the one would decide what the other is', async (_what, places) => {
    const [first = '', second = ''] = places;
    // A task that had the volume before left this behind.
    const left = volumePath(workDir, volume('v', 'a'));
    mkdirSync(left, { recursive: true });
    symlinkSync(directory.path, join(left, 'b'));
    await expect(link(volume('v', first), volume('w', second))).rejects.toThrow('another volume');
    expect(existsSync(join(directory.path, 'c'))).toBe(false);
  });

  test('an id that is no name of a directory', async () => {
    await expect(link(volume('../v', 'a'))).rejects.toThrow('persistence id');
  });
});

test('a destroyed volume is gone, of a mount its contents; twice is harmless', async () => {
  const root = join(directory.path, 'mount');
  mkdirSync(root);
  const mounted = volume('m', 'm', { source: { type: 'MOUNT', mount: { root } } });
  const plain = volume('v', 'v');
  await link(mounted, plain);
  for (const place of ['m', 'v']) writeFileSync(join(sandbox, place, 'file'), 'x');
  for (const _again of [1, 2]) await destroyVolumes(workDir, [mounted, plain]);
  expect(readdirSync(root)).toEqual([]);
  expect(existsSync(volumePath(workDir, plain))).toBe(false);
});

describe('host paths', () => {
  test.each([
    ['/data', ['/'], true],
    ['/data', ['/data'], true],
    ['/data/more/not/there', ['/data'], true],
    ['/data', ['/data/'], true],
    ['/database', ['/data'], false],
    ['/data/../etc', ['/data'], false],
    ['/etc', [], false],
    ['in/the/sandbox', [], true],
  ])('%s with %j', async (path, allowed, isAllowed) => {
    const volume = { mode: 'RW', host_path: path, container_path: 'a' } as const;
    const problem = await hostPathProblem([volume], allowed);
    expect(problem === undefined).toBe(isAllowed);
  });

  test('a link counts as where it leads', async () => {
    symlinkSync('/etc', join(sandbox, 'link'));
    const volume = { mode: 'RW', container_path: 'a' } as const;
    const source = { type: 'HOST_PATH', host_path: { path: join(sandbox, 'link') } } as const;
    expect(await hostPathProblem([{ ...volume, source }], [sandbox])).toContain('is not among');
  });
});
