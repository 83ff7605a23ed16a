/**
 * Invariants of task groups: a group starts whole or not at all, and when one of its tasks ends otherwise than
 * by finishing, the others are ended with it.
 */

import { isTerminal, type AgentSnapshot } from '@dcos/agent/core';
import type { Verdict } from './checkers.ts';
import type { SimulatedFramework } from './simulated-framework.ts';

type TaskRecord = AgentSnapshot['live'][number];

/** Why tasks are refused before anything of them exists; a group is refused as one. */
const REFUSALS: ReadonlySet<string | undefined> = new Set([
  'REASON_TASK_GROUP_INVALID',
  'REASON_TASK_INVALID',
  'REASON_INVALID_OFFERS',
]);

/** What an agent knows of groups: all tasks of those that it took, and no survivors of those that failed. */
export function createGroupChecker(
  frameworks: readonly SimulatedFramework[],
): (seen: AgentSnapshot) => Verdict {
  return ({ live, completed, phase }) => {
    if (phase === 'recovering') return undefined;
    // What belongs together is for the framework to say, not for the agent.
    const byGroup = new Map<readonly string[], TaskRecord[]>();
    for (const task of [...completed, ...live]) {
      const group = groupOf(task, frameworks);
      if (group === undefined) continue;
      const tasks = byGroup.get(group) ?? [];
      tasks.push(task);
      byGroup.set(group, tasks);
    }
    for (const [group, tasks] of byGroup) {
      const verdict = checkWhole(tasks, group) ?? checkPolicy(tasks);
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  };
}

function groupOf(
  task: TaskRecord,
  frameworks: readonly SimulatedFramework[],
): readonly string[] | undefined {
  for (const { groups } of frameworks) {
    const group = groups.get(task.taskId);
    if (group !== undefined) return group;
  }
  return undefined;
}

/** A container may only exist when all tasks of its group were taken. */
function checkWhole(tasks: readonly TaskRecord[], group: readonly string[]): Verdict {
  const started = tasks.find(({ startedAt }) => startedAt !== undefined);
  if (started === undefined) return undefined;
  const known = new Set<string>(tasks.map(({ taskId }) => taskId));
  const missing = group.find((id) => !known.has(id));
  return missing === undefined
    ? undefined
    : `task ${started.taskId} was started without ${missing} of its group`;
}

function checkPolicy(tasks: readonly TaskRecord[]): Verdict {
  const failed = tasks.find(({ state }) => isTerminal(state) && state !== 'TASK_FINISHED');
  if (failed === undefined) return undefined;
  const survivor = tasks.find(({ state, kill }) => !isTerminal(state) && kill === undefined);
  return survivor === undefined
    ? undefined
    : `task ${survivor.taskId} goes on, though ${failed.taskId} of its group ended as ${failed.state}`;
}

/** What a framework hears of its groups: when one task was refused, no other may have started. */
export function createRefusalChecker(framework: SimulatedFramework): () => Verdict {
  const refused = new Set<string>();
  const started = new Set<string>();
  let checked = 0;
  return () => {
    while (checked < framework.seen.length) {
      const update = framework.seen[checked++];
      // Only agents know: the master also refuses the repetition of a call that was carried out.
      if (update?.uuid === undefined) continue;
      const group = framework.groups.get(update.taskId);
      if (group === undefined) continue;
      if (REFUSALS.has(update.reason)) refused.add(update.taskId);
      else if (!isTerminal(update.state)) started.add(update.taskId);
      const one = group.find((id) => refused.has(id));
      const other = group.find((id) => started.has(id));
      if (one !== undefined && other !== undefined)
        return `task ${other} was started, though ${one} of its group was refused`;
    }
    return undefined;
  };
}
