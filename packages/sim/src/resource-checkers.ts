/**
 * Invariant 1 in the books: offered + used + free = total, on every agent, in the master's and in the allocator's.
 */

import type { AllocatorSnapshot } from '@dcos/allocator';
import type { Master } from '@dcos/master/core';
import type { Resources } from '@dcos/resources';
import type { Verdict } from './checkers.ts';
import { AMOUNTS } from './simulated-agent.ts';

/**
 * Invariant 1. Looks at the state itself: a copy of everything after every event costs more than the event.
 *
 * One thing only may exceed what an agent has: tasks that were launched on the result of an operation which the
 * agent never carried out, from when it says so until it says that it does not know those tasks. They were in
 * TASK_STAGING before, and nothing else may be used or offered beyond the total meanwhile.
 */
export function createResourcesChecker(): (
  state: Master['state'],
  allocator: AllocatorSnapshot,
) => Verdict {
  /** By agent: the tasks that were staging when it was looked at last, and those that exceed its total. */
  const staging = new Map<string, ReadonlySet<TaskRecord>>();
  const excused = new Map<string, ReadonlySet<TaskRecord>>();

  function check(agent: AgentState, allocator: AllocatorSnapshot): Verdict {
    const { id, total } = agent;
    const used = agent.used.total().unallocate();
    const offered = agent.offered.total().unallocate();
    const taken = used.add(offered);
    const lost = AMOUNTS.find(([name, amount]) => total.scalarMilli(name) !== amount * 1000);
    // Operations change what resources are for, never how much there is.
    if (lost !== undefined)
      return `agent ${id}: ${lost[0]} is ${total.scalarMilli(lost[0]) / 1000} in all, not ${lost[1]}`;
    if (!total.contains(taken)) {
      const excuse = excused.get(id) ?? staging.get(id) ?? new Set();
      excused.set(id, excuse);
      return total.contains(usedWithout(agent, excuse).add(offered))
        ? undefined
        : `agent ${id}: used ${text(used)} and offered ${text(offered)} exceed the total ${text(total)}`;
    }
    excused.delete(id);
    return checkBook(agent, taken, allocator);
  }

  return (state, allocator) => {
    for (const agent of state.agents.values()) {
      const verdict = check(agent, allocator);
      if (verdict !== undefined) return verdict;
      staging.set(agent.id, stagingOf(agent));
    }
    return undefined;
  };
}

function checkBook(agent: AgentState, taken: Resources, { agents }: AllocatorSnapshot): Verdict {
  const { id, total } = agent;
  const book = agents.find((known) => known.id === id);
  if (book === undefined) return `agent ${id} is not in the allocator's books`;
  const allocated = book.allocated.unallocate();
  if (!allocated.equals(taken))
    return `agent ${id}: the allocator holds ${text(allocated)}, the master ${text(taken)}`;
  return book.free.unallocate().add(allocated).equals(total)
    ? undefined
    : `agent ${id}: free ${text(book.free)} and allocated ${text(allocated)} are not the total ${text(total)}`;
}

function stagingOf(agent: AgentState): ReadonlySet<TaskRecord> {
  const staging = new Set<TaskRecord>();
  for (const tasks of agent.tasks.values())
    for (const record of tasks.values())
      if (record.task.state === 'TASK_STAGING') staging.add(record);
  return staging;
}

/** What is used but for those tasks. */
function usedWithout(agent: AgentState, excused: ReadonlySet<TaskRecord>): Resources {
  let used = agent.used.total().unallocate();
  for (const record of stagingOf(agent))
    if (excused.has(record) && !record.released)
      used = used.subtract(record.resources.unallocate());
  return used;
}

type TaskRecord =
  AgentState['tasks'] extends ReadonlyMap<string, ReadonlyMap<string, infer Value>> ? Value : never;
type AgentState =
  Master['state']['agents'] extends ReadonlyMap<string, infer Value> ? Value : never;

/** Resources as reports show them. */
export function text(resources: Resources): string {
  return JSON.stringify(resources.summary());
}
