/**
 * Invariants, each a function from what can be seen to the first violation. Numbers as in the architecture:
 *
 * 1. Resources are never allocated twice and never lost: offered + used + free = total, on every agent, in
 *    the master's books and in the allocator's.
 * 2. A task has one terminal state at most, states only move forward, every update is delivered until it is
 *    acknowledged, in order.
 * 3. An agent that the registry does not hold runs no task; a registered agent is never forgotten.
 */

import { uuidText, type ContainerId, type Instant, type JsonValue } from '@dcos/base';
import type { Master } from '@dcos/master/core';
import {
  DEFAULT_TIMES,
  isTerminal,
  mayFollow,
  type Agent,
  type AgentSnapshot,
} from '@dcos/agent/core';
import type { TaskState } from '@dcos/wire';
import { text } from './resource-checkers.ts';
import type { SimulatedAgent } from './simulated-agent.ts';
import type { SimulatedFramework } from './simulated-framework.ts';

/** Text of a violation, or undefined when the invariant holds. */
export type Verdict = string | undefined;

/** Invariant 1 in the real world: what runs on a host fits it, and no task runs twice. */
export function checkHosts(agents: readonly SimulatedAgent[], cpusPerAgent: number): Verdict {
  const places = new Map<string, string>();
  for (const agent of agents) {
    const running = agent.runningTaskIds();
    if (running.length > cpusPerAgent)
      return `${agent.name} runs ${running.length} tasks of one cpu each on ${cpusPerAgent} cpus`;
    for (const taskId of running) {
      const other = places.get(taskId);
      if (other !== undefined) return `task ${taskId} runs on ${other} and on ${agent.name}`;
      places.set(taskId, agent.name);
    }
  }
  return undefined;
}

/**
 * Invariant 2 within one life of an agent: remembers each task's last state and compares. A new life begins
 * from what was durable; that nothing which was told is taken back is seen at the frameworks.
 */
export function createAgentStateChecker(): (life: Agent, seen: AgentSnapshot) => Verdict {
  let known: Agent | undefined;
  const states = new Map<string, TaskState>();
  return (life, { live, completed }) => {
    if (life !== known) states.clear();
    known = life;
    for (const task of [...live, ...completed]) {
      const before = states.get(task.containerId);
      if (before !== undefined && before !== task.state && !mayFollow(before, task.state)) {
        return `task ${task.taskId} went from ${before} back to ${task.state} on its agent`;
      }
      states.set(task.containerId, task.state);
    }
    return undefined;
  };
}

/**
 * Invariant 2, the agent's end of it: an update leaves an agent's stream only when its framework has seen it,
 * or was told by the master that the task had ended. A new life of the agent may have lost updates that
 * were not durable and so never left. Tasks of an agent that was removed with its machine are over for the master,
 * which says so when their framework asks: should the agent come back all the same, its updates are acknowledged.
 */
export function createAcknowledgementChecker(
  frameworks: readonly SimulatedFramework[],
  everTakenDown: ReadonlySet<string>,
): (life: Agent, seen: AgentSnapshot) => Verdict {
  let known: Agent | undefined;
  const heads = new Map<string, { readonly taskId: string; readonly uuid: string }>();
  const texts = new WeakMap<Uint8Array, string>();
  const textOf = (uuid: Uint8Array): string => {
    const text = texts.get(uuid) ?? uuidText(uuid);
    texts.set(uuid, text);
    return text;
  };
  return (life, { live, agentId }) => {
    const isExcused = agentId !== undefined && everTakenDown.has(agentId);
    if (life !== known || isExcused) heads.clear();
    known = life;
    const now = new Map<string, string>();
    for (const task of live) {
      const uuid = task.updates[0]?.uuid;
      if (uuid !== undefined) now.set(task.containerId, textOf(uuid));
    }
    for (const [container, { taskId, uuid }] of heads) {
      if (now.get(container) === uuid) continue;
      heads.delete(container);
      if (frameworks.some((framework) => framework.wasTold(taskId, uuid))) continue;
      return `the update ${uuid} of ${taskId} was acknowledged, but its framework never saw it`;
    }
    for (const task of live) {
      const uuid = now.get(task.containerId);
      if (uuid !== undefined) heads.set(task.containerId, { taskId: task.taskId, uuid });
    }
    return undefined;
  };
}

/** A container whose start could not be stopped in time is killed once it has begun; that takes a moment. */
const STRAY_MAX_MS = 2_000;

/**
 * What an agent says is durable, and a container that runs is known to a registered agent as a task that has
 * not ended.
 */
export function createContainerChecker(
  agent: SimulatedAgent,
): (seen: AgentSnapshot, now: Instant) => Verdict {
  const straySince = new Map<string, Instant>();
  return ({ phase, live }, now) => {
    const [early] = agent.toldTooEarly;
    if (early !== undefined) return `${agent.name} told ${early} before it was durable`;
    const known = new Set(
      live.filter((task) => !isTerminal(task.state)).map((task) => task.containerId),
    );
    const strays = new Set(agent.runningContainerIds().filter((id) => !known.has(id)));
    for (const id of straySince.keys()) if (!strays.has(id as ContainerId)) straySince.delete(id);
    if (phase !== 'registered') straySince.clear();
    else for (const id of strays) straySince.set(id, straySince.get(id) ?? now);
    for (const [id, since] of straySince) {
      if (now - since > STRAY_MAX_MS) return `${agent.name} runs ${id} without knowing it`;
    }
    return undefined;
  };
}

/** After SIGKILL a container ends, and its agent hears of it, within this. */
const KILL_MAX_MS = 2_000;

/**
 * A task that is told to end has its grace and no more, whatever the clock of its host is set to. An agent that was
 * restarted begins a grace anew.
 */
export function createGraceChecker(
  agent: SimulatedAgent,
): (life: Agent, seen: AgentSnapshot, now: Instant) => Verdict {
  let known: Agent | undefined;
  const since = new Map<string, Instant>();
  return (life, { live, phase }, now) => {
    if (life !== known || phase === 'recovering') since.clear();
    known = life;
    for (const { containerId: id, kill, state, startedAt, taskId } of live) {
      if (kill === undefined || startedAt === undefined || isTerminal(state)) since.delete(id);
      else if (!since.has(id)) since.set(id, now);
      if (now - (since.get(id) ?? now) > DEFAULT_TIMES.killGraceMs + KILL_MAX_MS)
        return `${agent.name} lets ${taskId} live on long after its grace`;
    }
    return undefined;
  };
}

/** Invariant 3. */
export function createRegistryChecker(
  agents: readonly SimulatedAgent[],
  registry: ReadonlyMap<string, JsonValue>,
  takenDown: Set<string>,
): () => Verdict {
  const removed = new Set<string>();
  /** The keys under which the registry may hold an agent; made once, they are looked up all the time. */
  const keys = new Map<string, readonly string[]>();
  const keysOf = (id: string): readonly string[] => {
    const known =
      keys.get(id) ??
      ['agents', 'unreachable', 'gone'].map((kind) => `master/${kind}/${encodeURIComponent(id)}`);
    keys.set(id, known);
    return known;
  };
  return () => {
    for (const agent of agents) {
      const { agentId: id, phase } = agent.core()?.snapshot() ?? {};
      if (id !== undefined) {
        if (keysOf(id).some((key) => registry.has(key))) {
          // Back after its machine was: from now on it is as any other.
          if (removed.delete(id)) takenDown.delete(id);
          continue;
        }
        if (takenDown.has(id)) {
          removed.add(id);
          continue;
        }
        return `agent ${id} believes to be registered, but the registry does not hold it`;
      }
      const [taskId] = agent.runningTaskIds();
      // An agent that starts has not read its disk yet: what runs there was launched by its predecessor.
      if (taskId !== undefined && phase === 'registered')
        return `${agent.name} runs ${taskId} without ever having been registered`;
    }
    return undefined;
  };
}

/** Liveness, after the faults have stopped and everything had time: nothing is left unsaid. */
export function checkQuiet(
  agents: readonly SimulatedAgent[],
  frameworks: readonly SimulatedFramework[],
  hasTakenDown: boolean,
  state: Master['state'] | undefined,
): Verdict {
  for (const agent of agents) {
    const core = agent.core();
    if (core === undefined) return `${agent.name} is not back`;
    const difference = checkAgreement(core.snapshot(), state);
    if (difference !== undefined) return difference;
    const unsaid = core.snapshot().live.find((task) => task.updates.length > 0);
    if (unsaid !== undefined)
      return `the update ${unsaid.updates[0]?.state} of ${unsaid.taskId} was never acknowledged`;
    const [running] = agent.runningTaskIds();
    if (running !== undefined)
      return `${agent.name} still runs ${running}, long after the last launch`;
  }
  for (const framework of frameworks) {
    // An agent that was taken down with its machine before a new master knew it stays unreachable, or unknown.
    const isEnd = (state: TaskState): boolean =>
      isTerminal(state) ||
      (hasTakenDown && (state === 'TASK_UNKNOWN' || state === 'TASK_UNREACHABLE'));
    const told = new Set(
      framework.seen.filter(({ state }) => isEnd(state)).map((update) => update.taskId),
    );
    const started = framework.seen
      .filter((update) => update.uuid !== undefined)
      .map((update) => update.taskId);
    const untold = started.find((taskId) => !told.has(taskId));
    if (untold !== undefined) return `${framework.name} was never told how ${untold} ended`;
  }
  return undefined;
}

/** At rest master and agent have the same idea of what the agent has, and no operation is under way. */
function checkAgreement(
  { agentId, total, operations }: AgentSnapshot,
  state: Master['state'] | undefined,
): Verdict {
  const known = agentId === undefined ? undefined : state?.agents.get(agentId);
  if (known === undefined) return `agent ${agentId} is not registered`;
  if (!known.total.equals(total))
    return `agent ${agentId} has ${text(total)}, the master believes ${text(known.total)}`;
  const [unsaid] = operations;
  if (unsaid !== undefined)
    return `the end of ${unsaid.info.type} ${unsaid.info.id?.value ?? ''} on ${agentId} was never acknowledged`;
  const [pending] = known.operations.values();
  return pending === undefined
    ? undefined
    : `the master waits for ever for ${pending.operation.info.type} on ${agentId}`;
}
