/**
 * Which of the found resources are those that are wanted, and stay. The network is chosen first: of two (a killed run)
 * the one with more in it, then the smaller id; what lies in another network is of no use.
 */

import {
  isLive,
  type Found,
  type FoundAddress,
  type FoundGateway,
  type FoundGroup,
  type FoundInstance,
  type FoundKey,
  type FoundRouteTable,
  type FoundSubnet,
  type FoundVpc,
} from './found.ts';
import { addressName, GATEWAY, groupName, KEY, ROUTES, subnetName, VPC } from './names.ts';
import type { Wanted } from './wanted.ts';

export interface Kept {
  readonly vpc?: FoundVpc;
  readonly gateway?: FoundGateway;
  readonly routeTable?: FoundRouteTable;
  readonly key?: FoundKey;
  /** By logical name, as all further maps. */
  readonly subnets: ReadonlyMap<string, FoundSubnet>;
  readonly groups: ReadonlyMap<string, FoundGroup>;
  readonly instances: ReadonlyMap<string, FoundInstance>;
  readonly addresses: ReadonlyMap<string, FoundAddress>;
  readonly ids: ReadonlyMap<string, string>;
  /** Ids of all that stays: of what is kept, and of volumes and interfaces in use. */
  readonly stays: ReadonlySet<string>;
}

/** Chooses. What is not chosen has no place in the wanted cluster. */
export function selectKept(found: Found, wanted: Wanted): Kept {
  const isOwn = wanted.network.kind === 'own';
  const vpc = isOwn ? selectVpc(found) : undefined;
  const vpcId = wanted.network.kind === 'existing' ? wanted.network.vpcId : vpc?.id;
  const wantedInstances = new Set(wanted.instances.map((instance) => instance.name));
  const instances = byName(
    found.instances.filter(
      (one) => isLive(one) && one.vpcId === vpcId && wantedInstances.has(one.name),
    ),
    // The newest is the one that replaced the others.
    (one, other) => other.generation - one.generation,
  );
  const subnets = isOwn
    ? keepSubnets(found, vpcId, new Set([...instances.values()].map((one) => one.subnetId)), wanted)
    : new Map<string, FoundSubnet>();
  const inVpc = <T extends { readonly vpcId: string }>(list: readonly T[]): readonly T[] =>
    list.filter((one) => one.vpcId === vpcId);
  const groupNames = new Set(wanted.groups.map((group) => groupName(group.role)));
  const groups = byName(inVpc(found.groups).filter((one) => groupNames.has(one.name)));
  const addressNames = new Set(
    wanted.instances.filter((one) => one.hasElasticAddress).map((one) => addressName(one.name)),
  );
  const addresses = byName(
    found.addresses.filter((one) => addressNames.has(one.name)),
    (one, other) => Number(other.instanceId !== undefined) - Number(one.instanceId !== undefined),
  );
  const routeTable = isOwn
    ? byName(
        inVpc(found.routeTables),
        (one, other) => other.associations.length - one.associations.length,
      ).get(ROUTES)
    : undefined;
  const isAttached = (one: FoundGateway): number =>
    Number(vpcId !== undefined && one.vpcIds.includes(vpcId));
  const gateway = isOwn
    ? byName(found.gateways, (one, other) => isAttached(other) - isAttached(one)).get(GATEWAY)
    : undefined;
  const key = wanted.key.kind === 'made' ? byName(found.keys).get(KEY) : undefined;
  return collect(
    { vpc, gateway, routeTable, key, subnets, groups, instances, addresses },
    wanted,
    found,
  );
}

type Selected = {
  readonly [Part in keyof Omit<Kept, 'ids' | 'stays'>]: Kept[Part] | undefined;
} & Pick<Kept, 'subnets' | 'groups' | 'instances' | 'addresses'>;

function collect(selected: Selected, wanted: Wanted, found: Found): Kept {
  const { vpc, gateway, routeTable, key, subnets, groups, instances, addresses } = selected;
  const singles = [vpc, gateway, routeTable, key].filter((one) => one !== undefined);
  const all = [
    ...singles,
    ...[subnets, groups, instances, addresses].flatMap((map) => [...map.values()]),
  ];
  const ids = new Map(all.map((one) => [one.name, one.id]));
  if (wanted.network.kind === 'existing') {
    ids.set(VPC, wanted.network.vpcId);
    for (const { id, zone } of wanted.network.subnets) ids.set(subnetName(zone), id);
  }
  const inUse = [...found.volumes, ...found.interfaces].filter((one) => !one.isFree);
  return {
    ...(vpc && { vpc }),
    ...(gateway && { gateway }),
    ...(routeTable && { routeTable }),
    ...(key && { key }),
    subnets,
    groups,
    instances,
    addresses,
    ids,
    stays: new Set([...all, ...inUse].map((one) => one.id)),
  };
}

/** Subnets of wanted zones, and those in which hosts are: hosts do not move. */
function keepSubnets(
  found: Found,
  vpcId: string | undefined,
  inUse: ReadonlySet<string>,
  { network }: Wanted,
): ReadonlyMap<string, FoundSubnet> {
  const zones = network.kind === 'own' ? network.zones : [];
  const names = new Set(zones.map(subnetName));
  const candidates = found.subnets.filter(
    (subnet) => subnet.vpcId === vpcId && (names.has(subnet.name) || inUse.has(subnet.id)),
  );
  return byName(
    candidates,
    (one, other) => Number(inUse.has(other.id)) - Number(inUse.has(one.id)),
  );
}

function selectVpc(found: Found): FoundVpc | undefined {
  const lists = [found.subnets, found.groups, found.routeTables, found.instances.filter(isLive)];
  const weight = (vpc: FoundVpc): number =>
    lists.flat().filter((resource) => resource.vpcId === vpc.id).length +
    found.gateways.filter((gateway) => gateway.vpcIds.includes(vpc.id)).length;
  return byName(found.vpcs, (one, other) => weight(other) - weight(one)).get(VPC);
}

/** One of each name: the first by this order, then by id. */
function byName<T extends { readonly id: string; readonly name: string }>(
  list: readonly T[],
  order: (one: T, other: T) => number = () => 0,
): ReadonlyMap<string, T> {
  const chosen = new Map<string, T>();
  const sorted = list.toSorted(
    (one, other) => order(one, other) || (one.id < other.id ? -1 : Number(one.id > other.id)),
  );
  for (const one of sorted) if (!chosen.has(one.name)) chosen.set(one.name, one);
  return chosen;
}
