/**
 * What the installer keeps of a cluster on the machine that it runs on: the configuration of the last run, logs, and a
 * lock. The lock is one of SQLite, which the operating system drops with the process, however it ends. The cluster does
 * not depend on this folder.
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
import { homedir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { OperationError } from '@dcos/base';

/** Logs that are kept for a cluster. */
const LOGS_MAX = 20;

export function installerDirectory(
  environment: Readonly<Record<string, string | undefined>>,
): string {
  return environment['DCOS_INSTALLER_DIR'] ?? join(homedir(), '.dcos-installer');
}

/** Names of the clusters that were deployed from here. */
export function knownClusters(directory: string): readonly string[] {
  if (!existsSync(join(directory, 'clusters'))) return [];
  return readdirSync(join(directory, 'clusters'))
    .filter((name) => existsSync(join(directory, 'clusters', name, 'cluster.json')))
    .sort();
}

export class ClusterFolder {
  readonly path: string;

  constructor(directory: string, name: string) {
    this.path = join(directory, 'clusters', name);
  }

  /** The configuration of the last deployment; undefined when there was none. */
  document(): unknown {
    const file = join(this.path, 'cluster.json');
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as unknown) : undefined;
  }

  keepDocument(document: unknown): void {
    const file = join(this.path, 'cluster.json');
    writeFileSync(`${file}.new`, `${JSON.stringify(document, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  forgetDocument(): void {
    rmSync(join(this.path, 'cluster.json'), { force: true });
  }

  /**
   * Keeps other runs away until it is called.
   * @throws OperationError `INSTALLER_LOCKED`
   */
  lock(): () => void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(join(this.path, 'lock.db'));
    try {
      database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    } catch (error) {
      database.close();
      throw new OperationError(
        'INSTALLER_LOCKED',
        'another run of the installer is at this cluster; wait for its end',
        { cause: error },
      );
    }
    return () => {
      if (database.isOpen) database.close();
    };
  }

  /** A new log file; the oldest of many goes. */
  newLogFile(command: string, now: Date): string {
    const folder = join(this.path, 'logs');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const old = readdirSync(folder)
      .sort()
      .reverse()
      .slice(LOGS_MAX - 1);
    for (const name of old) rmSync(join(folder, name), { force: true });
    const stamp = now.toISOString().replaceAll(/[:.]/g, '-');
    return join(folder, `${stamp}-${command}-${process.pid}.log`);
  }
}
