/**
 * Bytes that a directory takes on its disk, as `du -x` counts them: blocks of files and directories, hard links once,
 * links not followed, other file systems left out. Nothing that a task does to its files meanwhile makes it fail.
 */

import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stats } from 'node:fs';

/** A block of `stat`, whatever the file system's own size. */
const BLOCK_BYTES = 512;
/** Files that are looked at together: as many as Node has threads for that, twice. */
const TOGETHER = 8;

export interface DiskUsage {
  readonly bytes: number;
  /** False when there were more files than are looked at: it is at least so much then. */
  readonly isComplete: boolean;
}

export interface DiskUsageOptions {
  /** Files and directories that are looked at. */
  readonly entriesMax: number;
  readonly signal?: AbortSignal;
}

/** Looks at everything below a path; nothing is there when the path is not. */
export async function diskUsage(
  path: string,
  { entriesMax, signal }: DiskUsageOptions,
): Promise<DiskUsage> {
  const top = await statOf(path);
  if (top === undefined) return { bytes: 0, isComplete: true };
  let bytes = top.blocks * BLOCK_BYTES;
  let left = entriesMax;
  const linked = new Set<number>();
  const directories = top.isDirectory() ? [path] : [];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    for await (const names of namesIn(directory)) {
      signal?.throwIfAborted();
      left -= names.length;
      if (left < 0) return { bytes, isComplete: false };
      const paths = names.map((name) => join(directory ?? path, name));
      for (const [index, stats] of (await Promise.all(paths.map(statOf))).entries()) {
        if (stats === undefined || stats.dev !== top.dev) continue;
        if (stats.isDirectory()) directories.push(paths[index] ?? path);
        else if (stats.nlink > 1) {
          if (linked.has(stats.ino)) continue;
          linked.add(stats.ino);
        }
        bytes += stats.blocks * BLOCK_BYTES;
      }
    }
  }
  return { bytes, isComplete: true };
}

/** Names in a directory, a few at a time; none when it is gone or no directory any more. */
async function* namesIn(path: string): AsyncGenerator<readonly string[]> {
  let names: string[] = [];
  try {
    for await (const { name } of await opendir(path)) {
      names.push(name);
      if (names.length < TOGETHER) continue;
      yield names;
      names = [];
    }
  } catch (error) {
    if (!isGone(error)) throw error;
  }
  if (names.length > 0) yield names;
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

const GONE: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && GONE.has(error.code);
}
