/**
 * What must hold whatever is sent: the master's books add up, no task is in two places, and no answer has a
 * status that the interfaces do not know.
 */

import { Resources } from '@dcos/resources';
import type { MasterSnapshot } from '@dcos/master/core';

/** Everything that the interfaces document; 500 is a bug of ours. */
const STATUSES: ReadonlySet<number> = new Set([
  200, 202, 204, 307, 400, 401, 403, 404, 405, 406, 408, 409, 411, 413, 414, 415, 426, 431, 501,
  503, 505,
]);

/** The violation in a status, if it is one. */
export function checkStatus(what: string, status: number): string | undefined {
  return STATUSES.has(status) ? undefined : `${what} was answered with ${status}`;
}

/** The first violation in the state of a master. */
export function checkSnapshot(snapshot: MasterSnapshot): string | undefined {
  const books = new Map(snapshot.allocator.agents.map((agent) => [agent.id, agent]));
  for (const { id, total, used, offered } of snapshot.agents) {
    const book = books.get(id);
    if (book === undefined) return `agent ${id} is not in the allocator's books`;
    // Shared resources may be given to many: they are not counted.
    const own = (resources: Resources): Resources =>
      resources.unallocate().filter(({ shared }) => shared === undefined);
    const held = own(Resources.fromWire(total));
    const taken = own(Resources.fromWire(used).add(Resources.fromWire(offered)));
    if (!own(book.allocated).equals(taken))
      return `agent ${id}: the allocator gave ${text(own(book.allocated))}, the master ${text(taken)}`;
    if (!held.contains(own(Resources.fromWire(used)))) {
      // An agent may say that it has less than its tasks use. Then nothing of it is offered.
      if (offered.length > 0) return `agent ${id}: ${text(taken)} are offered of too little`;
      continue;
    }
    if (!held.contains(taken)) return `agent ${id}: ${text(taken)} of ${text(held)} are taken`;
    if (!own(book.free).add(taken).equals(held))
      return `agent ${id}: free ${text(own(book.free))} and taken ${text(taken)} are not ${text(held)}`;
  }
  return checkTasks(snapshot);
}

function checkTasks({ frameworks, agents }: MasterSnapshot): string | undefined {
  const agentIds = new Set(agents.map(({ id }) => id));
  for (const { id, tasks, unreachableTasks } of frameworks) {
    const seen = new Set<string>();
    for (const { taskId } of [...tasks, ...unreachableTasks]) {
      if (seen.has(taskId)) return `task ${taskId} of framework ${id} is in two places`;
      seen.add(taskId);
    }
    const lost = tasks.find(
      ({ agentId, holdsResources }) => holdsResources && !agentIds.has(agentId),
    );
    if (lost !== undefined)
      return `task ${lost.taskId} holds resources of agent ${lost.agentId}, which is gone`;
  }
  return undefined;
}

function text(resources: Resources): string {
  return JSON.stringify(resources.toWire());
}
