/**
 * What a failover may not do: make an agent go back to a leader that was followed by the one it knows, or start a
 * task anew. An agent that was registered with a leader obeys none before that one, whatever is still under way.
 */

import type { Verdict } from '../checkers.ts';
import type { SimulatedAgent } from '../simulated-agent.ts';
import type { AgentLink } from '../simulated-master.ts';

type Watched = Pick<SimulatedAgent, 'name' | 'changes' | 'link' | 'runningTaskIds'> & {
  core(): { snapshot(): { readonly phase: string } } | undefined;
};

/** @param epochOf of the leader that a connection ends at. */
export function createFailoverChecker(
  agents: readonly Watched[],
  epochOf: (link: AgentLink) => number,
): () => Verdict {
  const checks = agents.map((agent) => {
    const checkTasks = createTaskChecker(agent);
    /** The last leader that took the agent in. */
    let registeredWith = 0;
    let changes = -1;
    return (): Verdict => {
      if (agent.changes === changes) return undefined;
      changes = agent.changes;
      const link = agent.link();
      const epoch = link === undefined ? 0 : epochOf(link);
      if (agent.core()?.snapshot().phase === 'registered' && link !== undefined) {
        if (epoch < registeredWith)
          return `${agent.name} obeys the leader of epoch ${epoch} after that of ${registeredWith}`;
        registeredWith = epoch;
      }
      return checkTasks();
    };
  });
  return () => {
    for (const check of checks) {
      const verdict = check();
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  };
}

/** A task runs once: one that ended never runs again. */
function createTaskChecker(agent: Watched): () => Verdict {
  let running: ReadonlySet<string> = new Set();
  const ended = new Set<string>();
  return () => {
    const now = new Set(agent.runningTaskIds());
    for (const taskId of running) if (!now.has(taskId)) ended.add(taskId);
    running = now;
    const again = [...now].find((taskId) => ended.has(taskId));
    return again === undefined ? undefined : `${agent.name} runs ${again} a second time`;
  };
}
