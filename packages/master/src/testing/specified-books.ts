/**
 * The books of the specification (see `specification.ts`): frameworks, agents, tasks and offers as plain maps,
 * what may be in them, and what was said about them.
 */

import { assert } from '@dcos/base';
import type { Offer, Resource, TaskState } from '@dcos/wire';
import { isTerminal } from '../core/task-state.ts';

/** A framework that does not know partitions hears TASK_LOST instead of these. */
const PARTITION_STATES: ReadonlySet<TaskState> = new Set<TaskState>([
  'TASK_UNREACHABLE',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
  'TASK_UNKNOWN',
]);

/** Thousandths of cpus, memory and disk: all that tests run short of. */
export interface Amounts {
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
}

export interface SpecifiedTask {
  readonly id: string;
  readonly framework: string;
  readonly agent: string;
  readonly amounts: Amounts;
  state: TaskState;
  /** The last update that its agent sent. */
  sent: { readonly uuid: string; readonly state: TaskState } | undefined;
  /** The update that the framework has not acknowledged. */
  unacknowledged: TaskState | undefined;
}

export interface SpecifiedFramework {
  readonly id: string;
  stream: string | undefined;
  checkpoint: boolean;
  isPartitionAware: boolean;
  readonly live: Map<string, SpecifiedTask>;
  readonly unreachable: Map<string, SpecifiedTask>;
  readonly completed: Map<string, TaskState>;
}

export interface SpecifiedAgent {
  readonly id: string;
  readonly port: number;
  readonly amounts: Amounts;
  connection: number | undefined;
  pingsMissed: number;
  readonly kills: Map<string, Set<string>>;
  /** Executors of groups that run, as `framework executor`; all of one size. */
  executors: Set<string>;
}

export interface SpecifiedOffer {
  readonly framework: string;
  readonly agent: string;
  readonly amounts: Amounts;
}

/** Tasks that an ACCEPT launches, each on its own, or all of them under an executor. */
export interface SpecifiedLaunch {
  readonly executor: string | undefined;
  readonly tasks: readonly { readonly id: string; readonly amounts: Amounts }[];
}

/** A task as its agent reports it. */
export interface ReportedTask {
  readonly framework: string;
  readonly id: string;
  readonly state: TaskState;
  readonly amounts: Amounts;
}

/** An update as its agent sends it. */
export interface ReportedUpdate {
  readonly framework: string;
  readonly task: string;
  readonly state: TaskState;
  readonly latest: TaskState;
  readonly uuid: string;
}

export class SpecifiedBooks {
  readonly frameworks = new Map<string, SpecifiedFramework>();
  readonly removedFrameworks = new Set<string>();
  readonly agents = new Map<string, SpecifiedAgent>();
  readonly unreachableAgents = new Set<string>();
  readonly goneAgents = new Set<string>();
  readonly offers = new Map<string, SpecifiedOffer>();
  #said: string[] = [];

  /** What must have been sent since the last call, as lines in alphabetical order. */
  said(): readonly string[] {
    const said = this.#said.sort();
    this.#said = [];
    return said;
  }

  /** A request is answered. */
  reply(status: number): void {
    this.say(`reply ${status}`);
  }

  /** An offer that the master made: both sides are there, and nothing is given twice. */
  offered(offer: Offer): void {
    const framework = this.framework(offer.framework_id.value);
    const agent = this.agent(offer.agent_id.value);
    assert(framework.stream !== undefined, 'who is offered something is subscribed');
    assert(agent.connection !== undefined, 'what is offered is there');
    const amounts = amountsOf(offer.resources);
    this.offers.set(offer.id.value, { framework: framework.id, agent: agent.id, amounts });
    assert(fits(this.taken(agent.id), agent.amounts), `agent ${agent.id} has no more than it has`);
  }

  /** Offered and used on an agent. */
  taken(agentId: string): Amounts {
    let sum = this.used(agentId);
    for (const offer of this.offers.values())
      if (offer.agent === agentId) sum = plus(sum, offer.amounts);
    return sum;
  }

  /** What tasks and executors have of an agent. */
  used(agentId: string): Amounts {
    let sum = NOTHING;
    const executors = this.agents.get(agentId)?.executors.size ?? 0;
    for (let count = 0; count < executors; count++) sum = plus(sum, EXECUTOR);
    for (const { live } of this.frameworks.values())
      for (const task of live.values())
        if (task.agent === agentId && !isTerminal(task.state)) sum = plus(sum, task.amounts);
    return sum;
  }

  protected rescind(agent: SpecifiedAgent): void {
    for (const [id, offer] of this.offers) {
      if (offer.agent !== agent.id) continue;
      this.offers.delete(id);
      this.say(`${this.framework(offer.framework).stream} RESCIND ${id}`);
    }
  }

  protected dropOffers(isDropped: (offer: SpecifiedOffer) => boolean): void {
    for (const [id, offer] of this.offers) if (isDropped(offer)) this.offers.delete(id);
  }

  protected addTask(
    framework: SpecifiedFramework,
    agent: SpecifiedAgent,
    { id, state, amounts }: ReportedTask,
  ): void {
    framework.live.set(id, {
      id,
      framework: framework.id,
      agent: agent.id,
      amounts,
      state,
      sent: undefined,
      unacknowledged: undefined,
    });
  }

  protected end(framework: SpecifiedFramework, task: SpecifiedTask, state: TaskState): void {
    if (!isTerminal(task.state)) task.state = this.stateFor(framework, state);
    this.complete(framework, task);
    this.tell(framework, task.id, state);
  }

  protected complete(framework: SpecifiedFramework, task: SpecifiedTask): void {
    framework.live.delete(task.id);
    framework.completed.set(task.id, task.state);
    this.agents.get(task.agent)?.kills.get(framework.id)?.delete(task.id);
  }

  protected tasksOn(
    agent: SpecifiedAgent,
    framework: SpecifiedFramework,
  ): readonly SpecifiedTask[] {
    return [...framework.live.values()].filter((task) => task.agent === agent.id);
  }

  protected stateFor(framework: SpecifiedFramework, state: TaskState): TaskState {
    return PARTITION_STATES.has(state) && !framework.isPartitionAware ? 'TASK_LOST' : state;
  }

  protected tell(framework: SpecifiedFramework, task: string, state: TaskState): void {
    if (framework.stream === undefined) return;
    this.say(`${framework.stream} UPDATE ${task} ${this.stateFor(framework, state)}`);
  }

  protected order(agent: SpecifiedAgent, what: string): void {
    if (agent.connection !== undefined) this.say(`agent#${agent.connection} ${what}`);
  }

  protected say(...lines: readonly string[]): void {
    this.#said.push(...lines);
  }

  protected ofStream(stream: string): SpecifiedFramework | undefined {
    return [...this.frameworks.values()].find((framework) => framework.stream === stream);
  }

  protected framework(id: string): SpecifiedFramework {
    const framework = this.frameworks.get(id);
    assert(framework !== undefined, `the specification knows the framework ${id}`);
    return framework;
  }

  protected agent(id: string): SpecifiedAgent {
    const agent = this.agents.get(id);
    assert(agent !== undefined, `the specification knows the agent ${id}`);
    return agent;
  }
}

/** The state that a framework heard last from the agent; what is known when it heard none. */
export function lastSaid(task: SpecifiedTask): TaskState {
  return task.sent?.state ?? task.state;
}

export const NOTHING: Amounts = { cpus: 0, mem: 0, disk: 0 };
/** What an executor of groups has. */
export const EXECUTOR: Amounts = { cpus: 100, mem: 32_000, disk: 10_000 };

export function plus(left: Amounts, right: Amounts): Amounts {
  return {
    cpus: left.cpus + right.cpus,
    mem: left.mem + right.mem,
    disk: left.disk + right.disk,
  };
}

export function minus(left: Amounts, right: Amounts): Amounts {
  return {
    cpus: left.cpus - right.cpus,
    mem: left.mem - right.mem,
    disk: left.disk - right.disk,
  };
}

export function fits(wanted: Amounts, left: Amounts): boolean {
  return wanted.cpus <= left.cpus && wanted.mem <= left.mem && wanted.disk <= left.disk;
}

/** The sums of cpus, memory and disk. */
export function amountsOf(resources: readonly Resource[] | undefined): Amounts {
  const sumOf = (wanted: string): number =>
    (resources ?? []).reduce(
      (sum, { name, scalar }) =>
        name === wanted ? sum + Math.round((scalar?.value ?? 0) * 1000) : sum,
      0,
    );
  return { cpus: sumOf('cpus'), mem: sumOf('mem'), disk: sumOf('disk') };
}
