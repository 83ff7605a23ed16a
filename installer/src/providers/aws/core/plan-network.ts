/** The network's part of a plan: VPC, gateway, routes, subnets, security groups and their rules. */

import { parseCidr, cidrText, freeBlocks } from './cidr.ts';
import type { Action } from './action.ts';
import { foundRuleSource, type FoundRule } from './found.ts';
import { GATEWAY, groupName, ROUTES, subnetName, VPC } from './names.ts';
import type { PlanProblem } from './plan-problem.ts';
import { ruleKey, type Rule } from './ports.ts';
import type { Kept } from './select-kept.ts';
import type { HostRole, Wanted, WantedNetwork } from './wanted.ts';

/** What EC2 allows in one group without being asked for more. */
export const RULES_PER_GROUP_MAX = 60;

export interface NetworkPlan {
  /** What needs nothing else. */
  readonly roots: readonly Action[];
  /** What lies in the network. */
  readonly parts: readonly Action[];
  /** What ties these together. */
  readonly links: readonly Action[];
  readonly problems: readonly PlanProblem[];
  readonly notes: readonly string[];
}

/** Network and groups. */
export function planNetwork(wanted: Wanted, kept: Kept): NetworkPlan {
  const groups = planGroups(wanted, kept);
  if (wanted.network.kind === 'existing') return { roots: [], ...groups };
  const own = planOwnNetwork(wanted.network, kept);
  return {
    roots: own.roots,
    parts: [...own.parts, ...groups.parts],
    links: [...own.links, ...groups.links],
    problems: [...own.problems, ...groups.problems],
    notes: [...own.notes, ...groups.notes],
  };
}

type OwnNetwork = Extract<WantedNetwork, { readonly kind: 'own' }>;

function planOwnNetwork(network: OwnNetwork, kept: Kept): NetworkPlan {
  const roots: Action[] = [];
  const parts: Action[] = [];
  const links: Action[] = [];
  const { vpc, gateway, routeTable } = kept;
  if (vpc === undefined) roots.push({ kind: 'createVpc', name: VPC, cidr: network.cidr });
  if (gateway === undefined) roots.push({ kind: 'createGateway', name: GATEWAY });
  if (vpc?.hasDnsSupport !== true)
    parts.push({ kind: 'setVpcDns', vpc: VPC, attribute: 'support' });
  if (vpc === undefined || gateway?.vpcIds.includes(vpc.id) !== true) {
    parts.push({ kind: 'attachGateway', gateway: GATEWAY, vpc: VPC });
  }
  if (routeTable === undefined) parts.push({ kind: 'createRouteTable', name: ROUTES, vpc: VPC });
  // Names of hosts need support, so that they come a stage later.
  if (vpc?.hasDnsHostnames !== true) {
    links.push({ kind: 'setVpcDns', vpc: VPC, attribute: 'hostnames' });
  }
  if (gateway === undefined || routeTable?.defaultTarget !== gateway.id) {
    links.push({
      kind: 'createDefaultRoute',
      routeTable: ROUTES,
      gateway: GATEWAY,
      replaces: routeTable?.defaultTarget !== undefined,
    });
  }
  const subnets = planSubnets(network, kept);
  return {
    roots,
    parts: [...parts, ...subnets.parts],
    links: [...links, ...subnets.links],
    problems: [...vpcProblems(network, kept), ...subnets.problems],
    notes: subnets.notes,
  };
}

function vpcProblems({ cidr }: OwnNetwork, { vpc }: Kept): readonly PlanProblem[] {
  if (vpc === undefined || vpc.cidr === cidr) return [];
  const message = `the network has ${vpc.cidr}; a network keeps its range for life`;
  return [{ key: 'aws.vpc.cidr', message, remedy: `set it to ${vpc.cidr}` }];
}

function planSubnets(network: OwnNetwork, kept: Kept): Omit<NetworkPlan, 'roots'> {
  const range = parseCidr(kept.vpc?.cidr ?? network.cidr);
  const taken = [...kept.subnets.values()].flatMap((subnet) => parseCidr(subnet.cidr) ?? []);
  const missing = network.zones.filter((zone) => !kept.subnets.has(subnetName(zone)));
  const prefixBits = network.subnetPrefixBits;
  const blocks =
    range === undefined || range.prefixBits > prefixBits
      ? []
      : freeBlocks(range, taken, { prefixBits, count: missing.length });
  const problems: PlanProblem[] = [];
  const parts = missing.flatMap((zone, index): readonly Action[] => {
    const block = blocks[index];
    if (block !== undefined) {
      return [
        { kind: 'createSubnet', name: subnetName(zone), vpc: VPC, zone, cidr: cidrText(block) },
      ];
    }
    const message = `no room is left in ${kept.vpc?.cidr ?? network.cidr} for a subnet of ${zone}`;
    problems.push({ key: 'aws.zones', message, remedy: 'use fewer zones, or a larger network' });
    return [];
  });
  const associated = new Set(kept.routeTable?.associations.map((one) => one.subnetId));
  const names = new Set([...kept.subnets.keys(), ...missing.map(subnetName)]);
  const links = [...names].flatMap((subnet): readonly Action[] => {
    const id = kept.subnets.get(subnet)?.id;
    if (id !== undefined && associated.has(id)) return [];
    return [{ kind: 'associateRouteTable', routeTable: ROUTES, subnet }];
  });
  const notes = [...kept.subnets.values()]
    .filter((subnet) => !network.zones.includes(subnet.zone))
    .map(
      (subnet) => `${subnet.name} stays although ${subnet.zone} is not asked for: hosts are in it`,
    );
  return { parts, links, problems, notes };
}

function planGroups(wanted: Wanted, kept: Kept): Omit<NetworkPlan, 'roots'> {
  const parts: Action[] = [];
  const links: Action[] = [];
  const problems: PlanProblem[] = [];
  const notes: string[] = [];
  const roleOfGroup = new Map(
    wanted.groups.flatMap(({ role }): readonly (readonly [string, HostRole])[] => {
      const id = kept.groups.get(groupName(role))?.id;
      return id === undefined ? [] : [[id, role]];
    }),
  );
  for (const { role, rules } of wanted.groups) {
    const name = groupName(role);
    if (rules.length > RULES_PER_GROUP_MAX) problems.push(tooManyRules(role, rules.length));
    const group = kept.groups.get(name);
    if (group === undefined) {
      parts.push({ kind: 'createGroup', name, role, vpc: VPC });
      links.push({ kind: 'authorize', group: name, rules });
      continue;
    }
    const { missing, surplus, foreign } = compareRules(rules, group.rules, roleOfGroup);
    if (surplus.length > 0) {
      links.push({ kind: 'revoke', group: name, groupId: group.id, rules: surplus });
    }
    if (missing.length > 0) links.push({ kind: 'authorize', group: name, rules: missing });
    if (foreign > 0) {
      notes.push(`${name} has ${foreign} rules of a kind that is not ours; they stay: ${group.id}`);
    }
  }
  return { parts, links, problems, notes };
}

function tooManyRules(role: HostRole, count: number): PlanProblem {
  return {
    key: 'aws.adminLocations',
    message: `the security group of ${role} hosts would have ${count} rules, at most ${RULES_PER_GROUP_MAX} are allowed`,
    remedy: 'name fewer and larger locations, or fewer ports',
  };
}

function compareRules(
  wanted: readonly Rule[],
  there: readonly FoundRule[],
  roleOfGroup: ReadonlyMap<string, HostRole>,
): {
  readonly missing: readonly Rule[];
  readonly surplus: readonly FoundRule[];
  readonly foreign: number;
} {
  const wantedKeys = new Set(wanted.map(ruleKey));
  const foundKeys = new Set<string>();
  const surplus: FoundRule[] = [];
  let foreign = 0;
  for (const rule of there) {
    if (rule.from.kind === 'other') {
      foreign += 1;
      continue;
    }
    const from = foundRuleSource(rule, roleOfGroup);
    const { protocol, fromPort, toPort } = rule;
    const key =
      from !== undefined && (protocol === 'tcp' || protocol === 'udp')
        ? ruleKey({ protocol, fromPort, toPort, from })
        : undefined;
    if (key !== undefined && wantedKeys.has(key)) foundKeys.add(key);
    else surplus.push(rule);
  }
  return { missing: wanted.filter((rule) => !foundKeys.has(ruleKey(rule))), surplus, foreign };
}
