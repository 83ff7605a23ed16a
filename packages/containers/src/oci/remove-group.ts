/**
 * Removes a container's group from every hierarchy, with what was made below it. Processes that ended a moment ago may
 * still be counted by the kernel; then it is tried again for a bounded time.
 */

import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Pauses between attempts double up to this; all of them last about two seconds. */
const PAUSE_MS_MAX = 100;
const ATTEMPTS = 26;

/** True when none of these directories is there any more; false when something keeps one. */
export async function removeGroups(
  directories: readonly string[],
  attempts = ATTEMPTS,
): Promise<boolean> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const gone = await Promise.all(directories.map(removeTree));
    if (gone.every(Boolean)) return true;
    await delay(Math.min(PAUSE_MS_MAX, 2 ** attempt));
  }
  return false;
}

/** One attempt. A group has no files of its own that would have to be removed: only groups below it. */
async function removeTree(directory: string): Promise<boolean> {
  if (await isRemoved(directory)) return true;
  const below = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const item of below) if (item.isDirectory()) await removeTree(join(directory, item.name));
  return await isRemoved(directory);
}

async function isRemoved(directory: string): Promise<boolean> {
  try {
    await rmdir(directory);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return true;
    if (code === 'EBUSY' || code === 'ENOTEMPTY') return false;
    throw error;
  }
}
