/** Waiting that has a bound. */

import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves with what the work gives, or with undefined when the time is up. Rejects when the work does before. */
export async function within<T>(work: Promise<T>, timeMsMax: number): Promise<T | undefined> {
  const over = new AbortController();
  const late = sleep(timeMsMax, undefined, { signal: over.signal }).catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}
