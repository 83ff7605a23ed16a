/**
 * The agent's v0 documents: `/state`, `/containers`, `/monitor/statistics`. Key names and shapes as recorded;
 * a command task appears as an executor with the task's id.
 */

import { dirname } from 'node:path';
import type { JsonObject, JsonValue } from '@dcos/base';
import { Resources, toEndpointResources } from '@dcos/resources';
import {
  ContainerInfoType,
  ContainerStatusType,
  DiscoveryInfoType,
  DomainInfoType,
  DrainConfigType,
  HealthCheckType,
  LabelsType,
  toJson,
  withoutSecrets,
  type AgentInfo,
  type Attribute,
  type FrameworkInfo,
  type Resource,
  type TaskInfo,
  type TaskStatus,
} from '@dcos/wire';
import { isTerminal, type AgentSnapshot, type TaskRecord } from '../../core/index.ts';
import { sandboxPath } from '../sandbox-paths.ts';

export interface DocumentInput {
  readonly snapshot: AgentSnapshot;
  readonly info: AgentInfo;
  readonly ip: string;
  readonly port: number;
  readonly workDir: string;
  readonly startedAt: number;
  readonly version: JsonObject;
  readonly capabilities: readonly string[];
  readonly flags: Readonly<Record<string, string>>;
  readonly masterHostname: string | undefined;
  readonly logFile: string | undefined;
}

/** `/state`. */
export function stateDocument(input: DocumentInput): JsonObject {
  const { snapshot, info } = input;
  const { total } = snapshot;
  const used = Resources.fromWire(
    snapshot.live
      .filter((task) => !isTerminal(task.state))
      .flatMap((task) => task.info.resources ?? []),
  ).unallocate();
  const frameworks = [...snapshot.frameworks.values()].map(({ info: framework }) =>
    frameworkDocument(input, framework),
  );
  return {
    ...input.version,
    start_time: input.startedAt / 1000,
    id: snapshot.agentId ?? '',
    pid: `slave(1)@${input.ip}:${input.port}`,
    hostname: info.hostname,
    capabilities: [...input.capabilities],
    ...(info.domain === undefined ? {} : { domain: toJson(DomainInfoType, info.domain) }),
    resources: { ...total.summary() },
    reserved_resources: byRole(total, (part) => ({ ...part.summary() })),
    unreserved_resources: { ...total.unreserved().summary() },
    reserved_resources_full: byRole(total, (part) => toEndpointResources(part.toWire())),
    unreserved_resources_full: toEndpointResources(total.unreserved().toWire()),
    reserved_resources_allocated: byRole(used, (part) => ({ ...part.summary() })),
    unreserved_resources_allocated: { ...used.unreserved().summary() },
    resource_providers: [],
    attributes: attributesDocument(info.attributes ?? []),
    ...(snapshot.drain === undefined
      ? {}
      : { drain_config: toJson(DrainConfigType, snapshot.drain) }),
    ...(input.masterHostname === undefined ? {} : { master_hostname: input.masterHostname }),
    ...(input.logFile === undefined ? {} : { external_log_file: input.logFile }),
    flags: input.flags,
    frameworks: frameworks.filter(({ isLive }) => isLive).map(({ document }) => document),
    completed_frameworks: frameworks
      .filter(({ isLive }) => !isLive)
      .map(({ document }) => document),
  };
}

function byRole(resources: Resources, show: (part: Resources) => JsonValue): JsonObject {
  const reserved = resources.reserved();
  const roles = new Set<string>();
  for (const resource of reserved.toWire()) {
    const role = resource.reservations?.at(-1)?.role;
    if (role !== undefined) roles.add(role);
  }
  return Object.fromEntries(
    [...roles].sort().map((role) => [role, show(resources.reserved(role))]),
  );
}

/** Numbers as numbers, ranges and texts as text. */
export function attributesDocument(attributes: readonly Attribute[]): JsonObject {
  return Object.fromEntries(
    attributes.map(({ name, scalar, ranges, text }) => [
      name,
      scalar?.value ??
        text?.value ??
        `[${(ranges?.range ?? []).map(({ begin, end }) => `${begin}-${end}`).join(', ')}]`,
    ]),
  );
}

function frameworkDocument(
  input: DocumentInput,
  framework: FrameworkInfo,
): { readonly isLive: boolean; readonly document: JsonObject } {
  const id = framework.id?.value ?? '';
  const own = (task: TaskRecord): boolean => task.frameworkId === id && task.runtime !== 'none';
  const live = input.snapshot.live.filter(own);
  const completed = input.snapshot.completed.filter(own);
  const isMultiRole = (framework.capabilities ?? []).some(({ type }) => type === 'MULTI_ROLE');
  const document: JsonObject = {
    id,
    name: framework.name,
    user: framework.user,
    failover_timeout: framework.failover_timeout ?? 0,
    checkpoint: framework.checkpoint ?? false,
    hostname: framework.hostname ?? '',
    ...(framework.principal === undefined ? {} : { principal: framework.principal }),
    ...(isMultiRole ? { roles: [...(framework.roles ?? [])] } : { role: framework.role ?? '*' }),
    executors: [
      ...live.filter(isAlone).map((task) => executorDocument(input, task)),
      ...groupDocuments(input, id, live, completed),
    ],
    completed_executors: completed
      .filter((task) => isAlone(task) || !isRunning(input, task))
      .map((task) => executorDocument(input, task)),
  };
  return { isLive: live.length > 0, document };
}

/** Name of the executor that the original would have generated. */
export function executorName(info: TaskInfo): string {
  const { command } = info;
  const text =
    (command?.shell ?? true)
      ? `sh -c '${command?.value ?? ''}'`
      : [
          command?.value,
          ...(command?.arguments ?? []).slice(command?.value === undefined ? 0 : 1),
        ].join(' ');
  return `Command Executor (Task: ${info.task_id.value}) (Command: ${text})`;
}

/** Role that the task's resources were allocated to. */
export function roleOf(resources: readonly Resource[] | undefined): string {
  return (
    resources?.find((each) => each.allocation_info?.role !== undefined)?.allocation_info?.role ??
    '*'
  );
}

function executorDocument(input: DocumentInput, task: TaskRecord): JsonObject {
  const isDone = isTerminal(task.state);
  const document = taskDocument(input, task);
  return {
    id: task.taskId,
    name: executorName(task.info),
    source: task.taskId,
    container: task.containerId,
    directory: sandboxPath(input.workDir, input.snapshot.agentId ?? '', task),
    resources: summaryOf(task),
    role: roleOf(task.info.resources),
    tasks: isDone || task.state === 'TASK_STAGING' ? [] : [document],
    queued_tasks: task.state === 'TASK_STAGING' ? [document] : [],
    completed_tasks: isDone ? [document] : [],
  };
}

/** A command task, which is shown as an executor of its own. */
function isAlone(task: TaskRecord): boolean {
  return task.group === undefined && task.executor === undefined;
}

function isRunning(input: DocumentInput, task: TaskRecord): boolean {
  return input.snapshot.executors.some(
    ({ containerId }) => containerId === (task.group ?? task.executor)?.containerId,
  );
}

/** Executors of task groups, each with all of its tasks. */
function groupDocuments(
  input: DocumentInput,
  frameworkId: string,
  live: readonly TaskRecord[],
  completed: readonly TaskRecord[],
): JsonObject[] {
  return input.snapshot.executors
    .filter((executor) => executor.frameworkId === frameworkId)
    .map(({ executorId, containerId, info }) => {
      const own = (task: TaskRecord): boolean =>
        (task.group ?? task.executor)?.containerId === containerId;
      const tasks = live.filter(own);
      const [first] = [...tasks, ...completed.filter(own)];
      const documents = (wanted: (task: TaskRecord) => boolean): JsonObject[] =>
        tasks.filter(wanted).map((task) => taskDocument(input, task));
      const isStaging = ({ state }: TaskRecord): boolean => state === 'TASK_STAGING';
      return {
        id: executorId,
        name: info.name ?? '',
        source: info.source ?? '',
        container: containerId,
        // The sandboxes of its tasks lie in its own.
        directory: first === undefined ? '' : sandboxOf(input, first),
        resources: { ...Resources.fromWire(info.resources).unallocate().summary() },
        role: roleOf(info.resources),
        type: info.type ?? 'DEFAULT',
        tasks: documents((task) => !isStaging(task) && !isTerminal(task.state)),
        queued_tasks: documents(isStaging),
        completed_tasks: [
          ...documents((task) => isTerminal(task.state)),
          ...completed.filter(own).map((task) => taskDocument(input, task)),
        ],
      };
    });
}

/** The sandbox of the executor that a task belongs to. */
function sandboxOf(input: DocumentInput, task: TaskRecord): string {
  const path = sandboxPath(input.workDir, input.snapshot.agentId ?? '', task);
  return task.group === undefined ? path : dirname(dirname(path));
}

function summaryOf(task: TaskRecord): JsonObject {
  return { ...Resources.fromWire(task.info.resources).unallocate().summary() };
}

function taskDocument(input: DocumentInput, task: TaskRecord): JsonObject {
  const { info } = task;
  return {
    id: task.taskId,
    name: info.name,
    framework_id: task.frameworkId,
    executor_id: (task.group ?? task.executor)?.executorId ?? '',
    slave_id: input.snapshot.agentId ?? '',
    state: task.state,
    resources: summaryOf(task),
    role: roleOf(info.resources),
    statuses: task.statuses.map(statusDocument),
    ...(info.command?.user === undefined ? {} : { user: info.command.user }),
    ...(info.labels === undefined
      ? {}
      : { labels: labelsDocument(toJson(LabelsType, info.labels)) }),
    ...(info.discovery === undefined
      ? {}
      : { discovery: toJson(DiscoveryInfoType, info.discovery) }),
    ...(info.container === undefined
      ? {}
      : { container: toJson(ContainerInfoType, withoutSecrets(info.container)) }),
    ...(info.health_check === undefined
      ? {}
      : { health_check: toJson(HealthCheckType, withoutSecrets(info.health_check)) }),
  };
}

/** The v0 documents show the list, without the message around it. */
function labelsDocument(labels: JsonValue): JsonValue {
  return (labels as JsonObject)['labels'] ?? [];
}

function statusDocument(status: TaskStatus): JsonObject {
  return {
    state: status.state,
    timestamp: status.timestamp ?? 0,
    ...(status.labels === undefined
      ? {}
      : { labels: labelsDocument(toJson(LabelsType, status.labels)) }),
    ...(status.container_status === undefined
      ? {}
      : { container_status: toJson(ContainerStatusType, status.container_status) }),
    ...(status.healthy === undefined ? {} : { healthy: status.healthy }),
  };
}
