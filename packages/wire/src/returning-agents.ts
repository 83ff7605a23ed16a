/**
 * What an observer of masters may keep when another leads. The snapshot of a new leader names the agents of the registry
 * (`recovered_agents`), and knows the tasks of each only when it has registered again. Until then they run on, and
 * whoever forgets them would say that what runs is not there.
 *
 * Invariants: what is kept is kept only for agents that the leader itself counts as its own; once such an agent is
 * back, what it does not name is over, at the next heartbeat at the latest.
 * Source: order of the master's event stream: AGENT_ADDED, then TASK_ADDED for each of its tasks.
 */

import type { ClusterEvent } from './cluster-event.ts';
import type { Response_GetState } from './generated/master.ts';

/** An agent that is back, and the tasks that it has. */
export interface ReturnedAgent {
  readonly agentId: string;
  /** Keys as {@link returnedTaskKey} makes them. */
  readonly taskKeys: ReadonlySet<string>;
}

export function returnedTaskKey(frameworkId: string, taskId: string): string {
  // An id has no slash, so that the key is unambiguous.
  return `${frameworkId}/${taskId}`;
}

export class ReturningAgents {
  #awaited = new Set<string>();
  /** The one whose tasks are being told of. */
  #returned: { readonly agentId: string; readonly taskKeys: Set<string> } | undefined;

  /** Begins anew with the snapshot of whoever leads now. */
  begin(state: Response_GetState): void {
    this.#returned = undefined;
    const ids = (state.get_agents?.recovered_agents ?? []).map(({ id }) => id?.value ?? '');
    this.#awaited = new Set(ids);
  }

  /** Whether its tasks are as they were known before, since nobody has heard of it yet. */
  has(agentId: string): boolean {
    return this.#awaited.has(agentId);
  }

  /**
   * To be told of every event after the snapshot, before it counts.
   * @returns the agent all of whose tasks have been told of, when this event shows that: forget others of it.
   */
  observe(event: ClusterEvent | { readonly kind: 'heartbeat' }): ReturnedAgent | undefined {
    const returned = this.#returned;
    if (event.kind === 'taskAdded' && event.task.agent_id.value === returned?.agentId) {
      const { framework_id: framework, task_id: task } = event.task;
      returned.taskKeys.add(returnedTaskKey(framework.value, task.value));
      return undefined;
    }
    // Frameworks that the agent tells of, and updates of its tasks, come between its tasks.
    if (
      event.kind !== 'agentAdded' &&
      event.kind !== 'agentRemoved' &&
      event.kind !== 'heartbeat'
    ) {
      return undefined;
    }
    this.#returned = undefined;
    if (event.kind === 'agentRemoved') this.#awaited.delete(event.agentId.value);
    if (event.kind === 'agentAdded') {
      const agentId = event.agent.agent_info.id?.value ?? '';
      if (this.#awaited.delete(agentId)) this.#returned = { agentId, taskKeys: new Set() };
    }
    return returned;
  }
}
