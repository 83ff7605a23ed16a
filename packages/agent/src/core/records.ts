/**
 * Records of the checkpoint as JSON and back. Every record carries the version of its shape; one that
 * cannot be read is skipped with its reason, so that one bad record does not take the agent's tasks along.
 */

import {
  containerId,
  err,
  executorId,
  frameworkId,
  isJsonObject,
  ok,
  taskId,
  type JsonObject,
  type JsonValue,
  type Result,
} from '@dcos/base';
import {
  AgentInfoType,
  CommandInfoType,
  ContainerInfoType,
  DrainConfigType,
  ExecutorInfoType,
  FrameworkInfoType,
  Offer_OperationType,
  OperationStatusType,
  ResourceType,
  TaskInfoType,
  TaskResourceLimitationType,
  TaskStatusType,
  fromJson,
  toJson,
  type DrainConfig,
  type Resource,
  type TaskState,
  type TaskStatus_Reason,
} from '@dcos/wire';
import type {
  AgentRecord,
  ExecutorProcess,
  ExecutorRecord,
  ExecutorState,
  ExitStatus,
  ForcedEnding,
  FrameworkRecord,
  KillCause,
  LaunchedContainer,
  OperationRecord,
  RuntimeName,
  TaskExecutor,
  TaskGroup,
  TaskNetwork,
  TaskRecord,
} from './model.ts';

/** Version of the shapes in this file. */
export const RECORD_VERSION = 1;

export const AGENT_KEY = 'agent';
export const FRAMEWORK_PREFIX = 'framework/';
export const TASK_PREFIX = 'task/';
export const EXECUTOR_PREFIX = 'executor/';
export const OPERATION_PREFIX = 'operation/';
export const LAUNCHED_PREFIX = 'container/';
export const RESOURCES_KEY = 'resources';
export const DRAIN_KEY = 'drain';

export function agentToJson(record: AgentRecord): JsonObject {
  return { version: RECORD_VERSION, info: toJson(AgentInfoType, record.info) };
}

export function frameworkToJson(record: FrameworkRecord): JsonObject {
  return {
    version: RECORD_VERSION,
    info: toJson(FrameworkInfoType, record.info),
    terminating: record.terminating,
  };
}

export function taskToJson(record: TaskRecord): JsonObject {
  return {
    version: RECORD_VERSION,
    frameworkId: record.frameworkId,
    taskId: record.taskId,
    info: toJson(TaskInfoType, record.info),
    containerId: record.containerId,
    group: record.group === undefined ? undefined : { ...record.group },
    executor: record.executor === undefined ? undefined : { ...record.executor },
    runtime: record.runtime,
    state: record.state,
    statuses: record.statuses.map((status) => toJson(TaskStatusType, status)),
    updates: record.updates.map((status) => toJson(TaskStatusType, status)),
    launchedAt: record.launchedAt,
    startedAt: record.startedAt,
    endedAt: record.endedAt,
    pid: record.pid,
    ipAddresses: record.ipAddresses,
    networks: record.networks?.map(({ name, ipAddresses }) => ({ name, ipAddresses })),
    healthy: record.healthy,
    gpus: record.gpus,
    kill:
      record.kill === undefined
        ? undefined
        : { ...record.kill, ending: endingToJson(record.kill.ending) },
  };
}

function networksOf(json: JsonValue | undefined): readonly TaskNetwork[] | undefined {
  if (!Array.isArray(json)) return undefined;
  return json.filter(isJsonObject).map((network) => ({
    name: text(network, 'name'),
    ipAddresses: list(network, 'ipAddresses').map(String),
  }));
}

export function agentFromJson(json: JsonObject): Result<AgentRecord, string> {
  return reading(json, () => ({ info: fromJson(AgentInfoType, json['info']) }));
}

export function frameworkFromJson(json: JsonObject): Result<FrameworkRecord, string> {
  return reading(json, () => ({
    info: fromJson(FrameworkInfoType, json['info']),
    terminating: json['terminating'] === true,
  }));
}

export function taskFromJson(json: JsonObject): Result<TaskRecord, string> {
  return reading(json, () => {
    const { kill } = json;
    return {
      frameworkId: frameworkId(text(json, 'frameworkId')),
      taskId: taskId(text(json, 'taskId')),
      info: fromJson(TaskInfoType, json['info']),
      containerId: containerId(text(json, 'containerId')),
      ...given('group', groupOf(json['group'])),
      ...given('executor', taskExecutorOf(json['executor'])),
      runtime: text(json, 'runtime') as RuntimeName,
      state: text(json, 'state') as TaskState,
      statuses: list(json, 'statuses').map((status) => fromJson(TaskStatusType, status)),
      updates: list(json, 'updates').map((status) => fromJson(TaskStatusType, status)),
      launchedAt: number(json, 'launchedAt') ?? 0,
      ...given('startedAt', number(json, 'startedAt')),
      ...given('endedAt', number(json, 'endedAt')),
      ...given('pid', number(json, 'pid')),
      ipAddresses: list(json, 'ipAddresses').map(String),
      ...given('networks', networksOf(json['networks'])),
      ...given('healthy', typeof json['healthy'] === 'boolean' ? json['healthy'] : undefined),
      ...given('gpus', numbers(json['gpus'])),
      ...(isJsonObject(kill)
        ? {
            kill: {
              cause: text(kill, 'cause') as KillCause,
              deadline: number(kill, 'deadline') ?? 0,
              ...given('graceMs', number(kill, 'graceMs')),
              ...given('ending', endingOf(kill['ending'])),
            },
          }
        : {}),
    };
  });
}

function groupOf(json: JsonValue | undefined): TaskGroup | undefined {
  if (!isJsonObject(json)) return undefined;
  return {
    executorId: executorId(text(json, 'executorId')),
    containerId: containerId(text(json, 'containerId')),
    groupId: text(json, 'groupId'),
  };
}

function taskExecutorOf(json: JsonValue | undefined): TaskExecutor | undefined {
  if (!isJsonObject(json)) return undefined;
  return {
    executorId: executorId(text(json, 'executorId')),
    containerId: containerId(text(json, 'containerId')),
    ...given('groupId', json['groupId'] === undefined ? undefined : text(json, 'groupId')),
    ...given('told', json['told'] === undefined ? undefined : list(json, 'told').map(String)),
  };
}

export function executorToJson(record: ExecutorRecord): JsonObject {
  return {
    version: RECORD_VERSION,
    frameworkId: record.frameworkId,
    executorId: record.executorId,
    containerId: record.containerId,
    info: toJson(ExecutorInfoType, record.info),
    process: record.process === undefined ? undefined : processToJson(record.process),
  };
}

function processToJson(process: ExecutorProcess): JsonObject {
  return {
    ...process,
    ending: endingToJson(process.ending),
    resources: process.resources.map((resource) => toJson(ResourceType, resource)),
  };
}

function processOf(json: JsonValue | undefined): ExecutorProcess | undefined {
  if (!isJsonObject(json)) return undefined;
  return {
    state: text(json, 'state') as ExecutorState,
    runtime: text(json, 'runtime') as RuntimeName,
    resources: list(json, 'resources').map((resource) => fromJson(ResourceType, resource)),
    ...given('gpus', numbers(json['gpus'])),
    launchedAt: number(json, 'launchedAt') ?? 0,
    ...given('endedAt', number(json, 'endedAt')),
    ...given('pid', number(json, 'pid')),
    ipAddresses: list(json, 'ipAddresses').map(String),
    ...given('ending', endingOf(json['ending'])),
  };
}

function endingToJson(ending: ForcedEnding | undefined): JsonObject | undefined {
  if (ending === undefined) return undefined;
  const { limitation, ...rest } = ending;
  return {
    ...rest,
    limitation: limitation && toJson(TaskResourceLimitationType, limitation),
  };
}

function endingOf(json: JsonValue | undefined): ForcedEnding | undefined {
  if (!isJsonObject(json)) return undefined;
  const { limitation } = json;
  return {
    state: text(json, 'state') as TaskState,
    reason: text(json, 'reason') as TaskStatus_Reason,
    message: text(json, 'message'),
    ...given(
      'limitation',
      limitation === undefined ? undefined : fromJson(TaskResourceLimitationType, limitation),
    ),
  };
}

export function executorFromJson(json: JsonObject): Result<ExecutorRecord, string> {
  return reading(json, () => ({
    frameworkId: frameworkId(text(json, 'frameworkId')),
    executorId: executorId(text(json, 'executorId')),
    containerId: containerId(text(json, 'containerId')),
    info: fromJson(ExecutorInfoType, json['info']),
    ...given('process', processOf(json['process'])),
  }));
}

export function launchedToJson(record: LaunchedContainer): JsonObject {
  const { container, resources } = record;
  return {
    version: RECORD_VERSION,
    path: record.path,
    depth: record.depth,
    task: record.task,
    containerId: record.containerId,
    runtime: record.runtime,
    isSession: record.isSession,
    command: toJson(CommandInfoType, record.command),
    container: container === undefined ? undefined : toJson(ContainerInfoType, container),
    resources: resources?.map((resource) => toJson(ResourceType, resource)),
    pid: record.pid,
    status: record.status === undefined ? undefined : { ...record.status },
  };
}

export function launchedFromJson(json: JsonObject): Result<LaunchedContainer, string> {
  return reading(json, () => {
    const { container, resources, status } = json;
    return {
      path: list(json, 'path').map(String),
      depth: number(json, 'depth') ?? 0,
      ...given('task', json['task'] === undefined ? undefined : containerId(text(json, 'task'))),
      containerId: containerId(text(json, 'containerId')),
      runtime: text(json, 'runtime') as RuntimeName,
      isSession: json['isSession'] === true,
      command: fromJson(CommandInfoType, json['command']),
      ...given(
        'container',
        container === undefined ? undefined : fromJson(ContainerInfoType, container),
      ),
      ...given(
        'resources',
        resources === undefined
          ? undefined
          : list(json, 'resources').map((resource) => fromJson(ResourceType, resource)),
      ),
      ...given('pid', number(json, 'pid')),
      ...given('status', isJsonObject(status) ? (status as unknown as ExitStatus) : undefined),
    };
  });
}

export function operationToJson(record: OperationRecord): JsonObject {
  return {
    version: RECORD_VERSION,
    uuid: record.uuid,
    frameworkId: record.frameworkId,
    info: toJson(Offer_OperationType, record.info),
    status: toJson(OperationStatusType, record.status),
  };
}

export function operationFromJson(json: JsonObject): Result<OperationRecord, string> {
  return reading(json, () => ({
    uuid: text(json, 'uuid'),
    ...given(
      'frameworkId',
      json['frameworkId'] === undefined ? undefined : text(json, 'frameworkId'),
    ),
    info: fromJson(Offer_OperationType, json['info']),
    status: fromJson(OperationStatusType, json['status']),
  }));
}

/** What the agent was started with, and what operations made of it. */
export interface SavedTotal {
  readonly base: readonly Resource[];
  readonly total: readonly Resource[];
  /** The operation that made it so, until it is acknowledged. */
  readonly last: OperationRecord | undefined;
}

export function resourcesToJson({ base, total, last }: SavedTotal): JsonObject {
  const array = (resources: readonly Resource[]): JsonValue[] =>
    resources.map((resource) => toJson(ResourceType, resource));
  return {
    version: RECORD_VERSION,
    base: array(base),
    total: array(total),
    ...given('last', last && operationToJson(last)),
  };
}

export function resourcesFromJson(json: JsonObject): Result<SavedTotal, string> {
  const last = isJsonObject(json['last']) ? operationFromJson(json['last']) : undefined;
  if (last?.ok === false) return last;
  return reading(json, () => ({
    base: list(json, 'base').map((resource) => fromJson(ResourceType, resource)),
    total: list(json, 'total').map((resource) => fromJson(ResourceType, resource)),
    last: last?.value,
  }));
}

export function drainToJson(config: DrainConfig): JsonObject {
  return { version: RECORD_VERSION, config: toJson(DrainConfigType, config) };
}

export function drainFromJson(json: JsonObject): Result<DrainConfig, string> {
  return reading(json, () => fromJson(DrainConfigType, json['config']));
}

function reading<T>(json: JsonObject, read: () => T): Result<T, string> {
  if (json['version'] !== RECORD_VERSION)
    return err(`version ${JSON.stringify(json['version']) ?? 'none'} is not known`);
  try {
    return ok(read());
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

/** An object with that one key, or none when the value is undefined. */
export function given<K extends string, V>(
  key: K,
  value: V | undefined,
): { readonly [k in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [k in K]: V });
}

function text(json: JsonObject, key: string): string {
  const value = json[key];
  if (typeof value !== 'string') throw new TypeError(`${key} must be a text`);
  return value;
}

function number(json: JsonObject, key: string): number | undefined {
  const value = json[key];
  return typeof value === 'number' ? value : undefined;
}

function numbers(json: JsonValue | undefined): readonly number[] | undefined {
  return Array.isArray(json) ? json.map(Number) : undefined;
}

function list(json: JsonObject, key: string): readonly unknown[] {
  const value = json[key];
  if (!Array.isArray(value)) throw new TypeError(`${key} must be a list`);
  return value;
}
