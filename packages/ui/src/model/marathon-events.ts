/**
 * What Marathon's events make stale: which apps, and which lists. Pure, so that the mapping can be
 * tested event by event. Source: Marathon reference §7.
 */
import { isJsonObject } from '@dcos/base';
import type { JsonValue } from '@dcos/base';

export interface Staleness {
  /** Apps to read again one by one. */
  readonly appIds: readonly string[];
  /** The list itself changed: apps came or went. */
  readonly appList: boolean;
  readonly deployments: boolean;
  readonly queue: boolean;
}

/** Event types to subscribe to: those that change something on the screen. */
export const MARATHON_EVENT_TYPES: readonly string[] = [
  'group_change_success',
  'api_post_event',
  'deployment_info',
  'deployment_step_success',
  'deployment_step_failure',
  'deployment_success',
  'deployment_failed',
  'status_update_event',
  'instance_changed_event',
  'instance_health_changed_event',
  'health_status_changed_event',
  'unhealthy_instance_kill_event',
  'unhealthy_task_kill_event',
  'app_terminated_event',
  'add_health_check_event',
  'remove_health_check_event',
];

const NOTHING: Staleness = { appIds: [], appList: false, deployments: false, queue: false };

/** Decides what one event makes stale; unknown events make nothing stale. */
export function stalenessOf(eventType: string, payload: JsonValue): Staleness {
  if (!isJsonObject(payload)) return NOTHING;
  const appIds = appIdsOf(payload);
  switch (eventType) {
    case 'group_change_success':
    case 'app_terminated_event':
      return { appIds, appList: true, deployments: true, queue: true };
    case 'deployment_info':
    case 'deployment_step_success':
    case 'deployment_step_failure':
      return { appIds, appList: false, deployments: true, queue: true };
    case 'deployment_success':
    case 'deployment_failed':
      return { appIds, appList: stopsApps(payload), deployments: true, queue: true };
    case 'api_post_event':
      return { appIds, appList: appIds.length === 0, deployments: true, queue: false };
    case 'status_update_event':
    case 'instance_changed_event':
    case 'unhealthy_instance_kill_event':
    case 'unhealthy_task_kill_event':
      return { appIds, appList: false, deployments: false, queue: true };
    case 'instance_health_changed_event':
    case 'health_status_changed_event':
    case 'add_health_check_event':
    case 'remove_health_check_event':
      return { appIds, appList: false, deployments: false, queue: false };
    default:
      return NOTHING;
  }
}

function appIdsOf(payload: { readonly [key: string]: JsonValue | undefined }): readonly string[] {
  const ids = new Set<string>();
  for (const member of ['appId', 'runSpecId']) {
    const id = payload[member];
    if (typeof id === 'string' && id !== '') ids.add(id);
  }
  const definition = payload['appDefinition'];
  if (isJsonObject(definition) && typeof definition['id'] === 'string') ids.add(definition['id']);
  for (const id of planApps(payload)) ids.add(id);
  return [...ids];
}

function planActions(payload: {
  readonly [key: string]: JsonValue | undefined;
}): readonly { readonly [key: string]: JsonValue | undefined }[] {
  const { plan } = payload;
  const steps = isJsonObject(plan) && Array.isArray(plan['steps']) ? plan['steps'] : [];
  return steps.flatMap((step: unknown) => {
    const actions = isJsonObject(step) && Array.isArray(step['actions']) ? step['actions'] : [];
    return actions.filter((action: unknown) => isJsonObject(action));
  });
}

function planApps(payload: { readonly [key: string]: JsonValue | undefined }): readonly string[] {
  return planActions(payload).flatMap((action) =>
    typeof action['app'] === 'string' ? [action['app']] : [],
  );
}

function stopsApps(payload: { readonly [key: string]: JsonValue | undefined }): boolean {
  return planActions(payload).some((action) => action['action'] === 'StopApplication');
}

/** Joins what several events made stale. */
export function mergeStaleness(left: Staleness, right: Staleness): Staleness {
  return {
    appIds: [...new Set([...left.appIds, ...right.appIds])],
    appList: left.appList || right.appList,
    deployments: left.deployments || right.deployments,
    queue: left.queue || right.queue,
  };
}

export const NOTHING_STALE = NOTHING;
