/**
 * Tasks as the JSON endpoints show them, and the counts of states that summaries carry.
 */

import type { JsonObject, JsonValue } from '@dcos/base';
import { Resources } from '@dcos/resources';
import {
  ContainerIDType,
  ContainerInfoType,
  DiscoveryInfoType,
  HealthCheckType,
  NetworkInfoType,
  toJson,
  type Task,
  type TaskStatus,
} from '@dcos/wire';
import type { CompletedFramework, Framework, MasterState } from '../core/state.ts';
import { cachedText, FragmentList, type Document } from './document.ts';

/** Entries of `/tasks` unless the request says otherwise. */
const TASKS_LIMIT_DEFAULT = 100;

/** One task. */
export const taskText = cachedText((task: Task) => JSON.stringify(taskObject(task)));

function taskObject(task: Task): JsonValue {
  return {
    id: task.task_id.value,
    name: task.name,
    framework_id: task.framework_id.value,
    executor_id: task.executor_id?.value ?? '',
    slave_id: task.agent_id.value,
    state: task.state,
    resources: Resources.summaryOfWire(task.resources),
    ...(task.limits !== undefined && { limits: limits(task) }),
    role: task.resources?.[0]?.allocation_info?.role ?? '*',
    statuses: (task.statuses ?? []).map(statusObject),
    ...(task.user !== undefined && { user: task.user }),
    ...(task.labels !== undefined && { labels: labelList(task.labels.labels) }),
    ...(task.discovery !== undefined && { discovery: toJson(DiscoveryInfoType, task.discovery) }),
    ...(task.container !== undefined && { container: toJson(ContainerInfoType, task.container) }),
    ...(task.health_check !== undefined && {
      health_check: toJson(HealthCheckType, task.health_check),
    }),
  };
}

function limits(task: Task): JsonObject {
  return Object.fromEntries(
    Object.entries(task.limits ?? {}).map(([name, { value }]) => [
      name,
      Number.isFinite(value) ? value : 'Infinity',
    ]),
  );
}

/** Labels as a list of key and value. */
export function labelList(
  labels: readonly { readonly key: string; readonly value?: string }[] | undefined,
): JsonValue {
  return (labels ?? []).map(({ key, value }) => (value === undefined ? { key } : { key, value }));
}

function statusObject(status: TaskStatus): JsonObject {
  const container = status.container_status;
  return {
    state: status.state,
    timestamp: status.timestamp ?? 0,
    ...(status.labels !== undefined && { labels: labelList(status.labels.labels) }),
    ...(container !== undefined && {
      container_status: {
        ...(container.container_id !== undefined && {
          container_id: toJson(ContainerIDType, container.container_id),
        }),
        network_infos: (container.network_infos ?? []).map((network) =>
          toJson(NetworkInfoType, network),
        ),
      },
    }),
    ...(status.healthy !== undefined && { healthy: status.healthy }),
  };
}

export interface TasksQuery {
  readonly framework_id?: string | undefined;
  readonly task_id?: string | undefined;
  readonly limit?: string | undefined;
  readonly offset?: string | undefined;
  readonly order?: string | undefined;
}

/** `/tasks`: live, unreachable and completed ones, newest first unless `order=asc`. */
export function tasksDocument(state: MasterState, query: TasksQuery): Document {
  const limit = count(query.limit, TASKS_LIMIT_DEFAULT);
  const offset = count(query.offset, 0);
  const found: Task[] = [];
  for (const framework of [...state.frameworks.values(), ...state.completedFrameworks.values()]) {
    if (query.framework_id !== undefined && framework.id !== query.framework_id) continue;
    for (const task of tasksOf(framework)) {
      if (query.task_id === undefined || task.task_id.value === query.task_id) found.push(task);
    }
  }
  const direction = query.order === 'asc' ? 1 : -1;
  found.sort((left, right) => direction * (startOf(left) - startOf(right)));
  return { tasks: FragmentList.of(found.slice(offset, offset + limit), taskText) };
}

function count(text: string | undefined, otherwise: number): number {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : otherwise;
}

function startOf(task: Task): number {
  return task.statuses?.[0]?.timestamp ?? Number.MAX_VALUE;
}

function tasksOf(framework: Framework | CompletedFramework): readonly Task[] {
  const live =
    'tasks' in framework
      ? [...framework.tasks.values(), ...framework.unreachableTasks.values()]
      : [];
  return [...live.map(({ task }) => task), ...framework.completedTasks.values()];
}

const COUNTED = [
  'TASK_STAGING',
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_KILLING',
  'TASK_FINISHED',
  'TASK_KILLED',
  'TASK_FAILED',
  'TASK_LOST',
  'TASK_ERROR',
  'TASK_UNREACHABLE',
] as const;

/** Numbers of tasks by state, and the other side's ids. */
export class TaskTally {
  readonly #counts = new Map<string, number>();
  readonly others = new Set<string>();

  add(task: Task, other: string): void {
    this.#counts.set(task.state, (this.#counts.get(task.state) ?? 0) + 1);
    this.others.add(other);
  }

  counts(): JsonObject {
    return Object.fromEntries(COUNTED.map((state) => [state, this.#counts.get(state) ?? 0]));
  }
}
