/**
 * The agent as a machine: one event in, effects out, in the order in which they must happen.
 *
 * Invariants: a task has one terminal state at most and states only move forward; an update is sent until it
 * is acknowledged, in order; nothing leaves before what it depends on is durable (see `events.ts`).
 */

import {
  assert,
  containerId,
  frameworkId as toFrameworkId,
  randomUuid,
  taskId as toTaskId,
  unreachable,
  type AgentId,
  type FrameworkId,
  type Instant,
} from '@dcos/base';
import type { Resources } from '@dcos/resources';
import type { agentProtocol, DrainConfig, Operation } from '@dcos/wire';
import { checkProbed, checkTimerFired } from './checks.ts';
import { completeTask, forgetCompleted, forgetCompletedExecutor } from './completion.ts';
import {
  createContext,
  log,
  saveFramework,
  saveTask,
  taskOf,
  type Context,
  type Phase,
} from './context.ts';
import {
  executorExited,
  executorLaunchFailed,
  executorStarted,
  messageForExecutor,
  shutdownDrained,
  shutdownExecutors,
  shutdownTimerFired,
  subscriptionTimerFired,
} from './custom-executors.ts';
import { drain, finishDraining } from './draining.ts';
import type { AgentEffect, AgentEvent } from './events.ts';
import { containerExited } from './exits.ts';
import { executorCalled, executorLeft } from './executor-calls.ts';
import { healthChecked, healthTimerFired } from './health.ts';
import { completionTimerFired, killTask, killTimerFired } from './killing.ts';
import {
  callAbandoned,
  containerCalled,
  launchedExited,
  launchedFailed,
  launchedStarted,
  sessionClosed,
} from './launched-containers.ts';
import { containerLimited } from './limitations.ts';
import { launchFailed, runTask, taskPrepared, taskStarted } from './launching.ts';
import {
  executorIdOf,
  isTerminal,
  taskKey,
  type ExecutorRecord,
  type FrameworkRecord,
  type LaunchedContainer,
  type TaskRecord,
} from './model.ts';
import {
  acknowledgeOperation,
  applyOperation,
  onOperationTimer,
  operationMessages,
  reconcileOperations,
} from './operations.ts';
import type { AgentCoreOptions } from './options.ts';
import { containersFound, start } from './recovery.ts';
import {
  connectNow,
  connected,
  disconnected,
  heardFromMaster,
  masterChanged,
  registered,
  rejected,
  shutdown,
} from './registration.ts';
import { estimated } from './revocable.ts';
import { acknowledge, droppedState, retryHead, updateTask } from './status-updates.ts';
import { endIdleExecutors, killWithGroup, runTaskGroup } from './task-groups.ts';
import { parseTaskTimer } from './timers.ts';

/** What can be seen of an agent from outside; valid until the next event. */
export interface AgentSnapshot {
  readonly agentId: AgentId | undefined;
  readonly phase: Phase;
  readonly frameworks: ReadonlyMap<FrameworkId, FrameworkRecord>;
  /** Running or with unacknowledged updates. */
  readonly live: readonly TaskRecord[];
  /** Ended, oldest first. */
  readonly completed: readonly TaskRecord[];
  /** Of task groups, and those that frameworks brought. */
  readonly executors: readonly ExecutorRecord[];
  /** That frameworks brought and that have ended, oldest first. */
  readonly completedExecutors: readonly ExecutorRecord[];
  /** That clients launched through the API. */
  readonly launched: readonly LaunchedContainer[];
  /** With what operations made of it. */
  readonly total: Resources;
  /** What can be lent beside it. */
  readonly revocable: Resources;
  readonly operations: readonly Operation[];
  /** Present while the agent is being drained. */
  readonly drain: DrainConfig | undefined;
}

export interface Agent {
  /**
   * Takes one event; the effects are to be performed in order.
   * @param now what the wall clock shows, for stamps and for what lasts beyond this process.
   * @param monotonicMs of a clock that nobody sets, for what lasts; `now` where there is only one.
   */
  handle(event: AgentEvent, now: Instant, monotonicMs?: number): readonly AgentEffect[];
  snapshot(): AgentSnapshot;
}

/** Makes the machine; its first event must be `start`. */
export function createAgent({ random, options }: AgentCoreOptions): Agent {
  const context = createContext(random, options);
  return {
    handle(event, now, monotonicMs = now) {
      context.now = now;
      context.monotonicMs = monotonicMs;
      context.effects = [];
      dispatch(context, event);
      endIdleExecutors(context);
      shutdownDrained(context);
      finishDraining(context);
      return context.effects;
    },
    snapshot: () => ({
      agentId: context.agentId,
      phase: context.phase,
      frameworks: context.frameworks,
      live: [...context.live.values()],
      completed: [...context.completed.values()],
      executors: [...context.executors.values()],
      completedExecutors: [...context.completedExecutors.values()],
      launched: [...context.launched.values()],
      total: context.total,
      revocable: context.revocable,
      operations: operationMessages(context),
      drain: context.drain,
    }),
  };
}

function dispatch(context: Context, event: AgentEvent): void {
  switch (event.kind) {
    case 'start':
      return start(context, event.records);
    case 'containersFound':
      return containersFound(context, event.containers);
    case 'connected':
      return connected(context);
    case 'disconnected':
      return disconnected(context, event.reason);
    case 'masterChanged':
      return masterChanged(context);
    case 'received':
      heardFromMaster(context);
      return received(context, event.message);
    case 'prepared':
      return taskPrepared(context, event.id);
    case 'started':
      if (launchedStarted(context, event.id, event.pid)) return;
      if (!executorStarted(context, event.id, event)) taskStarted(context, event.id, event);
      return;
    case 'launchFailed':
      if (launchedFailed(context, event.id, event.message)) return;
      if (!executorLaunchFailed(context, event.id, event.message))
        launchFailed(context, event.id, event.message);
      return;
    case 'exited':
      if (launchedExited(context, event.id, event.status)) return;
      if (!executorExited(context, event.id, event.status))
        containerExited(context, event.id, event.status);
      return;
    case 'checked':
      return healthChecked(context, event.id, event);
    case 'limited':
      return containerLimited(context, event.id, event);
    case 'estimated':
      return estimated(context, event.resources);
    case 'storage':
      context.isStorageShort = event.isShort;
      return;
    case 'probed':
      return checkProbed(context, event.id, event.status);
    case 'containerCalled':
      return containerCalled(context, event.call, event.asked);
    case 'callAbandoned':
      return callAbandoned(context, event.call);
    case 'sessionClosed':
      return sessionClosed(context, event.id);
    case 'executorCalled':
      return executorCalled(context, event.call, event.asked);
    case 'executorLeft':
      return executorLeft(context, event.id, event.call);
    case 'timer':
      return timerFired(context, event.id);
    case 'collected':
      forgetCompletedExecutor(context, event.id);
      return forgetCompleted(context, event.id);
    case 'shutdown':
      return shutdown(context, event.reason);
    default:
      return unreachable(event);
  }
}

function timerFired(context: Context, name: string): void {
  if (name === 'connect') return connectNow(context);
  if (onOperationTimer(context, name)) return;
  if (name === 'registration' || name === 'silence') {
    log(context, 'warn', 'master.silent', `the master is silent (${name})`);
    context.effects.push({ kind: 'disconnect' });
    return;
  }
  const parsed = parseTaskTimer(name);
  assert(parsed !== undefined, `unknown timer ${name}`);
  const { timer, id } = parsed;
  switch (timer) {
    case 'retry': {
      const task = taskOf(context, id);
      if (task !== undefined) retryHead(context, task);
      return;
    }
    case 'kill':
      return killTimerFired(context, id);
    case 'health':
      return healthTimerFired(context, id);
    case 'check':
      return checkTimerFired(context, id);
    case 'completion':
      return completionTimerFired(context, id);
    case 'subscription':
      return subscriptionTimerFired(context, id);
    case 'shutdown':
      return shutdownTimerFired(context, id);
    default:
      return unreachable(timer);
  }
}

function received(context: Context, message: agentProtocol.ToAgent): void {
  const missing = (): void =>
    log(context, 'error', 'message.malformed', `${message.type} from the master lacks its body`);
  switch (message.type) {
    case 'REGISTERED':
      return message.registered === undefined ? missing() : registered(context, message.registered);
    case 'REJECTED':
      return message.rejected === undefined ? missing() : rejected(context, message.rejected);
    case 'RUN_TASK':
      return message.run_task === undefined ? missing() : runTask(context, message.run_task);
    case 'KILL_TASK':
      return message.kill_task === undefined ? missing() : onKill(context, message.kill_task);
    case 'ACKNOWLEDGE': {
      const body = message.acknowledge;
      if (body === undefined) return missing();
      return acknowledge(context, body.framework_id.value, body.task_id.value, body.uuid);
    }
    case 'SHUTDOWN_FRAMEWORK': {
      const body = message.shutdown_framework;
      return body === undefined ? missing() : onShutdownFramework(context, body.framework_id.value);
    }
    case 'UPDATE_FRAMEWORK': {
      const body = message.update_framework;
      return body === undefined ? missing() : onUpdateFramework(context, body);
    }
    case 'RECONCILE':
      return message.reconcile === undefined ? missing() : onReconcile(context, message.reconcile);
    case 'FRAMEWORK_MESSAGE': {
      const body = message.framework_message;
      return body === undefined ? missing() : onFrameworkMessage(context, body);
    }
    case 'RUN_TASK_GROUP': {
      const body = message.run_task_group;
      return body === undefined ? missing() : runTaskGroup(context, body);
    }
    case 'APPLY_OPERATION': {
      const body = message.apply_operation;
      return body === undefined ? missing() : applyOperation(context, body);
    }
    case 'ACKNOWLEDGE_OPERATION': {
      const body = message.acknowledge_operation;
      return body === undefined ? missing() : acknowledgeOperation(context, body);
    }
    case 'RECONCILE_OPERATIONS': {
      const body = message.reconcile_operations;
      return body === undefined ? missing() : reconcileOperations(context, body);
    }
    case 'DRAIN':
      return message.drain === undefined ? missing() : drain(context, message.drain.config);
    case 'SHUTDOWN':
      return shutdown(context, `the master said: ${message.shutdown?.message ?? 'shut down'}`);
    case 'PING':
      context.effects.push({ kind: 'send', message: { type: 'PONG' } });
      return;
    default:
      return unreachable(message.type);
  }
}

function onKill(context: Context, body: agentProtocol.KillTask): void {
  const task = context.live.get(taskKey(body.framework_id.value, body.task_id.value));
  if (task === undefined) {
    // The master asks for a reconciliation when it believes that such a task exists here.
    log(context, 'warn', 'kill.ignored', `there is no task ${body.task_id.value}`);
    return;
  }
  killWithGroup(context, task, body.kill_policy);
}

/** For an executor: to end with its tasks, or a message, which those that the agent plays do not take. */
function onFrameworkMessage(context: Context, body: agentProtocol.FrameworkMessage): void {
  if (messageForExecutor(context, body)) return;
  if (body.shutdown !== true) {
    log(context, 'warn', 'message.dropped', 'no executor here takes framework messages');
    return;
  }
  for (const task of context.live.values()) {
    // The executor of a command task has the task's id.
    if (
      task.frameworkId === body.framework_id.value &&
      executorIdOf(task) === body.executor_id.value
    )
      killTask(context, task, 'request');
  }
}

function onShutdownFramework(context: Context, value: string): void {
  const id = toFrameworkId(value);
  const record = context.frameworks.get(id);
  if (record === undefined) return;
  saveFramework(context, id, { ...record, terminating: true });
  for (const task of context.live.values()) {
    if (task.frameworkId !== id) continue;
    if (isTerminal(task.state)) completeTask(context, { ...task, updates: [] });
    else if (task.executor !== undefined) saveTask(context, { ...task, updates: [] });
    else killTask(context, { ...task, updates: [] }, 'framework');
  }
  shutdownExecutors(context, id);
}

function onUpdateFramework(context: Context, body: agentProtocol.UpdateFramework): void {
  const id = toFrameworkId(body.framework_info.id?.value ?? '');
  const record = context.frameworks.get(id);
  if (record !== undefined) saveFramework(context, id, { ...record, info: body.framework_info });
}

/** The master knows tasks here that we did not report: they are lost, and somebody must say so. */
function onReconcile(context: Context, body: agentProtocol.Reconcile): void {
  const frameworkId = toFrameworkId(body.framework_id.value);
  for (const { value } of body.task_ids ?? []) {
    if (context.live.has(taskKey(frameworkId, value))) continue;
    const stranger: TaskRecord = {
      frameworkId,
      taskId: toTaskId(value),
      info: { name: value, task_id: { value }, agent_id: { value: context.agentId ?? '' } },
      containerId: containerId(randomUuid(context.random)),
      runtime: 'none',
      state: 'TASK_STAGING',
      statuses: [],
      updates: [],
      launchedAt: context.now,
      ipAddresses: [],
    };
    updateTask(context, stranger, {
      state: droppedState(context, stranger, body.framework_info),
      source: 'SOURCE_AGENT',
      reason: 'REASON_RECONCILIATION',
      message: 'Reconciliation: task unknown to the agent',
    });
  }
}
