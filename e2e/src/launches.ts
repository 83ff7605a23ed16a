/**
 * Which leader made which agent start what, as agents wrote it down in their logs: the evidence that no two leaders
 * acted at a time. An agent listens to one master only, the one that it registered with last, so that the order of its
 * own log says whose a launch was; clocks do not matter.
 */

import type { Host } from './host.ts';

export interface AgentLog {
  readonly host: string;
  /** In the order in which they happened. */
  readonly events: readonly AgentEvent[];
}

export type AgentEvent =
  | { readonly kind: 'registered'; readonly master: string }
  | { readonly kind: 'taken'; readonly task: string };

export async function agentLogs(agents: readonly Host[]): Promise<readonly AgentLog[]> {
  return await Promise.all(
    agents.map(async (host) => ({
      host: host.name,
      events: (await host.journal('dcos-mesos-agent', 'all')).split('\n').flatMap(eventOf),
    })),
  );
}

function eventOf(line: string): readonly AgentEvent[] {
  const task = /"msg":"takes task (\S+) of framework /.exec(line)?.[1];
  if (task !== undefined) return [{ kind: 'taken', task }];
  const master = /"msg":"registered as \S+ with master ([^\s"]+)"/.exec(line)?.[1];
  return master === undefined ? [] : [{ kind: 'registered', master }];
}

/** One sentence for each sign that two leaders acted; empty when they took turns. */
export function actsOfTwoLeaders(logs: readonly AgentLog[]): readonly string[] {
  return [...returningLeaders(logs), ...disputedLeaders(logs), ...repeatedTasks(logs)];
}

/** The leaders of an agent in order; one that it left and came back to stands there twice. */
function leadersOf({ events }: AgentLog): readonly string[] {
  const leaders: string[] = [];
  for (const event of events) {
    if (event.kind === 'registered' && leaders.at(-1) !== event.master) leaders.push(event.master);
  }
  return leaders;
}

function returningLeaders(logs: readonly AgentLog[]): readonly string[] {
  return logs.flatMap((log) => {
    const leaders = leadersOf(log);
    const again = leaders.filter((leader, index) => leaders.indexOf(leader) !== index);
    return again.map((leader) => `${log.host} went back to ${leader}, which another had replaced`);
  });
}

/** All agents see leaders in one order. */
function disputedLeaders(logs: readonly AgentLog[]): readonly string[] {
  const orders = logs.map((log) => ({ host: log.host, leaders: leadersOf(log) }));
  return orders.flatMap(({ host, leaders }, index) =>
    orders.slice(index + 1).flatMap((other) => {
      const common = leaders.filter((leader) => other.leaders.includes(leader));
      const theirs = other.leaders.filter((leader) => leaders.includes(leader));
      return common.join() === theirs.join()
        ? []
        : [`${host} and ${other.host} do not agree on the order of leaders`];
    }),
  );
}

function repeatedTasks(logs: readonly AgentLog[]): readonly string[] {
  const takers = new Map<string, string[]>();
  for (const { host, events } of logs) {
    for (const event of events) {
      if (event.kind === 'taken') takers.set(event.task, [...(takers.get(event.task) ?? []), host]);
    }
  }
  return [...takers].flatMap(([task, hosts]) =>
    hosts.length === 1 ? [] : [`${task} was launched at ${hosts.join(' and ')}`],
  );
}

/** How many tasks agents took from a leader. */
export function launchesOf(leader: string, logs: readonly AgentLog[]): number {
  let count = 0;
  for (const { events } of logs) {
    let current: string | undefined;
    for (const event of events) {
      if (event.kind === 'registered') current = event.master;
      else if (current === leader) count += 1;
    }
  }
  return count;
}
