/**
 * Who may reach whom in a cluster: the one table behind the security groups. It holds what the components need and no
 * more; `docs/operations/aws.md` shows it to people. Ports are those of the original.
 *
 * Hosts may reach everything outside (packages, images): the groups leave EC2's rule for that as it is.
 */

import type { HostRole } from './wanted.ts';

export type Protocol = 'tcp' | 'udp';

export interface PortRange {
  readonly protocol: Protocol;
  readonly fromPort: number;
  readonly toPort: number;
}

/** `admin` are the operator's addresses, `world` those that may use what public agents serve. */
type Source = HostRole | 'admin' | 'world';

interface Opening {
  readonly to: readonly HostRole[];
  readonly from: readonly Source[];
  readonly ports: readonly PortRange[];
  readonly why: string;
}

const ALL: readonly HostRole[] = ['master', 'private', 'public'];
const AGENTS: readonly HostRole[] = ['private', 'public'];

/** Ports of tasks: all that agents offer, without the agent's own. */
const TASK_PORTS: readonly PortRange[] = [...both(1025, 5050), ...both(5052, 32_000)];

const OPENINGS: readonly Opening[] = [
  { to: ALL, from: ['admin'], ports: [tcp(22)], why: 'SSH of the installer' },
  {
    to: ['master'],
    from: ['admin', ...ALL],
    ports: [tcp(80), tcp(443)],
    why: 'router: web console, command line, APIs',
  },
  {
    to: ['master'],
    from: ALL,
    ports: [tcp(2181)],
    why: 'ZooKeeper: state of the masters, and who leads',
  },
  { to: ['master'], from: ['master'], ports: [tcp(2888), tcp(3888)], why: 'ZooKeeper ensemble' },
  { to: ['master'], from: ALL, ports: [tcp(5050)], why: 'Mesos master: agents, schedulers' },
  { to: ['master'], from: ALL, ports: [tcp(8080)], why: 'Marathon: load balancers follow apps' },
  {
    to: ['master'],
    from: ALL,
    ports: both(53, 53),
    why: 'Mesos-DNS: names of tasks',
  },
  { to: ['master'], from: ['master'], ports: [tcp(8123)], why: 'Mesos-DNS over HTTP' },
  {
    to: AGENTS,
    from: ['master'],
    ports: [tcp(5051)],
    why: 'agent: sandboxes, sessions',
  },
  { to: AGENTS, from: ALL, ports: TASK_PORTS, why: 'tasks' },
];

/** One rule of a security group. */
export interface Rule extends PortRange {
  readonly from:
    | { readonly kind: 'group'; readonly role: HostRole }
    | { readonly kind: 'cidr'; readonly cidr: string };
  readonly why: string;
}

export interface Locations {
  readonly adminLocations: readonly string[];
  readonly publicLocations: readonly string[];
  /** What the world may reach on public agents. */
  readonly publicPorts: readonly PortRange[];
}

/** The rules of the security group of a role, without repetition. */
export function rulesOf(role: HostRole, locations: Locations): readonly Rule[] {
  const openings: readonly Opening[] = [
    ...OPENINGS,
    {
      to: ['public'],
      from: ['world', ...ALL],
      ports: locations.publicPorts,
      why: 'what public agents serve',
    },
  ];
  const rules = new Map<string, Rule>();
  for (const { to, from, ports, why } of openings) {
    if (!to.includes(role)) continue;
    for (const range of ports) {
      for (const source of from.flatMap((name) => sourcesOf(name, locations))) {
        const rule: Rule = { ...range, from: source, why };
        if (!rules.has(ruleKey(rule))) rules.set(ruleKey(rule), rule);
      }
    }
  }
  return [...rules.values()];
}

/** Two rules are the same to EC2 when their keys are equal. */
export function ruleKey({ protocol, fromPort, toPort, from }: Omit<Rule, 'why'>): string {
  const source = from.kind === 'group' ? `group ${from.role}` : from.cidr;
  return `${protocol} ${fromPort}-${toPort} from ${source}`;
}

/** `80`, `10000-10100`, `53/udp`; undefined when it is none of these. */
export function parsePorts(text: string): PortRange | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp))?$/.exec(text);
  if (match === null) return undefined;
  const fromPort = Number(match[1]);
  const toPort = Number(match[2] ?? match[1]);
  if (fromPort < 1 || toPort > 65_535 || fromPort > toPort) return undefined;
  return { protocol: match[3] === 'udp' ? 'udp' : 'tcp', fromPort, toPort };
}

function sourcesOf(source: Source, locations: Locations): readonly Rule['from'][] {
  const cidrs = (list: readonly string[]): readonly Rule['from'][] =>
    list.map((cidr) => ({ kind: 'cidr', cidr }));
  if (source === 'admin') return cidrs(locations.adminLocations);
  if (source === 'world') return cidrs(locations.publicLocations);
  return [{ kind: 'group', role: source }];
}

function tcp(port: number): PortRange {
  return { protocol: 'tcp', fromPort: port, toPort: port };
}

function both(fromPort: number, toPort: number): readonly PortRange[] {
  return [
    { protocol: 'tcp', fromPort, toPort },
    { protocol: 'udp', fromPort, toPort },
  ];
}
