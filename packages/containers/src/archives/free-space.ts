/** Space that whoever writes much leaves to all others on a disk. */

import { statfs } from 'node:fs/promises';

/** How much is written between two looks at the free space. */
export const SPACE_CHECK_BYTES = 16 * 1024 * 1024;

/** Throws when fewer bytes would be free on the disk of that directory, after `ahead` more were written. */
export async function checkFreeSpace(
  directory: string,
  freeBytesMin: number,
  ahead = 0,
): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize - ahead < freeBytesMin)
    throw new Error(`no space left on device: less than ${freeBytesMin} bytes would be free`);
}
