/**
 * Where a fetched file goes in a sandbox. What is there already was put there by archives, or is a link to a volume,
 * whose contents other tasks have made: no link is followed, since the agent would write with its own rights wherever
 * that leads.
 */

import { lstat, mkdir, unlink } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';

/** A path below the sandbox at which nothing is; directories above it are made. Throws when the name leads elsewhere. */
export async function makeTarget(sandboxPath: string, name: string): Promise<string> {
  const target = resolve(sandboxPath, name);
  const inside = relative(sandboxPath, target);
  if (inside === '' || inside.startsWith('..') || name.startsWith('/') || name.includes('\0'))
    throw new Error(`'${name}' is no file name inside the sandbox`);
  const parts = inside.split(sep);
  let at = sandboxPath;
  for (const part of parts.slice(0, -1)) {
    at = join(at, part);
    const kind = await kindOf(at);
    if (kind === 'nothing') await mkdir(at);
    else if (kind !== 'directory')
      throw new Error(`'${name}' leads through a ${kind} of the sandbox`);
  }
  const kind = await kindOf(target);
  if (kind === 'directory') throw new Error(`there is a directory at '${name}' of the sandbox`);
  if (kind !== 'nothing') await unlink(target);
  return target;
}

async function kindOf(path: string): Promise<'nothing' | 'directory' | 'link' | 'file'> {
  try {
    const stats = await lstat(path);
    if (stats.isDirectory()) return 'directory';
    return stats.isSymbolicLink() ? 'link' : 'file';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'nothing';
    throw error;
  }
}
