/**
 * The cluster as the master's event stream tells it: a snapshot, then changes. Kept in maps that are
 * changed in place (ten thousand tasks must not be copied for each event); `revision` grows with
 * every change. Invariants: a task is in `tasks` once; the finished ones are bounded, oldest out
 * first. Source: Mesos kernel reference §3.2.
 */
import { isJsonObject } from '@dcos/base';
import type { JsonObject, JsonValue } from '@dcos/base';

/** A task as the console shows it. */
export interface ClusterTask {
  readonly id: string;
  readonly name: string;
  readonly frameworkId: string;
  readonly executorId: string;
  readonly agentId: string;
  readonly state: string;
  readonly cpus: number;
  readonly memMebibytes: number;
  readonly diskMebibytes: number;
  readonly gpus: number;
  readonly healthy: boolean | undefined;
  /** Time of the latest status, epoch milliseconds; undefined before the first. */
  readonly updatedMs: number | undefined;
  /** Time of the first status, epoch milliseconds. */
  readonly firstStatusMs: number | undefined;
  readonly message: string | undefined;
  readonly ipAddresses: readonly string[];
}

export interface ClusterState {
  revision: number;
  readonly tasks: Map<string, ClusterTask>;
  readonly frameworkNames: Map<string, string>;
  readonly agentHostnames: Map<string, string>;
}

/** Finished tasks kept for display; running ones are never dropped. */
export const FINISHED_TASKS_MAX = 2_000;

const TERMINAL: ReadonlySet<string> = new Set([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
]);

export function isTerminalState(state: string): boolean {
  return TERMINAL.has(state);
}

/** States in which the task holds its resources. */
export function isActiveState(state: string): boolean {
  return !TERMINAL.has(state) && state !== 'TASK_UNREACHABLE' && state !== 'TASK_UNKNOWN';
}

export function emptyClusterState(): ClusterState {
  return { revision: 0, tasks: new Map(), frameworkNames: new Map(), agentHostnames: new Map() };
}

/** Which views an event makes stale. */
export type StaleView = 'agents' | 'tasks' | 'frameworks';

/** Applies one event of the stream in place and names what changed. Unknown events change nothing. */
export function applyMasterEvent(state: ClusterState, event: JsonValue): readonly StaleView[] {
  const type = text(event, 'type');
  switch (type) {
    case 'SUBSCRIBED':
      applySnapshot(state, get(event, 'subscribed', 'get_state'));
      return changed(state, ['agents', 'tasks', 'frameworks']);
    case 'TASK_ADDED':
      putTask(state, get(event, 'task_added', 'task'));
      return changed(state, ['tasks', 'agents']);
    case 'TASK_UPDATED':
      applyTaskUpdate(state, get(event, 'task_updated'));
      return changed(state, ['tasks', 'agents']);
    case 'AGENT_ADDED':
      putAgent(state, get(event, 'agent_added', 'agent'));
      return changed(state, ['agents']);
    case 'AGENT_REMOVED':
      state.agentHostnames.delete(text(event, 'agent_removed', 'agent_id', 'value'));
      return changed(state, ['agents', 'tasks']);
    case 'FRAMEWORK_ADDED':
      putFramework(state, get(event, 'framework_added', 'framework', 'framework_info'));
      return changed(state, ['frameworks']);
    case 'FRAMEWORK_UPDATED':
      putFramework(state, get(event, 'framework_updated', 'framework', 'framework_info'));
      return changed(state, ['frameworks']);
    case 'FRAMEWORK_REMOVED':
      return changed(state, ['frameworks', 'agents']);
    default:
      return [];
  }
}

function changed(state: ClusterState, views: readonly StaleView[]): readonly StaleView[] {
  state.revision += 1;
  return views;
}

function applySnapshot(state: ClusterState, snapshot: JsonValue | undefined): void {
  state.tasks.clear();
  state.frameworkNames.clear();
  state.agentHostnames.clear();
  for (const agent of list(snapshot, 'get_agents', 'agents')) putAgent(state, agent);
  for (const member of ['frameworks', 'completed_frameworks']) {
    for (const framework of list(snapshot, 'get_frameworks', member)) {
      putFramework(state, get(framework, 'framework_info'));
    }
  }
  for (const member of ['completed_tasks', 'unreachable_tasks', 'tasks']) {
    for (const task of list(snapshot, 'get_tasks', member)) putTask(state, task);
  }
}

function putAgent(state: ClusterState, agent: JsonValue | undefined): void {
  const id = text(agent, 'agent_info', 'id', 'value');
  if (id !== '') state.agentHostnames.set(id, text(agent, 'agent_info', 'hostname'));
}

function putFramework(state: ClusterState, info: JsonValue | undefined): void {
  const id = text(info, 'id', 'value');
  if (id !== '') state.frameworkNames.set(id, text(info, 'name'));
}

function putTask(state: ClusterState, task: JsonValue | undefined): void {
  const id = text(task, 'task_id', 'value');
  if (id === '') return;
  const statuses = list(task, 'statuses');
  const latest = statuses.at(-1);
  state.tasks.set(id, {
    id,
    name: text(task, 'name'),
    frameworkId: text(task, 'framework_id', 'value'),
    executorId: text(task, 'executor_id', 'value'),
    agentId: text(task, 'agent_id', 'value'),
    state: text(task, 'state'),
    cpus: scalar(task, 'cpus'),
    memMebibytes: scalar(task, 'mem'),
    diskMebibytes: scalar(task, 'disk'),
    gpus: scalar(task, 'gpus'),
    healthy: boolean(latest, 'healthy'),
    updatedMs: timestampMs(latest),
    firstStatusMs: timestampMs(statuses[0]),
    message: text(latest, 'message') || undefined,
    ipAddresses: addressesOf(latest),
  });
  boundFinished(state);
}

function applyTaskUpdate(state: ClusterState, update: JsonValue | undefined): void {
  const status = get(update, 'status');
  const id = text(status, 'task_id', 'value');
  const task = state.tasks.get(id);
  if (task === undefined) return;
  const addresses = addressesOf(status);
  // Re-inserted at the end, so that the oldest finished task is the first in the map.
  state.tasks.delete(id);
  state.tasks.set(id, {
    ...task,
    state: text(update, 'state') || text(status, 'state') || task.state,
    healthy: boolean(status, 'healthy') ?? task.healthy,
    updatedMs: timestampMs(status) ?? task.updatedMs,
    firstStatusMs: task.firstStatusMs ?? timestampMs(status),
    message: text(status, 'message') || task.message,
    ipAddresses: addresses.length > 0 ? addresses : task.ipAddresses,
  });
  boundFinished(state);
}

function boundFinished(state: ClusterState): void {
  if (state.tasks.size <= FINISHED_TASKS_MAX) return;
  const finished = [...state.tasks.values()].filter((task) => isTerminalState(task.state));
  for (const task of finished.slice(0, Math.max(0, finished.length - FINISHED_TASKS_MAX))) {
    state.tasks.delete(task.id);
  }
}

function get(value: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined {
  let current: JsonValue | undefined = value;
  for (const key of path) current = isJsonObject(current) ? current[key] : undefined;
  return current;
}

function text(value: JsonValue | undefined, ...path: readonly string[]): string {
  const found = get(value, ...path);
  return typeof found === 'string' ? found : '';
}

function boolean(value: JsonValue | undefined, ...path: readonly string[]): boolean | undefined {
  const found = get(value, ...path);
  return typeof found === 'boolean' ? found : undefined;
}

function list(value: JsonValue | undefined, ...path: readonly string[]): readonly JsonValue[] {
  const found = get(value, ...path);
  return Array.isArray(found) ? (found as readonly JsonValue[]) : [];
}

function scalar(task: JsonValue | undefined, name: string): number {
  let sum = 0;
  for (const resource of list(task, 'resources')) {
    if (text(resource, 'name') !== name) continue;
    const amount = get(resource, 'scalar', 'value');
    if (typeof amount === 'number') sum += amount;
  }
  return sum;
}

function timestampMs(status: JsonValue | undefined): number | undefined {
  const seconds = get(status, 'timestamp');
  return typeof seconds === 'number' ? seconds * 1000 : undefined;
}

function addressesOf(status: JsonValue | undefined): readonly string[] {
  return list(status, 'container_status', 'network_infos').flatMap((info) =>
    list(info, 'ip_addresses').flatMap((address) => {
      const found = text(address, 'ip_address');
      return found === '' ? [] : [found];
    }),
  );
}

/** True for values that look like an event of the stream. */
export function isMasterEvent(value: unknown): value is JsonObject {
  return isJsonObject(value) && typeof value['type'] === 'string';
}
