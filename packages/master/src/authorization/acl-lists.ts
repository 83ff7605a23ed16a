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
  /** What the master asks by; undefined for a list that only agents enforce. */
  readonly action?: Action;
  /** Key of the objects in a rule. */
  readonly field: string;
  readonly objects: ObjectKind;
}

const list = (action: Action, field: string, objects: ObjectKind): AclList => ({
  action,
  field,
  objects,
});

/** A list about what agents do; the original's masters and agents are often given the same file. */
const ofAgents = (field: string, objects: ObjectKind = 'names'): AclList => ({ field, objects });

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
  ['register_agents', list('REGISTER_AGENT', 'agents', 'all')],
  ['create_block_disks', list('CREATE_BLOCK_DISK', 'roles', 'roles')],
  ['destroy_block_disks', list('DESTROY_BLOCK_DISK', 'roles', 'roles')],
  ['create_mount_disks', list('CREATE_MOUNT_DISK', 'roles', 'roles')],
  ['destroy_mount_disks', list('DESTROY_MOUNT_DISK', 'roles', 'roles')],
  ['destroy_raw_disks', list('DESTROY_RAW_DISK', 'roles', 'roles')],
  ['get_maintenance_statuses', list('GET_MAINTENANCE_STATUS', 'machines', 'all')],
  ['access_sandboxes', ofAgents('users')],
  ['view_containers', ofAgents('users')],
  ['launch_nested_containers_as_user', ofAgents('users')],
  ['launch_nested_containers_under_parent_with_user', ofAgents('users')],
  ['launch_nested_container_sessions_as_user', ofAgents('users')],
  ['launch_nested_container_sessions_under_parent_with_user', ofAgents('users')],
  ['attach_containers_input', ofAgents('users')],
  ['attach_containers_output', ofAgents('users')],
  ['kill_nested_containers', ofAgents('users')],
  ['wait_nested_containers', ofAgents('users')],
  ['remove_nested_containers', ofAgents('users')],
  ['launch_standalone_containers', ofAgents('users')],
  ['kill_standalone_containers', ofAgents('users')],
  ['wait_standalone_containers', ofAgents('users')],
  ['remove_standalone_containers', ofAgents('users')],
  ['view_standalone_containers', ofAgents('users')],
  ['modify_resource_provider_configs', ofAgents('resource_providers', 'all')],
  ['mark_resource_providers_gone', ofAgents('resource_providers', 'all')],
  ['view_resource_providers', ofAgents('resource_providers', 'all')],
  ['prune_images', ofAgents('images', 'all')],
]);
