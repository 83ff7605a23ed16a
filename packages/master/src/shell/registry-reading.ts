/** The registry as it is read after the election: all of it, once, within the time that it may take. */

import { durationText, OperationError, type Cancel, type Clock, type JsonValue } from '@dcos/base';
import type { Entry, Store } from '@dcos/store';
import { REGISTRY_PREFIX, type RegistryEntry } from '../core/index.ts';

export interface RegistryReading {
  readonly entries: readonly RegistryEntry[];
  /** Bytes of each value. */
  readonly sizes: readonly { readonly key: string; readonly bytes: number }[];
  readonly tookMs: number;
}

/** Reads it. Throws `REGISTRY_FETCH_TIMEOUT`, `REGISTRY_UNREADABLE`, `STORE_*`. */
export async function readRegistry(
  store: Store,
  clock: Clock,
  timeoutMs: number,
): Promise<RegistryReading> {
  const since = clock.monotonicMs();
  const stored = await within(clock, timeoutMs, store.list(REGISTRY_PREFIX));
  return {
    entries: stored.map(entryOf),
    sizes: stored.map(({ key, value }) => ({ key, bytes: value.byteLength })),
    tookMs: clock.monotonicMs() - since,
  };
}

/** The result, or an error when it takes too long. */
async function within<T>(clock: Clock, timeoutMs: number, result: Promise<T>): Promise<T> {
  let cancel: Cancel = () => undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = clock.setTimer(timeoutMs, () =>
      reject(
        new OperationError(
          'REGISTRY_FETCH_TIMEOUT',
          `the registry could not be read within ${durationText(timeoutMs)}`,
        ),
      ),
    );
  });
  try {
    return await Promise.race([result, late]);
  } finally {
    cancel();
  }
}

function entryOf({ key, value }: Entry): RegistryEntry {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(value);
    return { key, value: JSON.parse(text) as JsonValue };
  } catch (error) {
    throw new OperationError('REGISTRY_UNREADABLE', `the registry's ${key} cannot be read`, {
      cause: error,
    });
  }
}
