/**
 * What the master's core does, said once more as simply as possible: one method for each thing that can happen,
 * and each says what must be sent. Who gets offers is not specified: offers are learned, and checked for what
 * may be in them. Property tests feed real core and specification with the same events and compare what was
 * sent and what both know afterwards.
 *
 * Left out: what is written to the registry, operators' events, and the order of messages to different parties.
 */

import { assert } from '@dcos/base';
import type { TaskState } from '@dcos/wire';
import { isTerminal } from '../core/task-state.ts';
import {
  EXECUTOR,
  fits,
  lastSaid,
  minus,
  NOTHING,
  plus,
  SpecifiedBooks,
  type Amounts,
  type ReportedTask,
  type ReportedUpdate,
  type SpecifiedAgent,
  type SpecifiedFramework,
  type SpecifiedLaunch,
} from './specified-books.ts';

export class Specification extends SpecifiedBooks {
  readonly #pingsMissedMax: number;

  constructor(pingsMissedMax: number) {
    super();
    this.#pingsMissedMax = pingsMissedMax;
  }

  // Frameworks

  /** @param granted the id of a new framework and the stream, which the master chose. */
  subscribe(
    info: { readonly id: string; readonly checkpoint: boolean; readonly isPartitionAware: boolean },
    granted: { readonly id: string; readonly stream: string },
  ): void {
    if (this.removedFrameworks.has(info.id)) {
      this.say(`${granted.stream} ERROR`, `close ${granted.stream}`);
      return;
    }
    const known = this.frameworks.get(info.id);
    if (known === undefined) {
      const tasks = { live: new Map(), unreachable: new Map(), completed: new Map() };
      const { stream, id } = granted;
      this.frameworks.set(id, { ...info, ...tasks, id, stream });
      return;
    }
    if (known.stream !== undefined) this.say(`${known.stream} ERROR`, `close ${known.stream}`);
    this.dropOffers(({ framework }) => framework === known.id);
    known.stream = granted.stream;
    known.isPartitionAware = info.isPartitionAware;
    for (const task of known.live.values()) {
      if (task.unacknowledged !== undefined) this.tell(known, task.id, task.unacknowledged);
    }
  }

  streamClosed(stream: string): void {
    const framework = this.ofStream(stream);
    if (framework === undefined) return;
    framework.stream = undefined;
    this.dropOffers((offer) => offer.framework === framework.id);
    this.say(`close ${stream}`);
  }

  /** A call on a stream: whether it may be carried out, with the answer if not. */
  mayCall(id: string, stream: string | undefined): boolean {
    const framework = this.frameworks.get(id);
    const status =
      framework === undefined
        ? 400
        : framework.stream === undefined
          ? 403
          : framework.stream === stream
            ? 202
            : 400;
    this.reply(status);
    return status === 202;
  }

  removeFramework(id: string): void {
    const framework = this.framework(id);
    this.dropOffers((offer) => offer.framework === id);
    for (const agent of this.agents.values()) {
      this.order(agent, `SHUTDOWN_FRAMEWORK ${id}`);
      agent.kills.delete(id);
      for (const key of agent.executors) if (key.startsWith(`${id} `)) agent.executors.delete(key);
    }
    if (framework.stream !== undefined) this.say(`close ${framework.stream}`);
    this.frameworks.delete(id);
    this.removedFrameworks.add(id);
  }

  accept(id: string, offerIds: readonly string[], launches: readonly SpecifiedLaunch[]): void {
    const framework = this.framework(id);
    const offers = offerIds.map((offer) => this.offers.get(offer));
    const [first] = offers;
    assert(
      first !== undefined && !offers.includes(undefined),
      'tests accept offers that are valid',
    );
    let left = offers.reduce((sum, offer) => plus(sum, offer?.amounts ?? NOTHING), NOTHING);
    for (const offer of offerIds) this.offers.delete(offer);
    const agent = this.agent(first.agent);
    for (const { executor, tasks } of launches) {
      // Each task on its own is as a group of one without an executor.
      const groups = executor === undefined ? tasks.map((task) => [task]) : [tasks];
      for (const group of groups)
        left = minus(left, this.#launch(framework, agent, { executor, tasks: group }, left));
    }
  }

  /** All of the tasks or none; gives what they take of what is left. */
  #launch(
    framework: SpecifiedFramework,
    agent: SpecifiedAgent,
    { executor, tasks }: SpecifiedLaunch,
    left: Amounts,
  ): Amounts {
    const ids = tasks.map(({ id }) => id);
    const key = `${framework.id} ${executor}`;
    const isNew = executor !== undefined && !agent.executors.has(key);
    const needed = tasks.reduce(
      (sum, { amounts }) => plus(sum, amounts),
      isNew ? EXECUTOR : NOTHING,
    );
    const isKnown = ids.some((id) => framework.live.has(id) || framework.unreachable.has(id));
    if (ids.length === 0 || isKnown || new Set(ids).size < ids.length || !fits(needed, left)) {
      for (const id of ids) this.tell(framework, id, 'TASK_ERROR');
      return NOTHING;
    }
    for (const task of tasks)
      this.addTask(framework, agent, { ...task, framework: framework.id, state: 'TASK_STAGING' });
    if (isNew) agent.executors.add(key);
    const what = `${ids.join()}${isNew ? ' with its executor' : ''}`;
    this.order(agent, executor === undefined ? `RUN_TASK ${what}` : `RUN_TASK_GROUP ${what}`);
    return needed;
  }

  executorExited(agent: SpecifiedAgent, framework: string, executor: string): void {
    agent.executors.delete(`${framework} ${executor}`);
  }

  decline(offerIds: readonly string[]): void {
    for (const offer of offerIds) this.offers.delete(offer);
  }

  kill(id: string, taskId: string): void {
    const framework = this.framework(id);
    const task = framework.live.get(taskId);
    if (task === undefined) {
      this.reconcile(id, taskId, undefined);
      return;
    }
    const agent = this.agent(task.agent);
    agent.kills.set(id, (agent.kills.get(id) ?? new Set()).add(taskId));
    this.order(agent, `KILL_TASK ${taskId}`);
  }

  acknowledge(
    id: string,
    on: { readonly agent: string; readonly task: string; readonly uuid: string },
  ): void {
    const agent = this.agents.get(on.agent);
    if (agent?.connection === undefined) return;
    const framework = this.framework(id);
    const task = framework.live.get(on.task);
    const known = task?.agent === on.agent ? task : undefined;
    if (known !== undefined && known.sent === undefined) return;
    if (known?.sent?.uuid === on.uuid) {
      known.unacknowledged = undefined;
      if (isTerminal(known.sent.state)) this.complete(framework, known);
    }
    this.order(agent, `ACKNOWLEDGE ${on.task} ${on.uuid}`);
  }

  /** One question; without any, all tasks are answered. */
  reconcile(id: string, taskId: string | undefined, agentId: string | undefined): void {
    const framework = this.framework(id);
    if (taskId === undefined) {
      for (const task of framework.live.values()) this.tell(framework, task.id, lastSaid(task));
      return;
    }
    const live = framework.live.get(taskId);
    const away = framework.unreachable.get(taskId);
    const place = away?.agent ?? agentId ?? '';
    if (live !== undefined) this.tell(framework, taskId, lastSaid(live));
    else if (away !== undefined && isTerminal(lastSaid(away)))
      this.tell(framework, taskId, lastSaid(away));
    else if (this.agents.has(place)) this.tell(framework, taskId, 'TASK_GONE');
    else if (this.unreachableAgents.has(place)) this.tell(framework, taskId, 'TASK_UNREACHABLE');
    else if (this.goneAgents.has(place)) this.tell(framework, taskId, 'TASK_GONE_BY_OPERATOR');
    else this.tell(framework, taskId, 'TASK_UNKNOWN');
  }

  // Agents

  /** @param granted the id of a new agent, which the master chose. */
  register(
    connection: number,
    agent: { readonly id: string | undefined; readonly port: number; readonly amounts: Amounts },
    granted: string,
    reported: {
      readonly frameworks: readonly string[];
      readonly tasks: readonly ReportedTask[];
      readonly executors: readonly { readonly framework: string; readonly id: string }[];
    },
  ): void {
    if (agent.id !== undefined && this.goneAgents.has(agent.id)) {
      this.say(`agent#${connection} REJECTED`, `close agent#${connection}`);
      return;
    }
    if (agent.id === undefined) {
      for (const other of this.agents.values())
        if (other.port === agent.port) this.removeAgent(other.id, 'TASK_GONE');
    }
    const id = agent.id ?? granted;
    this.unreachableAgents.delete(id);
    const known = this.agents.get(id);
    if (known?.connection !== undefined) this.say(`close agent#${known.connection}`);
    const executors = new Set<string>();
    const present = known ?? {
      ...agent,
      id,
      connection,
      pingsMissed: 0,
      kills: new Map(),
      executors,
    };
    for (const { framework, id: executor } of reported.executors)
      if (this.frameworks.has(framework)) executors.add(`${framework} ${executor}`);
    present.executors = executors;
    present.connection = connection;
    present.pingsMissed = 0;
    this.agents.set(id, present);
    this.say(`agent#${connection} REGISTERED`);
    this.#compareTasks(present, reported);
  }

  /** The agent knows best about the tasks that it has. */
  #compareTasks(
    agent: SpecifiedAgent,
    reported: { readonly frameworks: readonly string[]; readonly tasks: readonly ReportedTask[] },
  ): void {
    for (const id of reported.frameworks)
      if (this.removedFrameworks.has(id)) this.order(agent, `SHUTDOWN_FRAMEWORK ${id}`);
    for (const task of reported.tasks) {
      const framework = this.frameworks.get(task.framework);
      const known = framework?.live.get(task.id);
      if (framework === undefined || known?.agent === agent.id) continue;
      if (known !== undefined || framework.completed.has(task.id)) {
        if (!isTerminal(task.state)) this.order(agent, `KILL_TASK ${task.id}`);
        continue;
      }
      this.addTask(framework, agent, task);
      if (framework.unreachable.delete(task.id)) this.tell(framework, task.id, task.state);
    }
    for (const framework of this.frameworks.values()) {
      const isReported = (id: string): boolean =>
        reported.tasks.some((task) => task.id === id && task.framework === framework.id);
      const missing: string[] = [];
      for (const task of this.tasksOn(agent, framework)) {
        if (isReported(task.id)) continue;
        if (!isTerminal(task.state)) missing.push(task.id);
        else {
          this.complete(framework, task);
          if (task.sent === undefined || !isTerminal(task.sent.state))
            this.tell(framework, task.id, task.state);
        }
      }
      if (missing.length > 0) this.order(agent, `RECONCILE ${missing.sort().join()}`);
      this.#giveUpUnreachable(framework, agent);
      for (const task of agent.kills.get(framework.id) ?? [])
        this.order(agent, `KILL_TASK ${task}`);
    }
  }

  #giveUpUnreachable(framework: SpecifiedFramework, agent: SpecifiedAgent): void {
    for (const task of framework.unreachable.values()) {
      if (task.agent !== agent.id) continue;
      framework.unreachable.delete(task.id);
      const state = isTerminal(task.state) ? task.state : this.stateFor(framework, 'TASK_GONE');
      framework.completed.set(task.id, state);
      if (framework.isPartitionAware) this.tell(framework, task.id, state);
    }
  }

  /** Any frame but REGISTER: a sign of life, if the connection speaks for an agent. */
  heard(connection: number): SpecifiedAgent | undefined {
    const agent = [...this.agents.values()].find((known) => known.connection === connection);
    if (agent === undefined) this.say(`close agent#${connection}`);
    else agent.pingsMissed = 0;
    return agent;
  }

  update(agent: SpecifiedAgent, update: ReportedUpdate): void {
    const framework = this.frameworks.get(update.framework);
    const live = framework?.live.get(update.task);
    const task = live?.agent === agent.id ? live : undefined;
    if (framework === undefined || (task === undefined && framework.completed.has(update.task))) {
      this.order(agent, `ACKNOWLEDGE ${update.task} ${update.uuid}`);
      return;
    }
    const state = this.stateFor(framework, update.state);
    if (task !== undefined) {
      task.unacknowledged = state;
      if (task.sent?.uuid !== update.uuid) {
        const latest = isTerminal(state) ? state : this.stateFor(framework, update.latest);
        if (!isTerminal(task.state)) task.state = latest;
        task.sent = { uuid: update.uuid, state };
      }
    }
    this.tell(framework, update.task, state);
  }

  agentClosed(connection: number): void {
    const agent = [...this.agents.values()].find((known) => known.connection === connection);
    if (agent === undefined) return;
    agent.connection = undefined;
    this.rescind(agent);
    for (const framework of this.frameworks.values()) {
      if (framework.checkpoint) continue;
      for (const task of this.tasksOn(agent, framework))
        if (!isTerminal(task.state)) this.end(framework, task, 'TASK_LOST');
    }
  }

  /** The time for a ping has come. */
  ping(id: string): void {
    const agent = this.agents.get(id);
    if (agent === undefined) return;
    if (agent.pingsMissed >= this.#pingsMissedMax) this.#markUnreachable(agent);
    else agent.pingsMissed += 1;
  }

  #markUnreachable(agent: SpecifiedAgent): void {
    this.rescind(agent);
    for (const framework of this.frameworks.values()) {
      const state = this.stateFor(framework, 'TASK_UNREACHABLE');
      for (const task of this.tasksOn(agent, framework)) {
        if (!isTerminal(lastSaid(task))) this.tell(framework, task.id, state);
        if (!isTerminal(task.state)) task.state = state;
        framework.live.delete(task.id);
        framework.unreachable.set(task.id, task);
      }
    }
    this.#forget(agent);
    this.unreachableAgents.add(agent.id);
  }

  markGone(id: string): boolean {
    if (this.goneAgents.has(id)) return true;
    const agent = this.agents.get(id);
    const isKnown = agent !== undefined || this.unreachableAgents.delete(id);
    if (isKnown) this.goneAgents.add(id);
    if (agent !== undefined) {
      this.order(agent, 'SHUTDOWN');
      this.removeAgent(id, 'TASK_GONE_BY_OPERATOR');
    }
    return isKnown;
  }

  removeAgent(id: string, fate: TaskState): void {
    const agent = this.agent(id);
    this.rescind(agent);
    for (const framework of this.frameworks.values()) {
      for (const task of this.tasksOn(agent, framework))
        this.end(framework, task, isTerminal(task.state) ? task.state : fate);
    }
    this.#forget(agent);
  }

  #forget(agent: SpecifiedAgent): void {
    if (agent.connection !== undefined) this.say(`close agent#${agent.connection}`);
    this.agents.delete(agent.id);
  }
}
