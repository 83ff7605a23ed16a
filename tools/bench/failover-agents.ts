/**
 * Agents that outlive masters, many in one process: each has its connection, remembers its tasks, and comes back
 * to whoever leads after waits like those of a real one. They look for the leader together, since a thousand
 * hosts' sessions with ZooKeeper are not what is measured.
 */

import { WebSocket } from 'ws';
import { silentLogger } from '@dcos/base';
import { mastersOf, type FollowedMaster } from '@dcos/store';
import { agentProtocol, decode, encode, type Task } from '@dcos/wire';
import { createSystemRandom, systemClock } from '../../packages/master/src/shell/system-ports.ts';
import { newAgentFrame, runningFrame } from './kernel-agents.ts';
import { AGENT_RESOURCES } from './kernel-master.ts';

/** Of the original's agents, as of ours. */
const BACKOFF_MS_MAX = 60_000;
const LABELS = Array.from({ length: 10 }, (_, index) => ({
  key: `key-${index}`,
  value: `value-${index}`,
}));

export interface ReturningAgentsOptions {
  /** Where masters elect their leader. */
  readonly zk: string;
  readonly agents: number;
  /** Number of the first. */
  readonly first: number;
  /** Tasks that each is to have. */
  readonly tasksPerAgent: number;
  /** The first random wait at most. */
  readonly backoffMs: number;
  /** The first of them is registered with this master, or all are. */
  readonly onRegistered: (master: string, who: 'first' | 'all') => void;
  /** All have their tasks, and all updates are acknowledged. */
  readonly onSettled: () => void;
}

interface FakeAgent {
  readonly index: number;
  readonly tasks: Task[];
  id: string | undefined;
  socket: WebSocket | undefined;
  timer: NodeJS.Timeout | undefined;
  attempts: number;
  acknowledged: number;
  /** What it says of itself when it comes back; made beforehand, since real agents have hosts of their own. */
  returnFrame: Uint8Array | undefined;
}

export class ReturningAgents {
  readonly #options: ReturningAgentsOptions;
  readonly #agents: readonly FakeAgent[];
  #frameworkInfo: agentProtocol.RunTask['framework_info'] | undefined;
  #leader: string | undefined;
  readonly #registered = new Set<FakeAgent>();
  #settled = 0;

  constructor(options: ReturningAgentsOptions) {
    this.#options = options;
    this.#agents = Array.from({ length: options.agents }, (_, index) => ({
      index: options.first + index,
      tasks: [],
      id: undefined,
      socket: undefined,
      timer: undefined,
      attempts: 0,
      acknowledged: 0,
      returnFrame: undefined,
    }));
  }

  start(): void {
    const masters = mastersOf(this.#options.zk, {
      hasTls: false,
      clock: systemClock,
      random: createSystemRandom(),
      logger: silentLogger,
    });
    (masters as FollowedMaster).follow(([leader]) => this.#follow(leader));
  }

  /** Lets all agents write down what they will say when they come back. */
  prepare(): void {
    for (const agent of this.#agents) {
      agent.returnFrame = encode(agentProtocol.ToMasterType, this.#returning(agent));
    }
  }

  #follow(leader: string | undefined): void {
    this.#leader = leader;
    this.#registered.clear();
    if (leader === undefined) return;
    for (const agent of this.#agents) {
      // As of a real agent: what was opened to another one is of no use, and the waits begin anew.
      agent.attempts = 0;
      if (agent.socket !== undefined) agent.socket.terminate();
      else this.#later(agent);
    }
  }

  /** The wait of a real agent before an attempt: random, with a bound that doubles. */
  #later(agent: FakeAgent): void {
    const bound = Math.min(this.#options.backoffMs * 2 ** agent.attempts, BACKOFF_MS_MAX);
    agent.attempts += 1;
    clearTimeout(agent.timer);
    agent.timer = setTimeout(() => this.#attempt(agent), Math.random() * bound);
  }

  #attempt(agent: FakeAgent): void {
    const master = this.#leader;
    // The next leader is waited for.
    if (master === undefined) return;
    const socket = new WebSocket(`${master.replace('http', 'ws')}/api/agent`, {
      perMessageDeflate: false,
    });
    agent.socket = socket;
    socket.on('open', () => socket.send(this.#registration(agent)));
    socket.on('message', (data: Buffer) => {
      if (agent.socket !== socket) return;
      const frame = decode(agentProtocol.ToAgentType, data);
      if (frame.registered !== undefined) this.#onRegistered(agent, master, frame.registered);
      else this.#onFrame(agent, socket, frame);
    });
    // What went wrong shows by the end of the connection.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (agent.socket !== socket) return;
      agent.socket = undefined;
      this.#later(agent);
    });
  }

  #registration(agent: FakeAgent): Uint8Array {
    if (agent.returnFrame !== undefined) return agent.returnFrame;
    const frame = agent.id === undefined ? newAgentFrame(agent.index) : this.#returning(agent);
    return encode(agentProtocol.ToMasterType, frame);
  }

  #onRegistered(agent: FakeAgent, master: string, registered: agentProtocol.Registered): void {
    agent.id = registered.agent_id.value;
    agent.attempts = 0;
    if (master !== this.#leader) return;
    const { size } = this.#registered.add(agent);
    if (size === 1) this.#options.onRegistered(master, 'first');
    if (size === this.#agents.length) this.#options.onRegistered(master, 'all');
  }

  #onFrame(agent: FakeAgent, socket: WebSocket, frame: agentProtocol.ToAgent): void {
    if (frame.run_task !== undefined) {
      const { framework_info, task } = frame.run_task;
      this.#frameworkInfo = framework_info;
      agent.tasks.push({
        name: task.name,
        task_id: task.task_id,
        framework_id: framework_info.id ?? { value: '' },
        agent_id: task.agent_id,
        state: 'TASK_RUNNING',
        resources: task.resources ?? [],
        labels: { labels: LABELS },
      });
      socket.send(runningFrame(frame.run_task));
    } else if (frame.type === 'ACKNOWLEDGE') {
      agent.acknowledged += 1;
      if (agent.acknowledged !== this.#options.tasksPerAgent) return;
      this.#settled += 1;
      if (this.#settled === this.#agents.length) this.#options.onSettled();
    } else if (frame.type === 'PING') {
      socket.send(encode(agentProtocol.ToMasterType, { type: 'PONG' }));
    }
  }

  #returning(agent: FakeAgent): agentProtocol.ToMaster {
    const frame = newAgentFrame(agent.index);
    const { register } = frame;
    if (register === undefined || agent.id === undefined) return frame;
    return {
      ...frame,
      register: {
        ...register,
        agent_info: { ...register.agent_info, id: { value: agent.id } },
        total_resources: AGENT_RESOURCES,
        tasks: agent.tasks,
        frameworks: this.#frameworkInfo === undefined ? [] : [this.#frameworkInfo],
      },
    };
  }
}
