/**
 * Keeps a sandbox file below a size: what is in it moves to `<name>.1`, older pieces to `<name>.2` and so on, the oldest
 * goes. The writer has the file open for appending and goes on writing to it, so its content is copied and the file
 * cut to nothing; what is written in the very moment of the cut is lost.
 *
 * The sandbox is the task's, which may have put anything there: links are not followed, nothing but a plain file is
 * touched, and new files are made where none was.
 */

import { constants } from 'node:fs';
import { lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';

const CHUNK_BYTES = 256 * 1024;
/** The writer may be faster than we copy; it is not chased for ever. */
const PASSES_MAX = 8;

export interface RotationLimits {
  /** Size at which a file is rotated. */
  readonly bytesMax: number;
  /** Older pieces that are kept. */
  readonly filesMax: number;
}

/** Rotates the file when it is too big. True when it did. */
export async function rotateOutput(path: string, limits: RotationLimits): Promise<boolean> {
  if (!(await isTooBig(path, limits))) return false;
  const source = await open(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await source.stat();
    // It may have been replaced since it was looked at.
    if (!stats.isFile()) return false;
    const { uid, gid, mode } = stats;
    if (limits.filesMax > 0) {
      const next = `${path}.next`;
      await rm(next, { recursive: true, force: true });
      const target = await open(next, 'wx', mode & 0o777);
      try {
        await copyAll(source, target);
        await target.chown(uid, gid);
      } finally {
        await target.close();
      }
      await source.truncate(0);
      await shift(path, limits.filesMax);
      await rename(next, `${path}.1`);
    } else await source.truncate(0);
  } finally {
    await source.close();
  }
  return true;
}

async function isTooBig(path: string, { bytesMax }: RotationLimits): Promise<boolean> {
  try {
    const stats = await lstat(path);
    return stats.isFile() && stats.size > bytesMax;
  } catch (error) {
    // A task may delete its output, or has written none.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

async function copyAll(source: FileHandle, target: FileHandle): Promise<void> {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let position = 0;
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    const { size } = await source.stat();
    if (size <= position) return;
    while (position < size) {
      const { bytesRead } = await source.read(buffer, 0, CHUNK_BYTES, position);
      if (bytesRead === 0) return;
      await target.write(buffer, 0, bytesRead);
      position += bytesRead;
    }
  }
}

/** Moves each older piece one number up; the last one goes. */
async function shift(path: string, filesMax: number): Promise<void> {
  await rm(`${path}.${filesMax}`, { recursive: true, force: true });
  for (let number = filesMax - 1; number >= 1; number--) {
    try {
      await rename(`${path}.${number}`, `${path}.${number + 1}`);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
}
