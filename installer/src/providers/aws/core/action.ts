/**
 * One change in EC2, as data: what a plan is made of and what the shell performs. Resources that may not exist yet are
 * referred to by logical name, others by id. The order of a plan is that of its stages; within one, order is free.
 */

import { unreachable } from '@dcos/base';
import type { FoundRule } from './found.ts';
import type { HostRole, WantedInstance } from './wanted.ts';
import type { Rule } from './ports.ts';
import type { Tags } from './names.ts';

export type CreateAction =
  | { readonly kind: 'createVpc'; readonly name: string; readonly cidr: string }
  | { readonly kind: 'createGateway'; readonly name: string }
  | { readonly kind: 'createRouteTable'; readonly name: string; readonly vpc: string }
  | {
      readonly kind: 'createSubnet';
      readonly name: string;
      readonly vpc: string;
      readonly zone: string;
      readonly cidr: string;
    }
  | {
      readonly kind: 'createGroup';
      readonly name: string;
      readonly role: HostRole;
      readonly vpc: string;
    }
  | {
      readonly kind: 'importKey';
      readonly name: string;
      readonly publicKey: string;
      readonly fingerprint: string;
    }
  | {
      readonly kind: 'createInstance';
      readonly instance: WantedInstance;
      readonly generation: number;
      /** Logical name of the group, names of subnets in the order in which they are tried, and the key pair. */
      readonly group: string;
      readonly subnets: readonly string[];
      readonly keyName: string;
    }
  | { readonly kind: 'allocateAddress'; readonly name: string };

export type ModifyAction =
  | {
      readonly kind: 'setVpcDns';
      readonly vpc: string;
      readonly attribute: 'support' | 'hostnames';
    }
  | { readonly kind: 'attachGateway'; readonly gateway: string; readonly vpc: string }
  | {
      readonly kind: 'createDefaultRoute';
      readonly routeTable: string;
      readonly gateway: string;
      /** Whether it takes the place of another one. */
      readonly replaces: boolean;
    }
  | { readonly kind: 'associateRouteTable'; readonly routeTable: string; readonly subnet: string }
  | { readonly kind: 'authorize'; readonly group: string; readonly rules: readonly Rule[] }
  | {
      readonly kind: 'revoke';
      readonly group: string;
      readonly groupId: string;
      readonly rules: readonly FoundRule[];
    }
  | { readonly kind: 'startInstance'; readonly name: string; readonly id: string }
  /** A former run did not see the end of it. */
  | { readonly kind: 'awaitRunning'; readonly name: string; readonly id: string }
  | { readonly kind: 'awaitTerminated'; readonly name: string; readonly id: string }
  | { readonly kind: 'needMetadataTokens'; readonly name: string; readonly id: string }
  | { readonly kind: 'associateAddress'; readonly address: string; readonly instance: string }
  | { readonly kind: 'tag'; readonly name: string; readonly id: string; readonly tags: Tags };

export type DeleteKind =
  | 'releaseAddress'
  | 'terminateInstance'
  | 'deleteVolume'
  | 'deleteInterface'
  | 'deleteGroup'
  | 'deleteRouteTable'
  | 'deleteGateway'
  | 'deleteSubnet'
  | 'deleteVpc';

export type DeleteAction =
  | { readonly kind: DeleteKind; readonly name: string; readonly id: string }
  | {
      readonly kind: 'deleteKey';
      readonly name: string;
      readonly id: string;
      /** The name is unique in a region; the id is not accepted everywhere. */
      readonly keyName: string;
    }
  | { readonly kind: 'disassociateAddress'; readonly name: string; readonly id: string }
  | { readonly kind: 'disassociateRouteTable'; readonly name: string; readonly id: string }
  | {
      readonly kind: 'detachGateway';
      readonly name: string;
      readonly id: string;
      readonly vpcId: string;
    };

export type Action = CreateAction | ModifyAction | DeleteAction;

/** How a change is counted and marked in the diff. */
export type ChangeMark = '+' | '~' | '-';

const CREATES = new Set<Action['kind']>([
  'createVpc',
  'createGateway',
  'createRouteTable',
  'createSubnet',
  'createGroup',
  'importKey',
  'createInstance',
  'allocateAddress',
]);
const DELETES = new Set<Action['kind']>([
  'releaseAddress',
  'terminateInstance',
  'deleteVolume',
  'deleteInterface',
  'deleteGroup',
  'deleteRouteTable',
  'deleteGateway',
  'deleteSubnet',
  'deleteVpc',
  'deleteKey',
]);

/** `+` for what is made, `-` for what is removed, `~` for the rest. */
export function markOf(action: Action): ChangeMark {
  if (CREATES.has(action.kind)) return '+';
  return DELETES.has(action.kind) ? '-' : '~';
}

/** One line for people, without the mark. */
export function actionText(action: Action): string {
  switch (action.kind) {
    case 'createVpc':
      return `network ${action.name} ${action.cidr}`;
    case 'createGateway':
      return `internet gateway ${action.name}`;
    case 'createRouteTable':
      return `route table ${action.name}`;
    case 'createSubnet':
      return `subnet ${action.name} ${action.cidr} in ${action.zone}`;
    case 'createGroup':
      return `security group ${action.name}`;
    case 'importKey':
      return `key pair ${action.name} ${action.fingerprint}`;
    case 'createInstance':
      return instanceText(action.instance);
    case 'allocateAddress':
      return `elastic address ${action.name}`;
    case 'setVpcDns':
      return `network ${action.vpc}: DNS ${action.attribute} on`;
    case 'attachGateway':
      return `internet gateway ${action.gateway}: attach to ${action.vpc}`;
    case 'createDefaultRoute':
      return `route table ${action.routeTable}: everything else through ${action.gateway}`;
    case 'associateRouteTable':
      return `route table ${action.routeTable}: use for ${action.subnet}`;
    case 'authorize':
      return `security group ${action.group}: allow ${rulesText(action.rules)}`;
    case 'revoke':
      return `security group ${action.group}: no longer allow ${action.rules.map(foundRuleText).join(', ')}`;
    case 'startInstance':
      return `instance ${action.name} (${action.id}): start, it was stopped`;
    case 'awaitRunning':
      return `instance ${action.name} (${action.id}): wait until it runs`;
    case 'awaitTerminated':
      return `instance ${action.name} (${action.id}): wait until it has ended`;
    case 'needMetadataTokens':
      return `instance ${action.name} (${action.id}): demand tokens of the metadata service`;
    case 'associateAddress':
      return `elastic address ${action.address}: give to ${action.instance}`;
    case 'tag':
      return `${action.name} (${action.id}): tags ${Object.keys(action.tags).join(', ')}`;
    case 'disassociateAddress':
      return `elastic address ${action.name}: take from its host`;
    case 'disassociateRouteTable':
      return `route table ${action.name}: no longer use (${action.id})`;
    case 'detachGateway':
      return `internet gateway ${action.name}: detach from ${action.vpcId}`;
    case 'deleteKey':
      return `key pair ${action.name} (${action.id})`;
    case 'releaseAddress':
    case 'terminateInstance':
    case 'deleteVolume':
    case 'deleteInterface':
    case 'deleteGroup':
    case 'deleteRouteTable':
    case 'deleteGateway':
    case 'deleteSubnet':
    case 'deleteVpc':
      return `${KIND_NAMES[action.kind]} ${action.name} (${action.id})`;
    default:
      return unreachable(action);
  }
}

const KIND_NAMES: Readonly<Record<DeleteKind, string>> = {
  releaseAddress: 'elastic address',
  terminateInstance: 'instance',
  deleteVolume: 'volume',
  deleteInterface: 'network interface',
  deleteGroup: 'security group',
  deleteRouteTable: 'route table',
  deleteGateway: 'internet gateway',
  deleteSubnet: 'subnet',
  deleteVpc: 'network',
};

function instanceText({ name, role, instanceType, image, volume, isSpot }: WantedInstance): string {
  const disk = `${volume.sizeGib} GiB ${volume.type}${volume.isEncrypted ? ', encrypted' : ', NOT encrypted'}`;
  return `instance ${name}: ${role}, ${instanceType}${isSpot ? ' (spot)' : ''}, ${image.id}, ${disk}`;
}

/** The rules by reason, so that a person sees what is opened and not sixty lines. */
function rulesText(rules: readonly Rule[]): string {
  const byReason = new Map<string, { readonly ports: Set<string>; readonly from: Set<string> }>();
  for (const { why, protocol, fromPort, toPort, from } of rules) {
    const said = byReason.get(why) ?? { ports: new Set(), from: new Set() };
    const ports = fromPort === toPort ? String(fromPort) : `${fromPort}-${toPort}`;
    said.ports.add(`${ports}/${protocol}`);
    said.from.add(from.kind === 'group' ? `${from.role} hosts` : from.cidr);
    byReason.set(why, said);
  }
  return [...byReason]
    .map(([why, { ports, from }]) => `${why} (${listText(ports)} from ${listText(from)})`)
    .join('; ');
}

function listText(set: ReadonlySet<string>): string {
  return [...set].join(', ');
}

function foundRuleText({ protocol, fromPort, toPort, from }: FoundRule): string {
  const source =
    from.kind === 'group' ? from.groupId : from.kind === 'cidr' ? from.cidr : from.text;
  return `${fromPort}-${toPort}/${protocol} from ${source}`;
}
