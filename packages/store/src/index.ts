export * from './memory-store.ts';
export { guardProcess, type GuardedAddress } from './process-guard.ts';
export * from './sqlite-store.ts';
export type {
  Change,
  CommitOptions,
  ElectOptions,
  Entry,
  Leader,
  Lease,
  Store,
  Unwatch,
  Write,
} from './store.ts';
export { BATCH_WRITES_MAX, KEY_LENGTH_MAX, VALUE_BYTES_MAX } from './store.ts';
export { parseZooKeeperAddress, type ZooKeeperAddress } from './core/zookeeper/index.ts';
export {
  awaitZooKeeperStore,
  openZooKeeperStore,
  type AwaitedStore,
  type ZooKeeperStoreOptions,
} from './zookeeper/zookeeper-store.ts';
export type { Transport as ZooKeeperTransport } from './zookeeper/transport.ts';
export type { ElectionLayout } from './zookeeper/candidates.ts';
export {
  detectMaster,
  masterElectionLayout,
  mastersOf,
  shownMasters,
  type FollowedMaster,
  type MasterAddress,
  type MasterDetectorOptions,
} from './zookeeper/detector.ts';
