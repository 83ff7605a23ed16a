/**
 * What a task status does to its instance.
 *
 * Invariants: a status is acknowledged only after its consequence is persisted; a status of an attempt that
 * is over changes nothing; a task that nobody wants is killed.
 */

import type { Instant } from '@dcos/base';
import type { NetworkInfo, TaskStatus } from '@dcos/wire';
import { formatTimestamp } from '../model/index.ts';
import { backoffSettings } from './app-facts.ts';
import { busEvent, statusUpdate } from './bus-events.ts';
import {
  beginHealthChecks,
  reportExecutorKill,
  reportTaskHealth,
  resumeHealthChecks,
} from './health-checks.ts';
import { conditionOf, raisesDelay, STATUS_MESSAGE_LENGTH_MAX } from './instance-condition.ts';
import { removeInstance, saveInstance } from './instance-changes.ts';
import {
  isActive,
  isTerminal,
  type CheckResult,
  type Condition,
  type Instance,
  type InstanceTask,
  type TaskAddress,
} from './instance.ts';
import { raiseDelay, touchDelay } from './launch-delay.ts';
import { failureRecord, type TaskFailure } from './records.ts';
import { appOf, emit, persist, publish, type Step } from './state.ts';
import { parseTaskId } from './task-id.ts';
import { handleUnreachable } from './unreachable-instances.ts';

/** Takes in a status, whether the master sent it unasked or as an answer to a reconciliation. */
export function applyStatusUpdate(step: Step, status: TaskStatus): void {
  const { state } = step;
  const name = status.state.toLowerCase();
  state.counters.statusUpdates.set(name, (state.counters.statusUpdates.get(name) ?? 0) + 1);
  const parsed = parseTaskId(status.task_id.value);
  const instance = parsed === undefined ? undefined : state.instances.get(parsed.instanceId);
  if (instance?.task === undefined || instance.task.id !== status.task_id.value) {
    applyUnknownTask(step, status, parsed);
  } else {
    applyKnownTask(step, instance, instance.task, status);
  }
  // After everything that follows from it: the agent repeats what is not acknowledged.
  if (status.uuid !== undefined && status.uuid.length > 0)
    emit(step, { kind: 'acknowledge', status });
}

function applyUnknownTask(
  step: Step,
  status: TaskStatus,
  parsed: { readonly appId: string; readonly instanceId: string } | undefined,
): void {
  const condition = conditionOf(status);
  if (isTerminal(condition) || condition === 'Unreachable') {
    if (parsed === undefined || step.state.instances.get(parsed.instanceId) !== undefined) return;
    const fields = { instanceId: parsed.instanceId, runSpecId: parsed.appId, condition };
    publish(step, busEvent('unknown_instance_terminated_event', fields, step.now));
    return;
  }
  if (condition === 'Killing') return;
  const agentId = status.agent_id?.value;
  emit(step, {
    kind: 'kill',
    taskId: status.task_id.value,
    ...(agentId === undefined ? {} : { agentId }),
  });
}

function applyKnownTask(
  step: Step,
  instance: Instance,
  task: InstanceTask,
  status: TaskStatus,
): void {
  const { state, now } = step;
  if (state.reconciliation.pending.delete(instance.id)) step.touched.add(instance.appId);
  const condition = conditionOf(status);
  // States only move forward: what comes after the end of a task is a repetition.
  if (!isActive(instance)) return;
  const updated: Instance = {
    ...instance,
    condition:
      instance.condition === 'UnreachableInactive' && condition === 'Unreachable'
        ? instance.condition
        : condition,
    since: condition === instance.condition ? instance.since : now,
    task: updatedTask(task, status, condition, now),
  };
  const stateChanged = task.state !== status.state;
  const changed = stateChanged || differs(task, updated.task);
  if (stateChanged) publish(step, statusUpdate(updated, now));
  if (isTerminal(condition)) {
    if (condition === 'Killed' && !state.kills.has(instance.id))
      reportExecutorKill(step, updated, task);
    applyTerminal(step, updated, status);
    return;
  }
  if (changed || updated.condition !== instance.condition) saveInstance(step, updated);
  if (condition === 'Unreachable') {
    handleUnreachable(step, updated);
    recordFailure(step, updated, status);
    return;
  }
  cancelUnreachableTimers(step, instance);
  watchLaunch(step, updated);
  if (condition !== instance.condition) signOfLife(step, updated);
  if (condition === 'Running') {
    if (task.startedAt === undefined) beginHealthChecks(step, updated);
    else if (instance.condition !== 'Running') resumeHealthChecks(step, updated);
    reportTaskHealth(step, updated, task.healthy !== updated.task?.healthy);
  }
}

/** The task of an instance has ended: the instance goes, or waits for its next launch. */
function applyTerminal(step: Step, instance: Instance, status: TaskStatus): void {
  const { state, now } = step;
  recordFailure(step, instance, status);
  if (instance.goal === 'Decommissioned') {
    removeInstance(step, instance, instance.condition);
    return;
  }
  const app = appOf(state, instance.appId);
  const isFault = raisesDelay(instance.condition, status.reason);
  if (
    app !== undefined &&
    isFault &&
    app.versionInfo.lastConfigChangeAt === instance.configVersion
  ) {
    const failure = { configVersion: instance.configVersion, settings: backoffSettings(app), now };
    state.delays.set(app.id, raiseDelay(state.delays.get(app.id), failure));
  }
  saveInstance(step, instance);
}

function signOfLife(step: Step, instance: Instance): void {
  const delay = step.state.delays.get(instance.appId);
  if (delay?.configVersion !== instance.configVersion) return;
  step.state.delays.set(instance.appId, touchDelay(delay, step.now));
}

function cancelUnreachableTimers(step: Step, instance: Instance): void {
  for (const kind of ['inactive', 'expunge'] as const)
    step.state.timers.cancel({ kind, id: instance.id });
}

/** A launch that is not confirmed, or does not get up, in time is given up. */
export function watchLaunch(step: Step, instance: Instance): void {
  const { state } = step;
  const { launchConfirmMsMax, launchMsMax } = state.settings;
  const key = { kind: 'overdue', id: instance.id } as const;
  const stagedAt = instance.task?.stagedAt ?? instance.since;
  switch (instance.condition) {
    case 'Provisioned':
      return state.timers.set(key, stagedAt + launchConfirmMsMax);
    case 'Staging':
    case 'Starting':
      return state.timers.set(key, stagedAt + launchMsMax);
    default:
      return state.timers.cancel(key);
  }
}

function recordFailure(step: Step, instance: Instance, status: TaskStatus): void {
  switch (instance.condition) {
    case 'Failed':
    case 'Error':
    case 'Gone':
    case 'Dropped':
    case 'Unknown':
    case 'Unreachable':
      break;
    default:
      return;
  }
  const slaveId = instance.placement?.agentId;
  const failure: TaskFailure = {
    appId: instance.appId,
    host: instance.placement?.hostname ?? '',
    message: instance.task?.message ?? '',
    state: status.state,
    taskId: status.task_id.value,
    timestamp: formatTimestamp(step.now),
    version: instance.version,
    ...(slaveId === undefined ? {} : { slaveId }),
  };
  saveFailure(step, failure);
}

/** Keeps the last failure of an app. */
export function saveFailure(step: Step, failure: TaskFailure): void {
  step.state.failures.set(failure.appId, failure);
  persist(step, failureRecord(failure.appId, failure));
}

function updatedTask(
  task: InstanceTask,
  status: TaskStatus,
  condition: Condition,
  now: Instant,
): InstanceTask {
  const { message: _message, ...rest } = task;
  const message = status.message?.slice(0, STATUS_MESSAGE_LENGTH_MAX);
  const addresses = addressesOf(status.container_status?.network_infos);
  const checkResult = checkResultOf(status);
  return {
    ...rest,
    state: status.state,
    ...(message === undefined ? {} : { message }),
    ...(status.healthy === undefined ? {} : { healthy: status.healthy }),
    ...(condition === 'Running' && task.startedAt === undefined ? { startedAt: now } : {}),
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(checkResult === undefined ? {} : { checkResult }),
  };
}

function differs(before: InstanceTask, after: InstanceTask | undefined): boolean {
  return (
    before.healthy !== after?.healthy ||
    before.startedAt !== after?.startedAt ||
    before.message !== after?.message ||
    JSON.stringify(before.addresses) !== JSON.stringify(after?.addresses) ||
    JSON.stringify(before.checkResult) !== JSON.stringify(after?.checkResult)
  );
}

function addressesOf(networks: readonly NetworkInfo[] | undefined): TaskAddress[] {
  return (networks ?? []).flatMap((network) =>
    (network.ip_addresses ?? []).flatMap(({ ip_address, protocol }) =>
      ip_address === undefined ? [] : [{ ipAddress: ip_address, protocol: protocol ?? 'IPv4' }],
    ),
  );
}

function checkResultOf(status: TaskStatus): CheckResult | undefined {
  const check = status.check_status;
  if (check?.http?.status_code !== undefined)
    return { http: { statusCode: check.http.status_code } };
  if (check?.tcp?.succeeded !== undefined) return { tcp: { succeeded: check.tcp.succeeded } };
  if (check?.command?.exit_code !== undefined)
    return { command: { exitCode: check.command.exit_code } };
  return undefined;
}
