/**
 * What the fault report must know: an agent that the registry holds for unreachable has an incident there that lasts,
 * and one that cost tasks says so.
 */

import { isJsonObject, type JsonValue } from '@dcos/base';
import type { Master } from '@dcos/master/core';
import type { Verdict } from './checkers.ts';

/** Looks at what is durable, and at what the leader says. */
export function checkIncidents(
  registry: ReadonlyMap<string, JsonValue>,
  state: Master['state'] | undefined,
): Verdict {
  const lasting = new Set<unknown>();
  for (const [key, value] of registry) {
    if (!key.startsWith('master/incidents/') || !isJsonObject(value)) continue;
    const { kind, subject, ended_at } = value;
    if (kind === 'AGENT_LOST' && ended_at === undefined && isJsonObject(subject))
      lasting.add(subject['id']);
  }
  for (const key of registry.keys()) {
    if (!key.startsWith('master/unreachable/')) continue;
    const id = decodeURIComponent(key.slice('master/unreachable/'.length));
    if (!lasting.has(id)) return `agent ${id} is unreachable, and no incident says so`;
  }
  return state && checkTasks(state);
}

function checkTasks({ frameworks, incidents, unreachableAgents }: Master['state']): Verdict {
  for (const { unreachableTasks } of frameworks.values())
    for (const { taskId, agentId, task } of unreachableTasks.values()) {
      if (!unreachableAgents.has(agentId) || task.state !== 'TASK_UNREACHABLE') continue;
      const told = [...incidents.all.values()].some(
        ({ subject, tasksAffected }) => subject.id === agentId && tasksAffected > 0,
      );
      if (!told) return `task ${taskId} became unreachable, and no incident says so`;
    }
  return undefined;
}
