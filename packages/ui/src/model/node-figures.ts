/** What the node views show of an agent: amounts, shares, type and status. Pure. */
import type { MesosAgent } from '../api/types.ts';
import { percentOf } from './format.ts';

export interface Amount {
  readonly used: number;
  readonly total: number;
  readonly percent: number;
}

export type NodeStatus = 'active' | 'deactivated' | 'draining' | 'inactive';

export interface NodeFigures {
  readonly id: string;
  readonly hostname: string;
  readonly address: string;
  readonly status: NodeStatus;
  readonly isPublic: boolean;
  readonly tasks: number;
  readonly cpus: Amount;
  readonly mem: Amount;
  readonly disk: Amount;
  readonly gpus: Amount;
}

const PUBLIC_ROLE = 'slave_public';

export function nodeFigures(agent: MesosAgent): NodeFigures {
  const amount = (name: 'cpus' | 'mem' | 'disk' | 'gpus'): Amount => {
    const used = agent.used_resources[name];
    const total = agent.resources[name];
    return { used, total, percent: percentOf(used, total) };
  };
  return {
    id: agent.id,
    hostname: agent.hostname,
    address: agent.pid.slice(agent.pid.indexOf('@') + 1),
    status: statusOf(agent),
    isPublic: isPublicNode(agent),
    tasks: (agent.TASK_RUNNING ?? 0) + (agent.TASK_STARTING ?? 0) + (agent.TASK_STAGING ?? 0),
    cpus: amount('cpus'),
    mem: amount('mem'),
    disk: amount('disk'),
    gpus: amount('gpus'),
  };
}

function statusOf(agent: MesosAgent): NodeStatus {
  if (agent.drain_info !== undefined && agent.drain_info !== null) return 'draining';
  if (agent.deactivated === true) return 'deactivated';
  return agent.active ? 'active' : 'inactive';
}

/** Public nodes are marked by the attribute `public_ip` or by resources of the role `slave_public`. */
export function isPublicNode(agent: MesosAgent): boolean {
  return (
    PUBLIC_ROLE in agent.reserved_resources || String(agent.attributes['public_ip']) === 'true'
  );
}
