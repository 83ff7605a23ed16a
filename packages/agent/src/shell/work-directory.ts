/**
 * The agent's work directory: made when it is missing, and used by one agent at a time. The lock is an SQLite
 * lock, which the operating system drops with the process, however it dies.
 */

import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { OperationError } from '@dcos/base';

const LOCK_FILE = 'lock.db';

export interface WorkDirectory {
  /** Without links. */
  readonly path: string;
  /** Lets the next agent in. Idempotent. */
  unlock(): void;
}

/** Opens it. Throws WORK_DIRECTORY_UNUSABLE or WORK_DIRECTORY_IN_USE, and then nothing was touched. */
export async function openWorkDirectory(directory: string): Promise<WorkDirectory> {
  let database: DatabaseSync;
  let path: string;
  try {
    await mkdir(directory, { recursive: true });
    path = await realpath(directory);
    database = new DatabaseSync(join(path, LOCK_FILE));
  } catch (error) {
    throw new OperationError(
      'WORK_DIRECTORY_UNUSABLE',
      `the agent cannot write to its work directory ${directory}; name another one, or give it the right to`,
      { details: { path: directory }, cause: error },
    );
  }
  try {
    // Nothing is ever written: with its journal in memory the lock needs no room on a full disk.
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    const isBusy = error instanceof Error && /locked|busy/i.test(error.message);
    throw new OperationError(
      isBusy ? 'WORK_DIRECTORY_IN_USE' : 'WORK_DIRECTORY_UNUSABLE',
      isBusy
        ? `another agent uses the work directory ${path}; stop it, or name another one`
        : `the agent cannot lock its work directory ${path}`,
      { details: { path }, cause: error },
    );
  }
  return {
    path,
    unlock() {
      if (database.isOpen) database.close();
    },
  };
}
