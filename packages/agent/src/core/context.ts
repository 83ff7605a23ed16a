/**
 * The state of an agent and the effects that one event has so far. One of these lives as long as the agent;
 * `now` and `effects` are set anew for each event.
 */

import type { AgentId, ContainerId, FrameworkId, Instant, Random } from '@dcos/base';
import { Resources } from '@dcos/resources';
import type { CheckStatusInfo, DrainConfig } from '@dcos/wire';
import type { AgentEffect } from './events.ts';
import type { ExecutorCallId } from './executor-calls.ts';
import type { CallId } from './launched-containers.ts';
import type {
  ExecutorRecord,
  FrameworkRecord,
  LaunchedContainer,
  OperationRecord,
  TaskRecord,
} from './model.ts';
import type { AgentOptions } from './options.ts';
import { FRAMEWORK_PREFIX, TASK_PREFIX, frameworkToJson, taskToJson } from './records.ts';
import { taskKey } from './model.ts';

export type Phase = 'recovering' | 'disconnected' | 'connecting' | 'registering' | 'registered';

/** What is known of a task beside its record; a restart begins it anew. */
export interface TaskVolatile {
  /** Wait before the update in flight is sent again. */
  retryAfterMs: number;
  /** Health check failures since the last success. */
  failures: number;
  /** The answer that was told last. */
  checkStatus: CheckStatusInfo | undefined;
  /** When its container started, and when SIGKILL is due, by the monotonic clock; once known. */
  startedMs: number | undefined;
  killDueMs: number | undefined;
  /** The runtime was told to forget the container. */
  released: boolean;
  /** It waits for its executor to subscribe. */
  isQueued: boolean;
}

export interface Context {
  readonly random: Random;
  readonly options: AgentOptions;
  readonly frameworks: Map<FrameworkId, FrameworkRecord>;
  /** Tasks that run or have unacknowledged updates, by task key. */
  readonly live: Map<string, TaskRecord>;
  readonly keyOfContainer: Map<ContainerId, string>;
  readonly volatile: Map<ContainerId, TaskVolatile>;
  /** Ended and acknowledged tasks, oldest first. */
  readonly completed: Map<ContainerId, TaskRecord>;
  /** What the agent has, with what operations made of it; without allocation. */
  total: Resources;
  /** What can be lent beside it. */
  revocable: Resources;
  /** By the base64 of their uuid. */
  readonly operations: Map<string, OperationRecord>;
  /** The unacknowledged operation that the record of the total names, see `operations.ts`. */
  lastOperation: string | undefined;
  /** How often each was told since the last registration. */
  readonly operationAttempts: Map<string, number>;
  /** Executors that have not ended, by framework and executor. */
  readonly executors: Map<string, ExecutorRecord>;
  readonly executorByContainer: Map<ContainerId, string>;
  /** Executors of frameworks that have ended, oldest first. */
  readonly completedExecutors: Map<ContainerId, ExecutorRecord>;
  /** The streams of executors that are subscribed, by their containers. */
  readonly subscriptions: Map<ContainerId, ExecutorCallId>;
  /** Executors that outlived the agent's last process and have not come back yet. */
  readonly unsettled: Set<ContainerId>;
  /** Containers that clients launched through the API, by their ids with dots between. */
  readonly launched: Map<string, LaunchedContainer>;
  readonly launchedByContainer: Map<ContainerId, string>;
  /** Calls that are answered when their container has started. */
  readonly launching: Map<ContainerId, CallId>;
  /** Calls that are answered when the container of that name has ended. */
  readonly waiting: Map<CallId, string>;
  /** Present while the agent is being drained. */
  drain: DrainConfig | undefined;
  agentId: AgentId | undefined;
  phase: Phase;
  /** Attempts to register since the last success. */
  attempts: number;
  /** How long the master may be silent; known once registered. */
  pingTimeoutMs: number;
  /** There is no room on the disk: nothing new is started. */
  isStorageShort: boolean;
  /** Everything is to be killed; no task is taken any more. */
  stopping: string | undefined;
  stopped: boolean;
  now: Instant;
  /** Never goes back, and begins anew with each process. */
  monotonicMs: number;
  effects: AgentEffect[];
}

export function createContext(random: Random, options: AgentOptions): Context {
  return {
    random,
    options,
    frameworks: new Map(),
    live: new Map(),
    keyOfContainer: new Map(),
    volatile: new Map(),
    completed: new Map(),
    total: Resources.empty,
    revocable: Resources.empty,
    operations: new Map(),
    lastOperation: undefined,
    operationAttempts: new Map(),
    executors: new Map(),
    executorByContainer: new Map(),
    completedExecutors: new Map(),
    subscriptions: new Map(),
    unsettled: new Set(),
    launched: new Map(),
    launchedByContainer: new Map(),
    launching: new Map(),
    waiting: new Map(),
    drain: undefined,
    agentId: undefined,
    phase: 'recovering',
    attempts: 0,
    pingTimeoutMs: 0,
    isStorageShort: false,
    stopping: undefined,
    stopped: false,
    now: 0,
    monotonicMs: 0,
    effects: [],
  };
}

/** Records a live task, durably. */
export function saveTask(context: Context, task: TaskRecord): void {
  adoptTask(context, task);
  context.effects.push({
    kind: 'persist',
    key: TASK_PREFIX + task.containerId,
    value: taskToJson(task),
  });
}

/** Takes a live task into memory only. */
export function adoptTask(context: Context, task: TaskRecord): void {
  const key = taskKey(task.frameworkId, task.taskId);
  context.live.set(key, task);
  context.keyOfContainer.set(task.containerId, key);
}

export function saveFramework(context: Context, id: FrameworkId, record: FrameworkRecord): void {
  context.frameworks.set(id, record);
  context.effects.push({
    kind: 'persist',
    key: FRAMEWORK_PREFIX + id,
    value: frameworkToJson(record),
  });
}

/** The live task that a container belongs to. */
export function taskOf(context: Context, id: ContainerId): TaskRecord | undefined {
  const key = context.keyOfContainer.get(id);
  return key === undefined ? undefined : context.live.get(key);
}

export function volatileOf(context: Context, id: ContainerId): TaskVolatile {
  let found = context.volatile.get(id);
  if (found === undefined) {
    found = {
      retryAfterMs: context.options.times.updateRetryMs,
      failures: 0,
      checkStatus: undefined,
      startedMs: undefined,
      killDueMs: undefined,
      released: false,
      isQueued: false,
    };
    context.volatile.set(id, found);
  }
  return found;
}

export function log(
  context: Context,
  level: 'info' | 'warn' | 'error',
  event: string,
  message: string,
): void {
  context.effects.push({ kind: 'log', level, event, message });
}

export function hasCapability(context: Context, id: FrameworkId, name: string): boolean {
  const capabilities = context.frameworks.get(id)?.info.capabilities ?? [];
  return capabilities.some(({ type }) => type === name);
}
