/**
 * What carries the cluster's tag in EC2, as far as EC2 showed it: it may lag behind what was done. Lists are in the order
 * of ids, so that the same state gives the same plan. Tags are read here, so that nothing else knows their form.
 */

import type { HostRole } from './wanted.ts';
import type { Rule } from './ports.ts';
import type { Tags } from './names.ts';

interface FoundResource {
  readonly id: string;
  /** Logical name; empty where the tag is missing. */
  readonly name: string;
  readonly tags: Tags;
}

export interface FoundVpc extends FoundResource {
  readonly cidr: string;
  readonly hasDnsSupport: boolean;
  readonly hasDnsHostnames: boolean;
}

export interface FoundGateway extends FoundResource {
  readonly vpcIds: readonly string[];
}

export interface FoundRouteTable extends FoundResource {
  readonly vpcId: string;
  /** Where everything goes that stays not in the network. */
  readonly defaultTarget?: string;
  readonly associations: readonly { readonly id: string; readonly subnetId: string }[];
}

export interface FoundSubnet extends FoundResource {
  readonly vpcId: string;
  readonly zone: string;
  readonly cidr: string;
}

/** A rule as EC2 has it: its source is a range or the id of a group. */
export interface FoundRule {
  readonly protocol: string;
  readonly fromPort: number;
  readonly toPort: number;
  readonly from:
    | { readonly kind: 'group'; readonly groupId: string }
    | { readonly kind: 'cidr'; readonly cidr: string }
    | { readonly kind: 'other'; readonly text: string };
}

export interface FoundGroup extends FoundResource {
  readonly vpcId: string;
  readonly rules: readonly FoundRule[];
}

export interface FoundKey extends FoundResource {
  readonly keyName: string;
}

export type InstanceState =
  | 'pending'
  | 'running'
  | 'stopping'
  | 'stopped'
  | 'shutting-down'
  | 'terminated';

export interface FoundInstance extends FoundResource {
  readonly state: InstanceState;
  /** Why it is in this state, in EC2's words. */
  readonly stateReason?: string;
  readonly role?: HostRole;
  readonly generation: number;
  readonly instanceType: string;
  readonly vpcId: string;
  readonly subnetId: string;
  readonly zone: string;
  readonly privateAddress?: string;
  readonly publicAddress?: string;
  readonly needsMetadataTokens: boolean;
}

export interface FoundAddress extends FoundResource {
  readonly publicAddress: string;
  readonly associationId?: string;
  readonly instanceId?: string;
}

/** A volume or network interface; `isFree` when nothing uses it. */
export interface FoundLeftover extends FoundResource {
  readonly isFree: boolean;
}

export interface Found {
  readonly vpcs: readonly FoundVpc[];
  readonly gateways: readonly FoundGateway[];
  readonly routeTables: readonly FoundRouteTable[];
  readonly subnets: readonly FoundSubnet[];
  readonly groups: readonly FoundGroup[];
  readonly keys: readonly FoundKey[];
  /** Those that ended stay listed for about an hour. */
  readonly instances: readonly FoundInstance[];
  readonly addresses: readonly FoundAddress[];
  readonly volumes: readonly FoundLeftover[];
  readonly interfaces: readonly FoundLeftover[];
}

export const NOTHING_FOUND: Found = {
  vpcs: [],
  gateways: [],
  routeTables: [],
  subnets: [],
  groups: [],
  keys: [],
  instances: [],
  addresses: [],
  volumes: [],
  interfaces: [],
};

/** Whether it exists, or will: others are on their way out. */
export function isLive(instance: FoundInstance): boolean {
  return instance.state !== 'terminated' && instance.state !== 'shutting-down';
}

/** Whether nothing is left but instances that have ended. */
export function isNothing(found: Found): boolean {
  return (
    found.instances.every((instance) => instance.state === 'terminated') &&
    Object.entries(found).every(([kind, list]) => kind === 'instances' || list.length === 0)
  );
}

/** The key of a rule in terms of roles, as `ruleKey` has it; of foreign sources it says so. */
export function foundRuleSource(
  rule: FoundRule,
  roleOfGroup: ReadonlyMap<string, HostRole>,
): Rule['from'] | undefined {
  if (rule.from.kind === 'cidr') return rule.from;
  if (rule.from.kind === 'other') return undefined;
  const role = roleOfGroup.get(rule.from.groupId);
  return role === undefined ? undefined : { kind: 'group', role };
}
