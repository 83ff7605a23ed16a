/**
 * The JSON documents that the router makes itself: version, metadata, nodes, health.
 * Source: shapes that the command line and the web UI of the original read.
 */

import type { JsonValue } from '@dcos/base';
import type { AgentView, ClusterView } from './cluster-view.ts';

/** Healthy and unhealthy as the health interface writes them. */
const HEALTHY = 0;
const UNHEALTHY = 1;

export interface VersionInfo {
  readonly version: string;
  readonly variant: string;
  readonly imageCommit: string;
  readonly bootstrapId: string;
}

export function versionDocument(info: VersionInfo): JsonValue {
  return {
    version: info.version,
    'dcos-variant': info.variant,
    'dcos-image-commit': info.imageCommit,
    'bootstrap-id': info.bootstrapId,
  };
}

export function uiConfigDocument(clusterId: string | undefined): JsonValue {
  return {
    uiConfiguration: { plugins: {} },
    clusterConfiguration: { id: clusterId ?? '', firstUser: false },
  };
}

/** `/net/v1/nodes`: every node with its addresses. */
export function netNodesDocument(
  view: ClusterView,
  master: { readonly ip: string; readonly publicIp: string },
  timestamp: string,
): JsonValue {
  const masterNode = {
    private_ip: master.ip,
    public_ips: [master.publicIp],
    hostname: master.ip,
    updated: timestamp,
  };
  const agents = view.agents.map((agent) => ({
    private_ip: agent.host,
    public_ips: agent.isPublic ? [agent.host] : [],
    hostname: agent.hostname,
    updated: timestamp,
  }));
  return [masterNode, ...agents.filter(({ private_ip }) => private_ip !== master.ip)];
}

interface Unit {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly health: number;
  readonly output: string;
}

interface Node {
  readonly ip: string;
  readonly role: 'master' | 'agent' | 'agent_public';
  readonly units: readonly Unit[];
}

export interface HealthFacts {
  readonly masterIp: string;
  readonly marathonUp: boolean;
  readonly mesosDnsUp: boolean;
  readonly version: string;
}

/**
 * `/system/health/v1…`: what is known of the components, from the event stream and from what the router
 * itself can reach.
 * @param path what follows `/system/health/v1`.
 * @returns undefined for a path that does not exist.
 */
export function healthDocument(
  path: string,
  view: ClusterView,
  facts: HealthFacts,
): JsonValue | undefined {
  const nodes = nodesOf(view, facts);
  const [kind = '', id = '', below = '', belowId = '', ...more] = path
    .split('/')
    .filter(Boolean)
    .map(decoded);
  if (more.length > 0) return undefined;
  if (kind === '') return selfDocument(nodes, facts);
  if (kind === 'nodes') return nodesDocument(nodes, [id, below, belowId]);
  return kind === 'units' ? unitsDocument(nodes, [id, below, belowId]) : undefined;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function nodesOf(view: ClusterView, facts: HealthFacts): readonly Node[] {
  const master: Node = {
    ip: facts.masterIp,
    role: 'master',
    units: [
      ...zooKeeperUnits(view),
      unit('dcos-mesos-master', 'Mesos Master', view.following, 'no master answers'),
      unit(
        'dcos-marathon',
        'Marathon',
        facts.marathonUp,
        'Marathon is not connected to the master',
      ),
      unit('dcos-mesos-dns', 'Mesos DNS', facts.mesosDnsUp, 'Mesos-DNS does not answer'),
      unit('dcos-adminrouter', 'Admin Router', true, ''),
    ],
  };
  return mergedByIp([master, ...view.agents.map(agentNode)]);
}

/** Where the leader is looked for in ZooKeeper, what that is like. */
function zooKeeperUnits({ reachesZooKeeper }: ClusterView): readonly Unit[] {
  if (reachesZooKeeper === undefined) return [];
  const problem = 'ZooKeeper does not answer: nothing can be changed, what runs goes on';
  return [unit('dcos-zookeeper', 'ZooKeeper', reachesZooKeeper, problem)];
}

/** Nodes are named by address: what shares one is one node, with the role of the first. */
function mergedByIp(nodes: readonly Node[]): readonly Node[] {
  const byIp = new Map<string, Node>();
  for (const node of nodes) {
    const first = byIp.get(node.ip);
    if (first === undefined) byIp.set(node.ip, node);
    else byIp.set(node.ip, { ...first, units: mergedUnits([...first.units, ...node.units]) });
  }
  return [...byIp.values()];
}

/** One unit for each name, as bad as the worst of that name. */
function mergedUnits(units: readonly Unit[]): readonly Unit[] {
  const byId = new Map<string, Unit>();
  for (const unit of units) {
    const worst = byId.get(unit.id);
    if (worst === undefined || unit.health > worst.health) byId.set(unit.id, unit);
  }
  return [...byId.values()];
}

function agentNode(agent: AgentView): Node {
  const id = agent.isPublic ? 'dcos-mesos-slave-public' : 'dcos-mesos-slave';
  const name = agent.isPublic ? 'Mesos Public Agent' : 'Mesos Agent';
  return {
    ip: agent.host,
    role: agent.isPublic ? 'agent_public' : 'agent',
    units: [
      unit(
        id,
        name,
        agent.active,
        'the agent is not active: disconnected, draining or deactivated',
      ),
    ],
  };
}

function unit(id: string, name: string, healthy: boolean, problem: string): Unit {
  return {
    id: `${id}.service`,
    name,
    description: name,
    health: healthy ? HEALTHY : UNHEALTHY,
    output: healthy ? '' : problem,
  };
}

const brief = ({ id, name, health, description }: Unit): JsonValue => ({
  id,
  name,
  health,
  description,
});
const full = (each: Unit): JsonValue => ({ ...each, help: '' });
const healthOf = (units: readonly Unit[]): number =>
  Math.max(HEALTHY, ...units.map(({ health }) => health));
const nodeBrief = ({ ip, role, units }: Node): JsonValue => ({
  host_ip: ip,
  health: healthOf(units),
  role,
});

function selfDocument(nodes: readonly Node[], facts: HealthFacts): JsonValue | undefined {
  const [self] = nodes;
  if (self === undefined) return undefined;
  return {
    units: self.units.map(full),
    hostname: self.ip,
    ip: self.ip,
    dcos_version: facts.version,
    node_role: self.role,
    mesos_id: '',
    dcos_diagnostics_version: '',
  };
}

function nodesDocument(
  nodes: readonly Node[],
  [ip, below, unitId]: readonly [string, string, string],
): JsonValue | undefined {
  if (ip === '') return { nodes: nodes.map(nodeBrief) };
  const node = nodes.find((each) => each.ip === ip);
  if (node === undefined) return undefined;
  if (below === '') return nodeBrief(node);
  if (below !== 'units') return undefined;
  if (unitId === '') return { units: node.units.map(full) };
  const found = node.units.find(({ id }) => id === unitId);
  return found === undefined ? undefined : full(found);
}

function unitsDocument(
  nodes: readonly Node[],
  [unitId, below, ip]: readonly [string, string, string],
): JsonValue | undefined {
  const merged = mergedUnits(nodes.flatMap(({ units }) => units));
  if (unitId === '') return { units: merged.map(brief) };
  const holders = nodes.filter(({ units }) => units.some(({ id }) => id === unitId));
  const found = merged.find(({ id }) => id === unitId);
  if (found === undefined) return undefined;
  if (below === '') return brief(found);
  if (below !== 'nodes') return undefined;
  const entries = holders.map((node) => ({ node, on: node.units.find(({ id }) => id === unitId) }));
  if (ip === '') {
    return {
      nodes: entries.map(({ node, on }) => ({
        host_ip: node.ip,
        health: on?.health ?? UNHEALTHY,
        role: node.role,
      })),
    };
  }
  const entry = entries.find(({ node }) => node.ip === ip);
  if (entry?.on === undefined) return undefined;
  return {
    host_ip: entry.node.ip,
    health: entry.on.health,
    role: entry.node.role,
    output: entry.on.output,
    help: '',
  };
}
