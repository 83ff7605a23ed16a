/**
 * The lists that an access control file may have, the action that each decides, and what its objects are.
 * Names are the original's.
 */

import type { Action } from '../core/authorization.ts';

/**
 * - `roles`: names, and `eng/%` for everything below `eng`;
 * - `names`: plain values;
 * - `all`: the action is about everything of its kind, so only ANY and NONE have a meaning.
 */
export type ObjectKind = 'roles' | 'names' | 'all';

export interface AclList {
  readonly action: Action;
  /** Key of the objects in a rule. */
  readonly field: string;
  readonly objects: ObjectKind;
}

const list = (action: Action, field: string, objects: ObjectKind): AclList => ({
  action,
  field,
  objects,
});

/** By the name of the list. */
export const ACL_LISTS: ReadonlyMap<string, AclList> = new Map([
  ['register_frameworks', list('REGISTER_FRAMEWORK', 'roles', 'roles')],
  ['run_tasks', list('RUN_TASK', 'users', 'names')],
  ['teardown_frameworks', list('TEARDOWN_FRAMEWORK', 'framework_principals', 'names')],
  ['reserve_resources', list('RESERVE_RESOURCES', 'roles', 'roles')],
  ['unreserve_resources', list('UNRESERVE_RESOURCES', 'reserver_principals', 'names')],
  ['create_volumes', list('CREATE_VOLUME', 'roles', 'roles')],
  ['destroy_volumes', list('DESTROY_VOLUME', 'creator_principals', 'names')],
  ['resize_volumes', list('RESIZE_VOLUME', 'roles', 'roles')],
  ['get_quotas', list('GET_QUOTA', 'roles', 'roles')],
  ['update_quotas', list('UPDATE_QUOTA', 'roles', 'roles')],
  ['view_roles', list('VIEW_ROLE', 'roles', 'roles')],
  ['update_weights', list('UPDATE_WEIGHT', 'roles', 'roles')],
  ['get_endpoints', list('GET_ENDPOINT_WITH_PATH', 'paths', 'names')],
  ['view_frameworks', list('VIEW_FRAMEWORK', 'users', 'names')],
  ['view_tasks', list('VIEW_TASK', 'users', 'names')],
  ['view_executors', list('VIEW_EXECUTOR', 'users', 'names')],
  ['access_mesos_logs', list('ACCESS_MESOS_LOG', 'logs', 'all')],
  ['view_flags', list('VIEW_FLAGS', 'flags', 'all')],
  ['set_log_level', list('SET_LOG_LEVEL', 'level', 'all')],
  ['drain_agents', list('DRAIN_AGENT', 'agents', 'all')],
  ['deactivate_agents', list('DEACTIVATE_AGENT', 'agents', 'all')],
  ['reactivate_agents', list('REACTIVATE_AGENT', 'agents', 'all')],
  ['mark_agents_gone', list('MARK_AGENT_GONE', 'agents', 'all')],
  ['update_maintenance_schedules', list('UPDATE_MAINTENANCE_SCHEDULE', 'machines', 'all')],
  ['get_maintenance_schedules', list('GET_MAINTENANCE_SCHEDULE', 'machines', 'all')],
  ['start_maintenances', list('START_MAINTENANCE', 'machines', 'all')],
  ['stop_maintenances', list('STOP_MAINTENANCE', 'machines', 'all')],
  ['get_maintenance_statuses', list('GET_MAINTENANCE_STATUS', 'machines', 'all')],
]);
