export * from './memory-store.ts';
export * from './sqlite-store.ts';
export type { Change, CommitOptions, Entry, Lease, Store, Unwatch, Write } from './store.ts';
export { BATCH_WRITES_MAX, KEY_LENGTH_MAX, VALUE_BYTES_MAX } from './store.ts';
