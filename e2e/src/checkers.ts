/** What must hold when the dust has settled, told from the history, the scheduler and the hosts themselves. */

import type { History } from './history.ts';
import type { Host } from './host.ts';
import { actsOfTwoLeaders, agentLogs } from './launches.ts';
import type { App, Task } from './scheduler-client.ts';

export interface Evidence {
  readonly history: History;
  readonly apps: readonly App[];
  readonly tasks: readonly Task[];
  /** The hosts that may run tasks. */
  readonly agents: readonly Host[];
}

/** Violations, one sentence each; empty when everything is as it must be. */
export async function violations(evidence: Evidence): Promise<readonly string[]> {
  return [
    ...lostChanges(evidence),
    ...wrongCounts(evidence),
    ...(await strayProcesses(evidence)),
    ...actsOfTwoLeaders(await agentLogs(evidence.agents)),
  ];
}

/** No acknowledged change is lost, and nothing happened that nobody asked for. */
function lostChanges({ history, apps }: Evidence): readonly string[] {
  const problems: string[] = [];
  const possible = history.possible();
  const actual = new Map(apps.map((app) => [app.id, app.instances]));
  for (const [app, states] of possible) {
    if (!states.includes(actual.get(app)))
      problems.push(
        `${app} has ${actual.get(app) ?? 'no'} instances, but may have ${states.map((state) => state ?? 'none').join(' or ')}`,
      );
  }
  for (const app of actual.keys()) {
    if (app.startsWith('/load/') && !possible.has(app)) problems.push(`nobody asked for ${app}`);
  }
  return problems;
}

/** Every app has as many running tasks as it should. */
function wrongCounts({ apps, tasks }: Evidence): readonly string[] {
  return apps.flatMap(({ id, instances }) => {
    const running = tasks.filter(({ appId, state }) => appId === id && state === 'TASK_RUNNING');
    return running.length === instances
      ? []
      : [`${id} has ${running.length} running tasks instead of ${instances}`];
  });
}

/** What hosts run is just what the scheduler knows: no process too many, none too few, wherever it is. */
async function strayProcesses({ agents, tasks }: Evidence): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const agent of agents) {
    const found = await taskIdsOn(agent);
    const known = tasks.filter(({ host }) => host === agent.address).map(({ id }) => id);
    for (const id of found)
      if (!known.includes(id)) problems.push(`${agent.name} runs ${id}, which nobody knows`);
    for (const id of known)
      if (!found.includes(id)) problems.push(`${agent.name} does not run ${id}`);
  }
  return problems;
}

const TASK_IDS = `
import os
ids = set()
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        variables = open(f"/proc/{pid}/environ", "rb").read().split(b"\\0")
    except OSError:
        continue
    ids.update(v[len("MESOS_TASK_ID="):].decode() for v in variables if v.startswith(b"MESOS_TASK_ID="))
print("\\n".join(sorted(ids)))
`;

/** The ids of the tasks of which a host has processes, by their environment. */
export async function taskIdsOn(host: Host): Promise<readonly string[]> {
  const output = await host.does('python3', '-c', TASK_IDS);
  return output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
