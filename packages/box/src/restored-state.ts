/** A box that begins with the state of another cluster, from a backup. */

import { existsSync, renameSync, rmSync } from 'node:fs';
import { OperationError, silentLogger } from '@dcos/base';
import { restore } from '@dcos/ops';

/**
 * Makes the state file from a backup: whole, or not at all. Throws `RESTORE_NOT_EMPTY` when there is one, and what
 * unreadable and damaged files are answered with.
 */
export async function restoreState(file: string, stateFile: string): Promise<number> {
  if (existsSync(stateFile))
    throw new OperationError(
      'RESTORE_NOT_EMPTY',
      `${stateFile} is there already; name a new folder with --data-dir, or empty this one with --fresh`,
    );
  const unfinished = `${stateFile}.restoring`;
  // Of a start that was killed; what it wrote is in the file still.
  for (const suffix of ['', '-wal', '-shm']) rmSync(unfinished + suffix, { force: true });
  const { entries } = await restore(file, unfinished, { logger: silentLogger });
  renameSync(unfinished, stateFile);
  return entries;
}
