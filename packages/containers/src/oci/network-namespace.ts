/**
 * Keeps a container's network namespace beyond its last process, for plug-ins that undo their work by what they find
 * in it: a mount on a file in the container's directory. It is undone when the container is removed, also after a
 * crash; after a reboot it is gone.
 */

import { statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from './run-tool.ts';

/** What `statfs` calls the file system of namespaces. */
const NSFS_MAGIC = 0x6e_73_66_73;
const FILE = 'netns';

/** Keeps the namespace of a process. Resolves with its path. */
export async function keepNamespace(directory: string, pid: number): Promise<string> {
  const path = join(directory, FILE);
  await writeFile(path, '');
  await runTool('/bin/mount', ['--bind', `/proc/${pid}/ns/net`, path]);
  return path;
}

/** The path of a namespace that is kept; undefined when there is none. */
export async function keptNamespace(directory: string): Promise<string | undefined> {
  const path = join(directory, FILE);
  try {
    return (await statfs(path)).type === NSFS_MAGIC ? path : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Lets it go. */
export async function dropNamespace(directory: string): Promise<void> {
  const path = await keptNamespace(directory);
  if (path !== undefined) await runTool('/bin/umount', [path]);
}
