/**
 * The question that the core asks before it does what a principal wants. The answer is immediate and
 * depends on the question only, so the core stays deterministic; who the principal is was found out by
 * the shell.
 */

/** What somebody wants to do; names are those of the original's actions. */
export type Action =
  | 'REGISTER_FRAMEWORK'
  | 'RUN_TASK'
  | 'TEARDOWN_FRAMEWORK'
  | 'RESERVE_RESOURCES'
  | 'UNRESERVE_RESOURCES'
  | 'CREATE_VOLUME'
  | 'DESTROY_VOLUME'
  | 'RESIZE_VOLUME'
  | 'CREATE_BLOCK_DISK'
  | 'DESTROY_BLOCK_DISK'
  | 'CREATE_MOUNT_DISK'
  | 'DESTROY_MOUNT_DISK'
  | 'DESTROY_RAW_DISK'
  | 'GET_QUOTA'
  | 'UPDATE_QUOTA'
  | 'VIEW_ROLE'
  | 'UPDATE_WEIGHT'
  | 'GET_ENDPOINT_WITH_PATH'
  | 'VIEW_FRAMEWORK'
  | 'VIEW_TASK'
  | 'VIEW_EXECUTOR'
  | 'ACCESS_MESOS_LOG'
  | 'VIEW_FLAGS'
  | 'SET_LOG_LEVEL'
  | 'REGISTER_AGENT'
  | 'DRAIN_AGENT'
  | 'DEACTIVATE_AGENT'
  | 'REACTIVATE_AGENT'
  | 'MARK_AGENT_GONE'
  | 'UPDATE_MAINTENANCE_SCHEDULE'
  | 'GET_MAINTENANCE_SCHEDULE'
  | 'START_MAINTENANCE'
  | 'STOP_MAINTENANCE'
  | 'GET_MAINTENANCE_STATUS'
  | 'VIEW_RESOURCE_PROVIDER';

export interface AuthorizationRequest {
  readonly action: Action;
  /** Absent for somebody who did not say who they are. */
  readonly principal?: string | undefined;
  /** A role, user, principal, path, ... by the action; absent asks about any. */
  readonly object?: string | undefined;
}

export interface Authorizer {
  allows(request: AuthorizationRequest): boolean;
  /** True when it is allowed for every object there may be; false when that depends, or is not known. */
  allowsEvery(request: Omit<AuthorizationRequest, 'object'>): boolean;
}

/** Lets everybody do everything: a cluster without access control lists. */
export const PERMISSIVE: Authorizer = { allows: () => true, allowsEvery: () => true };
