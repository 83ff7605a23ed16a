/** Backup and restore as a whole: from one place into a file, and from a file into another place. */

import { readBackup, writeBackup, type Backup } from './backup-file.ts';
import { restoreInto, type RestoreProgress } from './restore.ts';
import { snapshotOf } from './snapshot.ts';
import { openReaders, openTargets, type PlaceOptions } from './stores.ts';

export interface BackupFacts {
  readonly file: string;
  readonly entries: number;
  readonly createdAt: string;
  readonly sha256: string;
}

/**
 * Writes what a cluster holds into a file; the cluster may run meanwhile. Each component's state is of one moment, which
 * are moments apart; components reconcile with one another as after any failover.
 */
export async function backUp(
  place: string,
  file: string,
  options: PlaceOptions,
): Promise<BackupFacts> {
  const createdAt = new Date().toISOString();
  const readers = await openReaders(place, options);
  try {
    const parts = [];
    for (const { store } of readers) parts.push(await snapshotOf(store));
    const entries = parts.flat();
    const sha256 = await writeBackup(file, { createdAt, entries });
    return { file, entries: entries.length, createdAt, sha256 };
  } finally {
    for (const reader of readers) await reader.close();
  }
}

export interface RestoreOptions extends PlaceOptions {
  readonly progress?: RestoreProgress;
  /** Whether what is there goes; without it a place that has state is refused. */
  readonly replaces?: boolean;
}

/** Puts a file into a place whose components must not run meanwhile. */
export async function restore(
  file: string,
  place: string,
  options: RestoreOptions,
): Promise<BackupFacts> {
  // All of it is checked before anything is touched.
  const backup: Backup = await readBackup(file);
  const parts = await openTargets(place, options);
  try {
    await restoreInto(parts, backup, options);
  } finally {
    for (const { store } of parts) await store.close();
  }
  const { createdAt, entries, sha256 } = backup;
  return { file, entries: entries.length, createdAt, sha256 };
}
