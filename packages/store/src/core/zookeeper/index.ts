export { chrooted, parseZooKeeperAddress, pathProblem } from './paths.ts';
export type { ServerAddress, ZooKeeperAddress } from './paths.ts';
export type { ErrorName } from './errors.ts';
export type { Credentials, WatchEvent } from './protocol.ts';
export { failedOperation, PERMISSION } from './operations.ts';
export type {
  Acl,
  CreateMode,
  MultiOperation,
  MultiResult,
  Operation,
  Reply,
  ReplyOf,
  Stat,
} from './operations.ts';
export { ZooKeeperSession } from './session.ts';
export type { SessionEffect, SessionInput, SessionOptions, SessionState } from './session-types.ts';
export { keyOf, nodeNameOf } from './keys.ts';
export { LeaseProof } from './lease-proof.ts';
export { planCommit, planWasDone } from './commit-plan.ts';
export type { CommitPlan, NodeState, PlannedBatch, PlannedWrite } from './commit-plan.ts';
