import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Resource, Resource_DiskInfo_Source } from '@dcos/wire';
import { parseMountPoints, prepareDisks } from './disk-sources.ts';

let workDir = '';
beforeEach(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'dcos-disks-'));
});
afterEach(async () => await rm(workDir, { recursive: true, force: true }));

function disk(source: Resource_DiskInfo_Source): Resource {
  return { name: 'disk', type: 'SCALAR', scalar: { value: 10 }, disk: { source } };
}

test('a PATH disk is made, relative to the work directory', async () => {
  await prepareDisks(workDir, [disk({ type: 'PATH', path: { root: 'fast/disk' } })]);
  expect((await stat(join(workDir, 'fast/disk'))).isDirectory()).toBe(true);
});

test('a MOUNT disk must be mounted', async () => {
  const root = join(workDir, 'volume0');
  const mount = disk({ type: 'MOUNT', mount: { root } });
  const mounted = async (): Promise<ReadonlySet<string>> => new Set([root]);
  await expect(prepareDisks(workDir, [mount], mounted)).rejects.toThrow('cannot be used: ENOENT');
  await mkdir(root);
  await expect(prepareDisks(workDir, [mount])).rejects.toThrow(`nothing is mounted at the root`);
  await prepareDisks(workDir, [mount], mounted);
});

test.each<[Resource_DiskInfo_Source, string]>([
  [{ type: 'RAW' }, 'disks of type RAW need a resource provider'],
  [{ type: 'PATH', path: {} }, 'a disk of type PATH needs a root'],
  [{ type: 'PATH', path: { root: 'file/below' } }, 'cannot be made: ENOTDIR'],
])('%j is refused', async (source, message) => {
  await writeFile(join(workDir, 'file'), '');
  await expect(prepareDisks(workDir, [disk(source)])).rejects.toThrow(message);
});

test('mount points with spaces are read', () => {
  const table = '36 35 98:0 / /mnt rw - ext3 /dev/root rw\n37 35 98:0 / /a\\040b rw - x y z\n';
  expect(parseMountPoints(table)).toEqual(new Set(['/mnt', '/a b']));
});
