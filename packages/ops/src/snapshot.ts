/** All that a store holds, as it was at one moment, while others go on writing. */

import { OperationError } from '@dcos/base';
import type { Entry, Store } from '@dcos/store';

/** How often it is tried to read everything without a change in between. */
const ATTEMPTS_MAX = 50;

/**
 * Reads everything twice until both readings are the same: what is the same at the end of the first and at the
 * beginning of the second was so at the moment between. Throws `BACKUP_UNSETTLED` when there is no such moment.
 */
export async function snapshotOf(store: Pick<Store, 'list'>): Promise<readonly Entry[]> {
  let before = await store.list('');
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const now = await store.list('');
    if (isSame(before, now)) return now;
    before = now;
  }
  throw new OperationError(
    'BACKUP_UNSETTLED',
    'the state changes faster than it can be read; try again when there is less going on',
    { retry: 'later' },
  );
}

/** Values too: a key that was deleted and made anew has the version that it had before. */
function isSame(left: readonly Entry[], right: readonly Entry[]): boolean {
  return (
    left.length === right.length &&
    left.every((entry, index) => {
      const other = right[index];
      return (
        other !== undefined &&
        entry.key === other.key &&
        entry.version === other.version &&
        Buffer.compare(entry.value, other.value) === 0
      );
    })
  );
}
