/**
 * The agents of a box: addresses, ports and resources. Each agent has a loopback address of its own as its
 * host name, so that `hostname` constraints, DNS and port mappings mean what they mean on a rack.
 *
 * All agents share one machine and nothing is enforced by the process runtime, so each advertises a whole
 * machine: a laptop shall be able to show an app of twenty instances.
 */

import { present } from '@dcos/base';

export interface AgentPlan {
  /** Name of the agent's folder and of its progress line. */
  readonly name: string;
  readonly address: string;
  readonly isPublic: boolean;
  /** Text form of the agent's resources. */
  readonly resources: string;
  readonly attributes: string;
}

export interface Machine {
  readonly platform: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

/** Every agent shows at least this many cores. */
const CPUS_MIN = 16;
const MEGABYTE = 1024 * 1024;
/** Memory and disk that are left to the machine itself, as the original leaves them. */
const MEMORY_RESERVE_MB = 1024;
const DISK_RESERVE_MB = 5 * 1024;
/** The original's range. It ends below the ports that Linux hands out to clients (from 32768). */
const PORT_FIRST = 31_000;
const PORT_LAST = 32_000;
/** Ports beyond that range, downwards, when there are more agents than it can serve. */
const PORTS_PER_AGENT_MIN = 250;
const PORT_FLOOR = 20_001;

/** Plans the agents. Same input, same plan: addresses and ports survive a restart. */
export function planAgents(
  counts: { readonly agents: number; readonly publicAgents: number },
  machine: Machine,
): readonly AgentPlan[] {
  const total = counts.agents + counts.publicAgents;
  const ranges = portRanges(total);
  return Array.from({ length: total }, (_, index) => {
    const isPublic = index >= counts.agents;
    const ordinal = isPublic ? index - counts.agents : index;
    // Only Linux answers on all of 127.0.0.0/8 without further ado.
    const address =
      machine.platform === 'linux' ? `127.0.${isPublic ? 2 : 1}.${ordinal + 1}` : '127.0.0.1';
    return {
      name: `${isPublic ? 'public' : 'private'}-${ordinal + 1}`,
      address,
      isPublic,
      resources: resourcesText(machine, present(ranges[index], 'port range'), isPublic),
      attributes: isPublic ? 'public_ip:true' : '',
    };
  });
}

function portRanges(agents: number): readonly (readonly [number, number])[] {
  const size = Math.max(PORTS_PER_AGENT_MIN, Math.floor((PORT_LAST - PORT_FIRST + 1) / agents));
  const inside = Math.floor((PORT_LAST - PORT_FIRST + 1) / size);
  const below = Math.max(
    1,
    Math.min(size, Math.floor((PORT_FIRST - PORT_FLOOR) / Math.max(1, agents - inside))),
  );
  return Array.from({ length: agents }, (_, index): readonly [number, number] => {
    if (index < inside) return [PORT_FIRST + index * size, PORT_FIRST + (index + 1) * size - 1];
    const last = PORT_FIRST - 1 - (index - inside) * below;
    return [last - below + 1, last];
  });
}

function resourcesText(
  machine: Machine,
  ports: readonly [number, number],
  isPublic: boolean,
): string {
  const role = isPublic ? '(slave_public)' : '';
  const memory = leave(Math.floor(machine.memoryBytes / MEGABYTE), MEMORY_RESERVE_MB);
  const disk = leave(Math.floor(machine.diskBytes / MEGABYTE), DISK_RESERVE_MB);
  return [
    `cpus${role}:${Math.max(CPUS_MIN, machine.cores)}`,
    `mem${role}:${memory}`,
    `disk${role}:${disk}`,
    `ports${role}:[${ports[0]}-${ports[1]}]`,
  ].join(';');
}

/** The rule of the original: leave a fixed reserve, or half where there is less than twice the reserve. */
function leave(total: number, reserve: number): number {
  return total >= 2 * reserve ? total - reserve : Math.floor(total / 2);
}
