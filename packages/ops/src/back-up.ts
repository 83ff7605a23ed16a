/** Backup and restore as a whole: from one place into a file, and from a file into another place. */

import type { Logger } from '@dcos/base';
import { readBackup, writeBackup, type Backup } from './backup-file.ts';
import { restoreInto, type RestoreProgress } from './restore.ts';
import { snapshotOf } from './snapshot.ts';
import { openReaders, openTargets } from './stores.ts';

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
export async function backUp(place: string, file: string, logger: Logger): Promise<BackupFacts> {
  const createdAt = new Date().toISOString();
  const readers = await openReaders(place, logger);
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

/** Puts a file into an empty place, whose components must not run yet. */
export async function restore(
  file: string,
  place: string,
  { logger, progress }: { readonly logger: Logger; readonly progress?: RestoreProgress },
): Promise<BackupFacts> {
  // All of it is checked before anything is touched.
  const backup: Backup = await readBackup(file);
  const parts = await openTargets(place, logger);
  try {
    await restoreInto(parts, backup, progress);
  } finally {
    for (const { store } of parts) await store.close();
  }
  const { createdAt, entries, sha256 } = backup;
  return { file, entries: entries.length, createdAt, sha256 };
}
