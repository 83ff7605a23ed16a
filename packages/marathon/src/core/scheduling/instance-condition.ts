/**
 * From what Mesos reports to the condition of an instance.
 *
 * TASK_LOST comes from masters and agents that treat the framework as not aware of partitions, and is
 * told apart by its reason. Source: Marathon's instance model; Mesos task states and reasons.
 */

import { unreachable } from '@dcos/base';
import type { TaskStatus, TaskStatus_Reason } from '@dcos/wire';
import type { Condition } from './instance.ts';

/** Characters of a status message that are kept. */
export const STATUS_MESSAGE_LENGTH_MAX = 10_000;

const MAY_COME_BACK: ReadonlySet<TaskStatus_Reason> = new Set([
  'REASON_RECONCILIATION',
  'REASON_AGENT_DISCONNECTED',
  'REASON_AGENT_REMOVED',
]);

/** The condition that a status stands for. */
export function conditionOf(status: TaskStatus): Condition {
  switch (status.state) {
    case 'TASK_STAGING':
      return 'Staging';
    case 'TASK_STARTING':
      return 'Starting';
    case 'TASK_RUNNING':
      return 'Running';
    case 'TASK_KILLING':
      return 'Killing';
    case 'TASK_FINISHED':
      return 'Finished';
    case 'TASK_FAILED':
      return 'Failed';
    case 'TASK_KILLED':
      return 'Killed';
    case 'TASK_ERROR':
      return 'Error';
    case 'TASK_DROPPED':
      return 'Dropped';
    case 'TASK_UNREACHABLE':
      return 'Unreachable';
    case 'TASK_GONE':
    case 'TASK_GONE_BY_OPERATOR':
      return 'Gone';
    case 'TASK_UNKNOWN':
      return 'Unknown';
    case 'TASK_LOST':
      return lostCondition(status.reason);
    default:
      return unreachable(status.state);
  }
}

function lostCondition(reason: TaskStatus_Reason | undefined): Condition {
  if (reason === undefined) return 'Gone';
  if (MAY_COME_BACK.has(reason)) return 'Unreachable';
  return reason === 'REASON_TASK_UNKNOWN' ? 'Unknown' : 'Gone';
}

const NOT_THE_APPS_FAULT: ReadonlySet<TaskStatus_Reason> = new Set([
  'REASON_RECONCILIATION',
  'REASON_INVALID_OFFERS',
  'REASON_AGENT_REMOVED',
  'REASON_AGENT_REMOVED_BY_OPERATOR',
  'REASON_AGENT_DISCONNECTED',
  'REASON_AGENT_RESTARTED',
  'REASON_AGENT_DRAINING',
]);

/**
 * True when the next launch has to wait longer. A kill on request is nobody's failure; what happened to the
 * offer or to the agent is not the app's.
 */
export function raisesDelay(condition: Condition, reason: TaskStatus_Reason | undefined): boolean {
  if (reason !== undefined && NOT_THE_APPS_FAULT.has(reason)) return false;
  return (
    condition === 'Dropped' ||
    condition === 'Error' ||
    condition === 'Failed' ||
    condition === 'Gone' ||
    condition === 'Finished'
  );
}
