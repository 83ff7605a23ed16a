/**
 * Calls of the operator API that only read. Unlike elsewhere, the original writes the lists of objects in
 * these JSON answers even when they are empty.
 */

import type { Allocator } from '@dcos/allocator';
import { LargeMessage, masterApi, type LargeFields, type MasterInfo } from '@dcos/wire';
import type { Viewer } from '../core/viewer.ts';
import type { MasterState } from '../core/state.ts';
import {
  getAgents,
  getExecutors,
  getFrameworks,
  getOperations,
  getState,
  getTasks,
} from '../core/view-v1.ts';
import { clusterStatus, scheduleOf } from '../core/maintenance.ts';
import { quotaStatus } from '../core/quota-requests.ts';
import { roleMessages } from './roles.ts';
import type { MasterIdentity } from './v0-state.ts';

export interface ReadSources {
  /** As far as the viewer may see it. */
  readonly state: MasterState;
  /** All of it. */
  readonly wholeState: MasterState;
  readonly viewer: Viewer;
  readonly allocator: Allocator;
  readonly identity: MasterIdentity;
  readonly masterInfo: MasterInfo;
  /** 0 unless an operator raised it. */
  readonly loggingLevel: number;
  readonly metrics: () => Readonly<Record<string, number>>;
}

/** The answer to a read, or undefined for a call that is none. */
export function readAnswer(
  call: masterApi.Call,
  sources: ReadSources,
): LargeMessage<masterApi.Response> | undefined {
  const answer = fieldsOfAnswer(call, sources);
  return answer === undefined ? undefined : new LargeMessage(masterApi.ResponseType, answer);
}

function fieldsOfAnswer(
  call: masterApi.Call,
  sources: ReadSources,
): LargeFields<masterApi.Response> | undefined {
  const { state, identity } = sources;
  switch (call.type) {
    case 'GET_HEALTH':
      return { type: 'GET_HEALTH', get_health: { healthy: true } };
    case 'GET_FLAGS':
      return { type: 'GET_FLAGS', get_flags: { flags: named(identity.flags) } };
    case 'GET_VERSION':
      return { type: 'GET_VERSION', get_version: { version_info: identity.build } };
    case 'GET_METRICS':
      return { type: 'GET_METRICS', get_metrics: { metrics: named(sources.metrics()) } };
    case 'GET_LOGGING_LEVEL':
      return { type: 'GET_LOGGING_LEVEL', get_logging_level: { level: sources.loggingLevel } };
    case 'GET_STATE':
      return { type: 'GET_STATE', get_state: getState(state) };
    case 'GET_AGENTS':
      return { type: 'GET_AGENTS', get_agents: getAgents(state) };
    case 'GET_FRAMEWORKS':
      return { type: 'GET_FRAMEWORKS', get_frameworks: getFrameworks(state) };
    case 'GET_EXECUTORS':
      return { type: 'GET_EXECUTORS', get_executors: getExecutors(state) };
    case 'GET_OPERATIONS':
      return { type: 'GET_OPERATIONS', get_operations: getOperations(state) };
    case 'GET_TASKS':
      return { type: 'GET_TASKS', get_tasks: getTasks(state) };
    case 'GET_ROLES':
      return {
        type: 'GET_ROLES',
        get_roles: { roles: roleMessages(sources.wholeState, sources.viewer) },
      };
    case 'GET_WEIGHTS':
      return weightsAnswer(state);
    case 'GET_MASTER':
      return {
        type: 'GET_MASTER',
        get_master: {
          master_info: sources.masterInfo,
          start_time: identity.startTime,
          elected_time: identity.electedTime,
        },
      };
    case 'GET_MAINTENANCE_STATUS':
      return {
        type: 'GET_MAINTENANCE_STATUS',
        get_maintenance_status: { status: clusterStatus(sources) },
      };
    case 'GET_MAINTENANCE_SCHEDULE':
      return {
        type: 'GET_MAINTENANCE_SCHEDULE',
        get_maintenance_schedule: { schedule: scheduleOf(state) },
      };
    case 'GET_QUOTA':
      return { type: 'GET_QUOTA', get_quota: { status: quotaStatus(state) } };
    default:
      return undefined;
  }
}

function named<V>(
  record: Readonly<Record<string, V>>,
): readonly { readonly name: string; readonly value: V }[] {
  return Object.entries(record).map(([name, value]) => ({ name, value }));
}

function weightsAnswer(state: MasterState): masterApi.Response {
  if (state.weights.size === 0) return { type: 'GET_WEIGHTS' };
  const weights = Array.from(state.weights, ([role, weight]) => ({ role, weight }));
  return { type: 'GET_WEIGHTS', get_weights: { weight_infos: weights } };
}
