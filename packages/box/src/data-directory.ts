/**
 * The folder that holds all state of a box. It carries the version of its layout, and one box at a time
 * uses it: the lock is an SQLite lock, which the operating system drops with the process, however it dies.
 */

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { OperationError } from '@dcos/base';

/** Version of the layout; a folder of another version is left alone. */
export const LAYOUT_VERSION = 1;
const VERSION_FILE = 'box.json';
const LOCK_FILE = 'lock.db';

export interface DataDirectory {
  readonly path: string;
  readonly clusterId: string;
  readonly stateFile: string;
  readonly logFile: string;
  agentDirectory(name: string): string;
  /** Lets the next box in. Idempotent. */
  unlock(): void;
}

interface BoxFile {
  readonly layoutVersion: number;
  readonly clusterId: string;
}

/**
 * Opens the folder, or makes it. Throws `DATA_DIRECTORY_VERSION`, `DATA_DIRECTORY_FOREIGN` or
 * `DATA_DIRECTORY_IN_USE`, and then has changed nothing.
 * @param fresh removes what an earlier box left, never what is not ours.
 * @param beforeRemoval is called with the folder, locked, before anything is removed.
 */
export async function openDataDirectory(
  path: string,
  options: {
    readonly fresh: boolean;
    readonly newClusterId: string;
    readonly beforeRemoval: (path: string) => Promise<void>;
  },
): Promise<DataDirectory> {
  const directory = resolve(path);
  const found = readBoxFile(directory);
  if (found === undefined && existsSync(directory) && readdirSync(directory).length > 0) {
    throw new OperationError(
      'DATA_DIRECTORY_FOREIGN',
      `${directory} is not empty and no box made it; name another folder with --data-dir`,
    );
  }
  if (found !== undefined && found.layoutVersion !== LAYOUT_VERSION && !options.fresh) {
    throw new OperationError(
      'DATA_DIRECTORY_VERSION',
      `${directory} was made by another version of the box (layout ${found.layoutVersion}, this one reads ${LAYOUT_VERSION}); name another folder with --data-dir, or empty this one with --fresh`,
    );
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const unlock = lock(directory);
  let clusterId = found?.clusterId;
  if (options.fresh && found !== undefined) {
    await options.beforeRemoval(directory);
    for (const entry of readdirSync(directory)) {
      if (!entry.startsWith(LOCK_FILE))
        rmSync(join(directory, entry), { recursive: true, force: true });
    }
    clusterId = undefined;
  }
  if (clusterId === undefined) {
    clusterId = options.newClusterId;
    writeBoxFile(directory, { layoutVersion: LAYOUT_VERSION, clusterId });
  }
  return {
    path: directory,
    clusterId,
    stateFile: join(directory, 'state.db'),
    logFile: join(directory, 'logs', 'box.log'),
    agentDirectory: (name) => join(directory, 'agents', name),
    unlock,
  };
}

function readBoxFile(directory: string): BoxFile | undefined {
  const file = join(directory, VERSION_FILE);
  if (!existsSync(file)) return undefined;
  try {
    const json = JSON.parse(readFileSync(file, 'utf8')) as Partial<BoxFile>;
    if (typeof json.layoutVersion === 'number' && typeof json.clusterId === 'string') {
      return { layoutVersion: json.layoutVersion, clusterId: json.clusterId };
    }
  } catch (error) {
    throw new OperationError(
      'DATA_DIRECTORY_FOREIGN',
      `${file} cannot be read; restore it or remove the folder`,
      { cause: error },
    );
  }
  throw new OperationError(
    'DATA_DIRECTORY_FOREIGN',
    `${file} is not the file of a box; name another folder with --data-dir`,
  );
}

function writeBoxFile(directory: string, content: BoxFile): void {
  const file = join(directory, VERSION_FILE);
  writeFileSync(`${file}.new`, `${JSON.stringify(content, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

function lock(directory: string): () => void {
  const database = new DatabaseSync(join(directory, LOCK_FILE));
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    throw new OperationError(
      'DATA_DIRECTORY_IN_USE',
      `another box uses ${directory}; stop it, or name another folder with --data-dir`,
      {
        cause: error,
      },
    );
  }
  return () => {
    if (database.isOpen) database.close();
  };
}
