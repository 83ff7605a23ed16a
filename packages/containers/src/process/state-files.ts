/** Small files of a container's state directory. */

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PID_FILE } from './shim.ts';

/** The text of a file; empty when there is none. */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}

/** The pid that the shim wrote down; 0 when no task was started. */
export async function taskPid(statePath: string): Promise<number> {
  return Number((await readText(join(statePath, PID_FILE))).trim());
}
