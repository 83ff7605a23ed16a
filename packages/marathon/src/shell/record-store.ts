/** Reads and writes the core's records in the store: JSON as UTF-8, every batch atomic. */

import type { JsonValue } from '@dcos/base';
import { BATCH_WRITES_MAX, type Lease, type Store, type Write } from '@dcos/store';
import { readRecord, RECORD_PREFIX, type RecordWrite, type StoredRecord } from '../core/index.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** All records that this version of the program knows. */
export async function loadRecords(store: Store): Promise<StoredRecord[]> {
  const entries = await store.list(RECORD_PREFIX);
  return entries.flatMap(({ key, value }) => {
    const record = readRecord(key, JSON.parse(decoder.decode(value)) as JsonValue);
    return record === undefined ? [] : [record];
  });
}

/**
 * Writes a batch under the leader's lease. A batch above the store's bound is written in parts, in order:
 * each part is atomic, and nothing is made known before the last is durable.
 */
export async function commitRecords(
  store: Store,
  lease: Lease,
  records: readonly RecordWrite[],
): Promise<void> {
  const writes = records.map(({ key, value }): Write =>
    value === undefined
      ? { kind: 'delete', key }
      : { kind: 'put', key, value: encoder.encode(JSON.stringify(value)) },
  );
  for (let from = 0; from < writes.length; from += BATCH_WRITES_MAX) {
    await store.commit(writes.slice(from, from + BATCH_WRITES_MAX), { lease });
  }
}
