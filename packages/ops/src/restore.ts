/**
 * Puts a backup into empty stores. A restore that was interrupted goes on when the same file is restored again: a mark
 * says that one is under way, and which.
 *
 * Invariant: a store that has anything but a part of this very backup is left as it is, unless it is to be replaced.
 */

import { OperationError } from '@dcos/base';
import type { Write } from '@dcos/store';
import type { Backup } from './backup-file.ts';
import type { StorePart } from './stores.ts';

const MARK_KEY = 'ops/restore';
/** Bytes of one batch at most: a packet of ZooKeeper has room for them. */
const BATCH_BYTES_MAX = 512 * 1024;
const BATCH_ENTRIES_MAX = 500;

/** Tells how far it is. */
export type RestoreProgress = (done: number, all: number) => void;

export interface RestoreIntoOptions {
  readonly progress?: RestoreProgress;
  /** Whether what is there goes. */
  readonly replaces?: boolean;
}

/** Throws `RESTORE_NOT_EMPTY`, `RESTORE_NO_PLACE`, and what stores throw. */
export async function restoreInto(
  parts: readonly StorePart[],
  backup: Backup,
  { progress = () => undefined, replaces = false }: RestoreIntoOptions = {},
): Promise<void> {
  const homeless = backup.entries.find(({ key }) => !parts.some((part) => part.holds(key)));
  if (homeless !== undefined)
    throw new OperationError(
      'RESTORE_NO_PLACE',
      `there is no place for ${homeless.key}; the backup is of a newer version`,
    );
  if (!replaces) for (const part of parts) await checkIsFree(part, backup);
  const mark = new TextEncoder().encode(backup.sha256);
  let done = 0;
  for (const { store, holds } of parts) {
    await store.commit([{ kind: 'put', key: MARK_KEY, value: mark }]);
    if (replaces) await clear(store);
    for (const batch of batchesOf(backup.entries.filter(({ key }) => holds(key)))) {
      await store.commit(batch);
      done += batch.length;
      progress(done, backup.entries.length);
    }
  }
  // Only now is it whole.
  for (const { store } of parts) await store.commit([{ kind: 'delete', key: MARK_KEY }]);
}

/** Nothing is left but the mark. */
async function clear(store: StorePart['store']): Promise<void> {
  const keys = (await store.list('')).map(({ key }) => key).filter((key) => key !== MARK_KEY);
  for (let start = 0; start < keys.length; start += BATCH_ENTRIES_MAX) {
    const batch = keys.slice(start, start + BATCH_ENTRIES_MAX);
    await store.commit(batch.map((key) => ({ kind: 'delete', key })));
  }
}

async function checkIsFree({ store, name }: StorePart, backup: Backup): Promise<void> {
  const [first] = await store.list('');
  if (first === undefined) return;
  const mark = await store.get(MARK_KEY);
  if (mark !== undefined && new TextDecoder().decode(mark.value) === backup.sha256) return;
  throw new OperationError(
    'RESTORE_NOT_EMPTY',
    mark === undefined
      ? `${name} has state already; a backup is restored into an empty place only`
      : `${name} has a part of another backup, whose restore was interrupted: restore that one, or empty it`,
  );
}

function* batchesOf(entries: Backup['entries']): Generator<readonly Write[]> {
  let batch: Write[] = [];
  let bytes = 0;
  for (const { key, value } of entries) {
    const size = key.length + value.length;
    if (batch.length > 0 && (bytes + size > BATCH_BYTES_MAX || batch.length >= BATCH_ENTRIES_MAX)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push({ kind: 'put', key, value });
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
