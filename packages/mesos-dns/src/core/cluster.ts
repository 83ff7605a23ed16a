/**
 * Follows the cluster's event stream and keeps the zone equal to it.
 *
 * Invariants: the zone holds exactly the records of: running tasks of known frameworks on known agents,
 * known agents, known frameworks with an address, and the masters; applying a snapshot and applying
 * the changes that lead to it give the same zone; one event costs time by the records it touches. An agent
 * that a new leader has yet to hear of is known, and what runs there is what ran there.
 * Source: observed behaviour of Mesos-DNS, which rebuilds everything each minute instead.
 */

import { unreachable } from '@dcos/base';
import {
  isTerminal,
  returnedTaskKey as taskKey,
  ReturningAgents,
  type ClusterEvent,
  type FrameworkInfo,
  type masterApi,
  type ReturnedAgent,
  type Task,
  type TaskState,
  type TaskStatus,
} from '@dcos/wire';
import { ipFamily } from './address.ts';
import {
  agentAddress,
  newestRunning,
  sameRecords,
  type ClusterChange,
  type ZoneEvent,
} from './cluster-events.ts';
import {
  addressRecords,
  agentRecords,
  frameworkRecords,
  masterRecords,
  taskRecords,
  type NamedTask,
  type NamingOptions,
} from './records.ts';
import { Zone, type ZoneRecord } from './zone.ts';

interface TaskEntry {
  readonly key: string;
  readonly frameworkId: string;
  task: NamedTask;
  state: TaskState;
  records: readonly ZoneRecord[];
}

interface AgentEntry {
  readonly host: string;
  readonly port: number | undefined;
  readonly taskKeys: Set<string>;
  known: boolean;
  records: readonly ZoneRecord[];
}

interface FrameworkEntry {
  readonly id: string;
  name: string;
  host: string;
  readonly taskKeys: Set<string>;
  known: boolean;
  records: readonly ZoneRecord[];
}

/** Host names kept resolved; more are treated as unresolvable. */
export const HOSTS_MAX = 100_000;

export class Cluster {
  readonly zone = new Zone();
  readonly #options: NamingOptions;
  readonly #tasks = new Map<string, TaskEntry>();
  readonly #agents = new Map<string, AgentEntry>();
  readonly #frameworks = new Map<string, FrameworkEntry>();
  readonly #hosts = new Map<string, readonly string[]>();
  readonly #returning = new ReturningAgents();
  #masters: readonly ZoneRecord[] = [];
  #changed = false;
  #unresolved = new Set<string>();

  /**
   * @param nameServer name of this server and the addresses at which it listens; its records always stand.
   */
  constructor(
    options: NamingOptions,
    nameServer: { readonly name: string; readonly ips: readonly string[] } = { name: '', ips: [] },
  ) {
    this.#options = options;
    for (const record of addressRecords([nameServer.name], nameServer.ips)) this.zone.add(record);
  }

  apply(event: ZoneEvent): ClusterChange {
    this.#changed = false;
    this.#unresolved = new Set();
    this.#dispatch(event);
    return { changed: this.#changed, resolve: [...this.#unresolved] };
  }

  /** Frameworks and their running tasks with the records of each, for listings. */
  *listing(): Generator<{
    readonly framework: string;
    readonly tasks: readonly {
      readonly name: string;
      readonly id: string;
      readonly records: readonly ZoneRecord[];
    }[];
  }> {
    for (const framework of this.#frameworks.values()) {
      if (!framework.known) continue;
      const entries = [...framework.taskKeys].flatMap((key) => this.#tasks.get(key) ?? []);
      yield {
        framework: framework.name,
        tasks: entries
          .filter(({ state }) => state === 'TASK_RUNNING')
          .map(({ task, records }) => ({ name: task.name, id: task.taskId, records })),
      };
    }
  }

  #dispatch(event: ZoneEvent): void {
    switch (event.kind) {
      case 'snapshot':
        return this.#snapshot(event.state);
      case 'masters':
        this.#masters = this.#replace(
          this.#masters,
          masterRecords(event.leader, event.masters, this.#options.domain),
        );
        return undefined;
      case 'hostResolved':
        return this.#hostResolved(event.host, event.ips);
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
        return this.#dropAgent(event.agentId.value);
      case 'frameworkAdded':
      case 'frameworkUpdated':
        return this.#putFramework(event.framework.framework_info);
      case 'frameworkRemoved':
        return this.#dropFramework(event.framework.id?.value ?? '');
      default:
        return unreachable(event);
    }
  }

  /** Becomes what the snapshot says by changing only what differs: names that stay never blink. */
  #snapshot(state: masterApi.Response_GetState): void {
    const agents = state.get_agents?.agents ?? [];
    const frameworks = state.get_frameworks;
    const tasks = [
      ...(state.get_tasks?.tasks ?? []),
      ...(state.get_tasks?.unreachable_tasks ?? []),
    ];
    const agentIds = new Set(agents.map(({ agent_info }) => agent_info.id?.value));
    const infos = [
      ...(frameworks?.frameworks ?? []).map(({ framework_info }) => framework_info),
      ...(frameworks?.recovered_frameworks ?? []),
    ];
    const frameworkIds = new Set(infos.map(({ id }) => id?.value));
    const keys = new Set(tasks.map((task) => taskKey(task.framework_id.value, task.task_id.value)));
    this.#returning.begin(state);
    for (const [key, { task }] of this.#tasks) {
      if (!keys.has(key) && !this.#returning.has(task.agentId)) this.#dropTask(key);
    }
    for (const id of this.#agents.keys()) {
      if (!agentIds.has(id) && !this.#returning.has(id)) this.#dropAgent(id);
    }
    for (const id of this.#frameworks.keys()) if (!frameworkIds.has(id)) this.#dropFramework(id);
    for (const agent of agents) this.#putAgent(agent);
    for (const info of infos) this.#putFramework(info);
    for (const task of tasks) this.#putTask(task);
  }

  /** What an agent that is back does not have any more. */
  #dropUnnamed(returned: ReturnedAgent | undefined): void {
    const keys = returned && this.#agents.get(returned.agentId)?.taskKeys;
    for (const key of keys ?? []) if (returned?.taskKeys.has(key) === false) this.#dropTask(key);
  }

  #putTask(task: Task): void {
    const frameworkId = task.framework_id.value;
    const key = taskKey(frameworkId, task.task_id.value);
    if (isTerminal(task.state)) return this.#dropTask(key);
    const agentId = task.agent_id.value;
    const before = this.#tasks.get(key);
    if (before !== undefined && before.task.agentId !== agentId) this.#dropTask(key);
    const named: NamedTask = {
      taskId: task.task_id.value,
      name: task.name,
      agentId,
      discovery: task.discovery,
      resources: task.resources ?? [],
      running: newestRunning(task.statuses ?? []),
    };
    const entry = this.#tasks.get(key) ?? {
      key,
      frameworkId,
      task: named,
      state: task.state,
      records: [],
    };
    entry.task = named;
    entry.state = task.state;
    this.#tasks.set(key, entry);
    this.#agent(agentId).taskKeys.add(key);
    this.#framework(frameworkId).taskKeys.add(key);
    this.#refreshTask(entry);
  }

  #updateTask(frameworkId: string, status: TaskStatus, state: TaskState): void {
    const key = taskKey(frameworkId, status.task_id.value);
    const entry = this.#tasks.get(key);
    if (entry === undefined) return;
    if (isTerminal(state)) return this.#dropTask(key);
    entry.state = state;
    const { running } = entry.task;
    if (status.state === 'TASK_RUNNING' && (status.timestamp ?? 0) >= (running?.timestamp ?? 0)) {
      entry.task = { ...entry.task, running: status };
    }
    this.#refreshTask(entry);
  }

  #dropTask(key: string): void {
    const entry = this.#tasks.get(key);
    if (entry === undefined) return;
    this.#replace(entry.records, []);
    this.#tasks.delete(key);
    const agentId = entry.task.agentId;
    const agent = this.#agents.get(agentId);
    agent?.taskKeys.delete(key);
    if (agent?.known === false && agent.taskKeys.size === 0) this.#agents.delete(agentId);
    const framework = this.#frameworks.get(entry.frameworkId);
    framework?.taskKeys.delete(key);
    if (framework?.known === false && framework.taskKeys.size === 0) {
      this.#frameworks.delete(entry.frameworkId);
    }
  }

  #refreshTask(entry: TaskEntry): void {
    entry.records = this.#replace(entry.records, this.#recordsOf(entry));
  }

  #recordsOf(entry: TaskEntry): readonly ZoneRecord[] {
    const agent = this.#agents.get(entry.task.agentId);
    const framework = this.#frameworks.get(entry.frameworkId);
    if (entry.state !== 'TASK_RUNNING' || agent?.known !== true || framework?.known !== true)
      return [];
    const place = { frameworkName: framework.name, agentIps: this.#ips(agent.host) };
    return taskRecords(entry.task, place, this.#options);
  }

  #putAgent(agent: masterApi.Response_GetAgents_Agent): void {
    const id = agent.agent_info.id?.value;
    if (id === undefined) return;
    const { host, port } = agentAddress(agent);
    const before = this.#agent(id);
    const entry: AgentEntry = {
      host,
      port,
      taskKeys: before.taskKeys,
      known: true,
      records: this.#replace(
        before.records,
        agentRecords({ ips: this.#ips(host), port }, this.#options.domain),
      ),
    };
    this.#agents.set(id, entry);
    if (!before.known || before.host !== host) this.#refreshTasks(entry.taskKeys);
  }

  #dropAgent(id: string): void {
    const entry = this.#agents.get(id);
    if (entry === undefined) return;
    entry.records = this.#replace(entry.records, []);
    entry.known = false;
    if (entry.taskKeys.size === 0) this.#agents.delete(id);
    else this.#refreshTasks(entry.taskKeys);
  }

  #putFramework(info: FrameworkInfo): void {
    const id = info.id?.value;
    if (id === undefined) return;
    const entry = this.#framework(id);
    const renamed = !entry.known || entry.name !== info.name;
    entry.known = true;
    entry.name = info.name;
    entry.host = info.hostname ?? '';
    const ips = entry.host === '' ? [] : this.#ips(entry.host);
    entry.records = this.#replace(
      entry.records,
      frameworkRecords({ name: info.name, ips }, this.#options),
    );
    if (renamed) this.#refreshTasks(entry.taskKeys);
  }

  #dropFramework(id: string): void {
    const entry = this.#frameworks.get(id);
    if (entry === undefined) return;
    entry.records = this.#replace(entry.records, []);
    entry.known = false;
    for (const key of entry.taskKeys) this.#dropTask(key);
    this.#frameworks.delete(id);
  }

  /** The entry of an agent, made as unknown when a task names it before it was announced. */
  #agent(id: string): AgentEntry {
    const known = this.#agents.get(id);
    if (known !== undefined) return known;
    const entry: AgentEntry = {
      host: '',
      port: undefined,
      taskKeys: new Set(),
      known: false,
      records: [],
    };
    this.#agents.set(id, entry);
    return entry;
  }

  #framework(id: string): FrameworkEntry {
    const known = this.#frameworks.get(id);
    if (known !== undefined) return known;
    const entry: FrameworkEntry = {
      id,
      name: '',
      host: '',
      taskKeys: new Set(),
      known: false,
      records: [],
    };
    this.#frameworks.set(id, entry);
    return entry;
  }

  #refreshTasks(keys: ReadonlySet<string>): void {
    for (const key of keys) {
      const entry = this.#tasks.get(key);
      if (entry !== undefined) this.#refreshTask(entry);
    }
  }

  /** The addresses of a host, which may have to be asked for first. */
  #ips(host: string): readonly string[] {
    if (ipFamily(host) !== undefined) return [host];
    const known = this.#hosts.get(host);
    if (known === undefined && host !== '' && this.#hosts.size < HOSTS_MAX)
      this.#unresolved.add(host);
    return known ?? [];
  }

  #hostResolved(host: string, ips: readonly string[]): void {
    this.#hosts.set(host, ips);
    for (const agent of this.#agents.values()) {
      if (agent.host !== host || !agent.known) continue;
      const records = agentRecords({ ips, port: agent.port }, this.#options.domain);
      agent.records = this.#replace(agent.records, records);
      this.#refreshTasks(agent.taskKeys);
    }
    for (const framework of this.#frameworks.values()) {
      if (framework.host !== host || !framework.known) continue;
      const records = frameworkRecords({ name: framework.name, ips }, this.#options);
      framework.records = this.#replace(framework.records, records);
    }
  }

  /** Publishes the new records before the old ones go, so that what is in both never disappears. */
  #replace(before: readonly ZoneRecord[], after: readonly ZoneRecord[]): readonly ZoneRecord[] {
    if (sameRecords(before, after)) return before;
    for (const record of after) this.zone.add(record);
    for (const record of before) this.zone.remove(record);
    this.#changed = true;
    return after;
  }
}
