/** Making a directory where somebody else may be making things at the same time. */

import { mkdir } from 'node:fs/promises';

/** False when something is there already, be it a directory, a file or a link. */
export async function madeDirectory(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}
