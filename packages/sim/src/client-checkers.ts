/**
 * Invariants as clients of the masters see them: what frameworks hear of their tasks and operations, and what
 * operators hear of the cluster.
 */

import { isTerminal } from '@dcos/agent/core';
import type { Master } from '@dcos/master/core';
import type { OperationState, TaskState } from '@dcos/wire';
import type { Verdict } from './checkers.ts';
import { isOver } from './framework-operations.ts';
import type { SeenUpdate, SimulatedFramework } from './simulated-framework.ts';
import { keyOf, type ClusterCopy } from './simulated-operator.ts';

/** Position of a state in a task's life, for order. */
const RANK: { readonly [state in TaskState]?: number } = {
  TASK_STARTING: 1,
  TASK_RUNNING: 2,
  TASK_KILLING: 3,
};

/**
 * Invariant 2 as a framework sees it. Only what an agent sent counts: answers to reconciliation describe a
 * moment and may be overtaken.
 */
export function createUpdateChecker(framework: SimulatedFramework): () => Verdict {
  interface Line {
    rank: number;
    terminal: TaskState | undefined;
    readonly uuids: Set<string>;
    lastUuid: string;
  }
  const lines = new Map<string, Line>();
  let checked = 0;

  function check(update: SeenUpdate): Verdict {
    if (update.uuid === undefined) return undefined;
    const line = lines.get(update.taskId) ?? {
      rank: 0,
      terminal: undefined,
      uuids: new Set<string>(),
      lastUuid: '',
    };
    lines.set(update.taskId, line);
    if (line.uuids.has(update.uuid)) {
      // A repetition must be of the newest: the agent sends the next only when this one is acknowledged.
      return update.uuid === line.lastUuid
        ? undefined
        : `task ${update.taskId}: an older update was delivered after a newer one`;
    }
    const rank = isTerminal(update.state) ? 4 : (RANK[update.state] ?? 0);
    if (line.terminal !== undefined) {
      return `task ${update.taskId}: ${update.state} was delivered after ${line.terminal}`;
    }
    if (rank < line.rank) return `task ${update.taskId}: states went back to ${update.state}`;
    line.rank = rank;
    line.uuids.add(update.uuid);
    line.lastUuid = update.uuid;
    if (isTerminal(update.state)) line.terminal = update.state;
    return undefined;
  }

  return () => {
    while (checked < framework.seen.length) {
      const update = framework.seen[checked++];
      const verdict = update === undefined ? undefined : check(update);
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  };
}

/** An instance that was superseded decides nothing any more. */
export function checkFrameworks(frameworks: readonly SimulatedFramework[]): Verdict {
  for (const { name, staleCallsObeyed } of frameworks) {
    if (staleCallsObeyed.length > 0)
      return `${name}: ${staleCallsObeyed[0]} of a superseded instance was carried out`;
  }
  return undefined;
}

/**
 * Events are complete: who began with a snapshot and heard every event since knows what the master has. Ended
 * tasks are left out, since nobody is told when the master forgets them.
 */
export function checkOperatorCopy(copy: ClusterCopy, state: Master['state']): Verdict {
  const agents = [...state.agents.keys()];
  const unknown = agents.find((id) => !copy.agents.has(id));
  if (unknown !== undefined) return `operators were not told of agent ${unknown}`;
  if (copy.agents.size > agents.length) return 'operators were not told that an agent was removed';
  if (copy.frameworks.size > state.frameworks.size)
    return 'operators were not told that a framework was removed';
  const tasks = new Map<string, TaskState>();
  for (const framework of state.frameworks.values()) {
    const isActive = copy.frameworks.get(framework.id);
    if (isActive !== framework.active) {
      return `operators believe that the activity of framework ${framework.id} is ${isActive}, it is ${framework.active}`;
    }
    for (const { task } of [...framework.tasks.values(), ...framework.unreachableTasks.values()])
      tasks.set(keyOf(framework.id, task.task_id.value), task.state);
  }
  for (const [key, known] of tasks) {
    if (copy.tasks.get(key) !== known)
      return `operators believe that task ${key} is ${copy.tasks.get(key)}, it is ${known}`;
  }
  for (const [key, believed] of copy.tasks) {
    if (!isTerminal(believed) && !tasks.has(key))
      return `operators believe that task ${key} is ${believed}, but it is no more`;
  }
  return undefined;
}

/** An operation ends once: all that its framework hears of its end says the same. */
export function createOperationChecker(framework: SimulatedFramework): () => Verdict {
  const ends = new Map<string, OperationState>();
  let checked = 0;
  return () => {
    const [ghost] = framework.ghostVolumes;
    if (ghost !== undefined)
      return `${framework.name} was offered the volume ${ghost}, whose making was told to have failed`;
    while (checked < framework.heardOperations.length) {
      const heard = framework.heardOperations[checked++];
      if (heard === undefined || !isOver(heard.state)) continue;
      const before = ends.get(heard.id);
      if (before !== undefined && before !== heard.state)
        return `operation ${heard.id} ended as ${before}, then as ${heard.state}`;
      ends.set(heard.id, heard.state);
    }
    return undefined;
  };
}
