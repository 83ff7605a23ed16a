/**
 * Disks beside that of the work directory: PATH is a directory on some file system, made where it is missing; MOUNT
 * is a file system of its own, which must be mounted. BLOCK and RAW come from resource providers only.
 * Source: the original's rules for `disk.source` of an agent's resources.
 */

import { mkdir, readFile, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errorText, OperationError } from '@dcos/base';
import type { Resource } from '@dcos/wire';
import { MOUNT_TABLE, parseMountTable } from './mount-table.ts';

/** The directory of a disk with a source; undefined for the disk of the work directory. */
export function diskRoot(workDir: string, { disk }: Resource): string | undefined {
  const source = disk?.source;
  const root = source?.type === 'MOUNT' ? source.mount?.root : source?.path?.root;
  return root === undefined ? undefined : resolve(workDir, root);
}

/**
 * Makes sure that the disks are there. Throws DISK_UNUSABLE with the disk's directory.
 * @param mountPoints those of this machine unless a test says otherwise; undefined where they cannot be known.
 */
export async function prepareDisks(
  workDir: string,
  resources: readonly Resource[],
  mountPoints: () => Promise<ReadonlySet<string> | undefined> = mountPointsOfMachine,
): Promise<void> {
  const disks = resources.filter(({ disk }) => disk?.source !== undefined);
  if (disks.length === 0) return;
  const mounted = await mountPoints();
  for (const resource of disks) {
    const type = resource.disk?.source?.type;
    const root = diskRoot(workDir, resource);
    if (type !== 'PATH' && type !== 'MOUNT')
      throw unusable(`disks of type ${type ?? 'UNKNOWN'} need a resource provider`);
    // The original has no root where a provider made the disk; there are none here.
    if (root === undefined) throw unusable(`a disk of type ${type} needs a root`);
    if (type === 'PATH') await makePath(root);
    else await checkMount(root, mounted);
  }
}

async function makePath(root: string): Promise<void> {
  try {
    await mkdir(root, { recursive: true });
  } catch (error) {
    throw unusable(`the directory '${root}' of a PATH disk cannot be made: ${errorText(error)}`);
  }
}

async function checkMount(root: string, mounted: ReadonlySet<string> | undefined): Promise<void> {
  let real: string;
  try {
    real = await realpath(root);
  } catch (error) {
    throw unusable(`the root '${root}' of a MOUNT disk cannot be used: ${errorText(error)}`);
  }
  if (mounted !== undefined && !mounted.has(real))
    throw unusable(`nothing is mounted at the root '${root}' of a MOUNT disk`);
}

function unusable(problem: string): OperationError {
  return new OperationError('DISK_UNUSABLE', problem);
}

async function mountPointsOfMachine(): Promise<ReadonlySet<string> | undefined> {
  try {
    return parseMountPoints(await readFile(MOUNT_TABLE, 'utf8'));
  } catch (error) {
    // Only Linux has such a table.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Every place at which something is mounted. */
export function parseMountPoints(table: string): ReadonlySet<string> {
  return new Set(parseMountTable(table).map(({ point }) => point));
}
