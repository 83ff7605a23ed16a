/**
 * What the router knows of the cluster: where agents are, which frameworks and apps offer a page, which
 * agent ran a task. Kept from the master's event stream, so that a new service is routable at once.
 *
 * Invariants: before the first snapshot nothing is known (`ready` is false) and routes that need the view
 * say so; ended tasks are remembered up to a bound, for their logs; agents that a new leader has yet to hear of are
 * where they were, with the tasks that they had.
 * Source: observed behaviour of Admin Router's cache, which polls every 25 s instead.
 */

import { unreachable } from '@dcos/base';
import {
  isTerminal,
  returnedTaskKey,
  ReturningAgents,
  type ClusterEvent,
  type FrameworkInfo,
  type masterApi,
  type ReturnedAgent,
  type Task,
  type TaskState,
  type TaskStatus,
} from '@dcos/wire';

/** The operator events that matter here; the shell hands them in as they are. */
export type ViewEvent =
  | {
      readonly kind: 'snapshot';
      readonly state: masterApi.Response_GetState;
      readonly masterUrl: string;
    }
  | ClusterEvent
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'disconnected' }
  /** Whether a ZooKeeper server answers, where the leader is looked for there. */
  | { readonly kind: 'zooKeeper'; readonly isReached: boolean };

/** Ended tasks whose agent is remembered. */
export const ENDED_TASKS_MAX = 20_000;
/** The framework whose apps may publish a service by labels. */
export const ROOT_MARATHON = 'marathon';

export interface AgentView {
  readonly id: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly hostname: string;
  readonly active: boolean;
  /** True for a node that faces the public: it carries the attribute `public_ip`. */
  readonly isPublic: boolean;
}

export interface FrameworkView {
  readonly id: string;
  readonly name: string;
  readonly webuiUrl: string | undefined;
  /** True while its scheduler is connected to the master. */
  readonly connected: boolean;
}

/** The service that an app publishes by its labels. */
export interface LabelledService {
  readonly name: string;
  readonly origin: string;
  readonly keepsPrefix: boolean;
}

interface TaskView {
  readonly task: Task;
  state: TaskState;
  status: TaskStatus | undefined;
}

export class ClusterView {
  readonly #agentScheme: AgentView['scheme'];
  #ready = false;
  #masterUrl: string | undefined;
  #following = false;
  #reachesZooKeeper: boolean | undefined;
  readonly #agents = new Map<string, AgentView>();
  readonly #frameworks = new Map<string, FrameworkView>();
  readonly #tasks = new Map<string, TaskView>();
  /** Task id to key; of two frameworks with a task of one id, the task that came last. */
  readonly #keyOfTaskId = new Map<string, string>();
  /** Task id to agent id of ended tasks, oldest first. */
  readonly #ended = new Map<string, string>();
  /** Service name to the keys of the tasks that publish it, in order of their arrival. */
  readonly #services = new Map<string, Set<string>>();
  readonly #returning = new ReturningAgents();
  /** The keys of tasks on agents that the leader has yet to hear of, by agent. */
  readonly #kept = new Map<string, Set<string>>();

  constructor({ agentsSpeakTls }: { readonly agentsSpeakTls: boolean }) {
    this.#agentScheme = agentsSpeakTls ? 'https' : 'http';
  }

  /** True once a snapshot was seen. */
  get ready(): boolean {
    return this.#ready;
  }

  /** The leading master; undefined before the first snapshot. The last known one while none answers. */
  get masterUrl(): string | undefined {
    return this.#masterUrl;
  }

  /** True while a master's stream stands. */
  get following(): boolean {
    return this.#following;
  }

  /** Whether a ZooKeeper server answers; undefined when there is none to ask. */
  get reachesZooKeeper(): boolean | undefined {
    return this.#reachesZooKeeper;
  }

  get agents(): readonly AgentView[] {
    return [...this.#agents.values()];
  }

  agent(id: string): AgentView | undefined {
    return this.#agents.get(id);
  }

  /** By id, then by name; of several with one name the last. */
  framework(idOrName: string): FrameworkView | undefined {
    const byId = this.#frameworks.get(idOrName);
    if (byId !== undefined) return byId;
    let found: FrameworkView | undefined;
    for (const framework of this.#frameworks.values())
      if (framework.name === idOrName) found = framework;
    return found;
  }

  /** The agent of a task, running or ended; a prefix of the task's id will do when it is unambiguous. */
  agentOfTask(taskId: string): AgentView | undefined {
    const agentId = this.#agentIdOfTask(taskId);
    return agentId === undefined ? undefined : this.#agents.get(agentId);
  }

  #agentIdOfTask(taskId: string): string | undefined {
    const key = this.#keyOfTaskId.get(taskId) ?? '';
    const exact = this.#tasks.get(key)?.task.agent_id.value ?? this.#ended.get(taskId);
    if (exact !== undefined) return exact;
    const agentIds = new Set<string>();
    for (const { task } of this.#tasks.values()) {
      if (task.task_id.value.startsWith(taskId)) agentIds.add(task.agent_id.value);
    }
    for (const [id, agentId] of this.#ended) if (id.startsWith(taskId)) agentIds.add(agentId);
    const [only, ...others] = agentIds;
    return others.length === 0 ? only : undefined;
  }

  /** The service of that name that an app of the root Marathon publishes, at its first running task. */
  service(name: string): LabelledService | undefined {
    for (const key of this.#services.get(name) ?? []) {
      const view = this.#tasks.get(key);
      const found = view === undefined ? undefined : this.#labelledService(view);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  apply(event: ViewEvent): void {
    switch (event.kind) {
      case 'snapshot':
        return this.#snapshot(event.state, event.masterUrl);
      case 'disconnected':
        this.#following = false;
        return undefined;
      case 'zooKeeper':
        this.#reachesZooKeeper = event.isReached;
        return undefined;
      default:
        return this.#change(event);
    }
  }

  #change(event: ClusterEvent | { readonly kind: 'heartbeat' }): void {
    this.#dropUnnamed(this.#returning.observe(event));
    switch (event.kind) {
      case 'heartbeat':
        return undefined;
      case 'taskAdded':
        return this.#putTask(event.task);
      case 'taskUpdated':
        return this.#updateTask(event.frameworkId.value, event.status, event.state);
      case 'agentAdded':
        return this.#putAgent(event.agent);
      case 'agentRemoved':
        this.#agents.delete(event.agentId.value);
        return undefined;
      case 'frameworkAdded':
      case 'frameworkUpdated':
        return this.#putFramework(event.framework.framework_info, event.framework.connected);
      case 'frameworkRemoved':
        this.#frameworks.delete(event.framework.id?.value ?? '');
        return undefined;
      default:
        return unreachable(event);
    }
  }

  #snapshot(state: masterApi.Response_GetState, masterUrl: string): void {
    this.#ready = true;
    this.#following = true;
    this.#masterUrl = masterUrl;
    this.#returning.begin(state);
    for (const id of this.#agents.keys()) if (!this.#returning.has(id)) this.#agents.delete(id);
    this.#frameworks.clear();
    this.#kept.clear();
    for (const [key, { task }] of this.#tasks) {
      const agentId = task.agent_id.value;
      const keys = this.#kept.get(agentId) ?? new Set();
      if (this.#returning.has(agentId)) this.#kept.set(agentId, keys.add(key));
      else this.#dropTask(key);
    }
    for (const agent of state.get_agents?.agents ?? []) this.#putAgent(agent);
    for (const info of state.get_frameworks?.recovered_frameworks ?? [])
      this.#putFramework(info, false);
    for (const framework of state.get_frameworks?.frameworks ?? []) {
      this.#putFramework(framework.framework_info, framework.connected);
    }
    for (const task of state.get_tasks?.completed_tasks ?? []) this.#remember(task);
    for (const task of state.get_tasks?.unreachable_tasks ?? []) this.#putTask(task);
    for (const task of state.get_tasks?.tasks ?? []) this.#putTask(task);
  }

  /** What an agent that is back does not have any more. */
  #dropUnnamed(returned: ReturnedAgent | undefined): void {
    if (returned === undefined) return;
    for (const key of this.#kept.get(returned.agentId) ?? [])
      if (!returned.taskKeys.has(key)) this.#dropTask(key);
    this.#kept.delete(returned.agentId);
  }

  #putAgent(agent: masterApi.Response_GetAgents_Agent): void {
    const info = agent.agent_info;
    const id = info.id?.value;
    if (id === undefined) return;
    const { host, port } = agentAddress(agent);
    const attributes = info.attributes ?? [];
    const isPublic = attributes.some(
      ({ name, text }) => name === 'public_ip' && text?.value === 'true',
    );
    this.#agents.set(id, {
      id,
      scheme: this.#agentScheme,
      host,
      port,
      hostname: info.hostname,
      active: agent.active,
      isPublic,
    });
  }

  #putFramework(info: FrameworkInfo, connected: boolean): void {
    const id = info.id?.value;
    if (id === undefined) return;
    this.#frameworks.set(id, { id, name: info.name, webuiUrl: info.webui_url, connected });
  }

  #putTask(task: Task): void {
    if (isTerminal(task.state)) {
      this.#remember(task);
      this.#dropTask(taskKey(task));
      return;
    }
    const key = taskKey(task);
    const status = task.statuses?.findLast((each) => each.state === 'TASK_RUNNING');
    this.#tasks.set(key, { task, state: task.state, status });
    this.#keyOfTaskId.set(task.task_id.value, key);
    const name = labelOf(task, 'DCOS_SERVICE_NAME');
    if (name === undefined || name === '') return;
    const keys = this.#services.get(name) ?? new Set();
    this.#services.set(name, keys.add(key));
  }

  #updateTask(frameworkId: string, status: TaskStatus, state: TaskState): void {
    const key = returnedTaskKey(frameworkId, status.task_id.value);
    const view = this.#tasks.get(key);
    if (view === undefined) return;
    view.state = state;
    if (status.state === 'TASK_RUNNING') view.status = status;
    if (!isTerminal(state)) return;
    this.#remember(view.task);
    this.#dropTask(key);
  }

  #dropTask(key: string): void {
    const view = this.#tasks.get(key);
    if (view === undefined) return;
    this.#tasks.delete(key);
    if (this.#keyOfTaskId.get(view.task.task_id.value) === key) {
      this.#keyOfTaskId.delete(view.task.task_id.value);
    }
    const name = labelOf(view.task, 'DCOS_SERVICE_NAME');
    if (name === undefined) return;
    const keys = this.#services.get(name);
    keys?.delete(key);
    if (keys?.size === 0) this.#services.delete(name);
  }

  #remember(task: Task): void {
    this.#ended.delete(task.task_id.value);
    this.#ended.set(task.task_id.value, task.agent_id.value);
    const oldest = this.#ended.size > ENDED_TASKS_MAX ? this.#ended.keys().next() : undefined;
    if (oldest?.done === false) this.#ended.delete(oldest.value);
  }

  #labelledService({ task, state, status }: TaskView): LabelledService | undefined {
    if (state !== 'TASK_RUNNING') return undefined;
    if (this.#frameworks.get(task.framework_id.value)?.name !== ROOT_MARATHON) return undefined;
    const name = labelOf(task, 'DCOS_SERVICE_NAME');
    const scheme = labelOf(task, 'DCOS_SERVICE_SCHEME');
    const index = labelOf(task, 'DCOS_SERVICE_PORT_INDEX');
    if (name === undefined || (scheme !== 'http' && scheme !== 'https')) return undefined;
    if (index === undefined || !/^\d{1,4}$/.test(index)) return undefined;
    const port = portsOf(task)[Number(index)];
    const host = containerIp(task, status) ?? this.#agents.get(task.agent_id.value)?.host;
    if (port === undefined || host === undefined) return undefined;
    return {
      name,
      origin: `${scheme}://${hostText(host)}:${port}`,
      keepsPrefix: labelOf(task, 'DCOS_SERVICE_REWRITE_REQUEST_URLS') === 'false',
    };
  }
}

function taskKey(task: Task): string {
  return returnedTaskKey(task.framework_id.value, task.task_id.value);
}

function labelOf(task: Task, key: string): string | undefined {
  return task.labels?.labels?.find((label) => label.key === key)?.value;
}

/** The ports in the order of the app definition, which only the discovery info keeps. */
function portsOf(task: Task): readonly number[] {
  const discovered = (task.discovery?.ports?.ports ?? []).map(({ number }) => number);
  if (discovered.length > 0) return discovered;
  return (task.resources ?? [])
    .filter(({ name }) => name === 'ports')
    .flatMap(({ ranges }) => ranges?.range ?? [])
    .flatMap(({ begin, end }) =>
      Array.from({ length: Math.min(end - begin + 1, 1_000) }, (_, at) => begin + at),
    );
}

/** The task's own address when it lives on a network of containers. */
function containerIp(task: Task, status: TaskStatus | undefined): string | undefined {
  const named = task.container?.network_infos?.some(
    ({ name }) => name !== undefined && name !== '',
  );
  if (named !== true) return undefined;
  return status?.container_status?.network_infos?.[0]?.ip_addresses?.[0]?.ip_address;
}

/** A host as it stands in a URL. */
export function hostText(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Host and port from the pid `slave(1)@host:port`, else from the agent's own description. */
function agentAddress(agent: masterApi.Response_GetAgents_Agent): {
  readonly host: string;
  readonly port: number;
} {
  const match = /@(.+):(\d+)$/.exec(agent.pid ?? '');
  if (match === null)
    return { host: agent.agent_info.hostname, port: agent.agent_info.port ?? 5051 };
  return { host: (match[1] ?? '').replaceAll(/^\[|\]$/g, ''), port: Number(match[2]) };
}
