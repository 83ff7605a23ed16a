/** Looks at everything that carries the cluster's tag. Changes nothing. */

import type { Filter, Instance, IpPermission, SecurityGroup, Tag } from '@aws-sdk/client-ec2';
import type {
  Found,
  FoundGroup,
  FoundInstance,
  FoundRouteTable,
  FoundRule,
  FoundVpc,
} from '../core/found.ts';
import { TAG_CLUSTER, TAG_GENERATION, TAG_RESOURCE, TAG_ROLE, type Tags } from '../core/names.ts';
import { HOST_ROLES } from '../core/wanted.ts';
import type { Ec2 } from './ec2.ts';
import { allPages } from './pages.ts';
import { refusalCode } from './retrying-ec2.ts';

/** Within what EC2 allows for every list. */
const PAGE_ITEMS = 100;

/** All that is there; lists in the order of ids. */
export async function observe(ec2: Ec2, cluster: string): Promise<Found> {
  const Filters: Filter[] = [{ Name: `tag:${TAG_CLUSTER}`, Values: [cluster] }];
  const query = { Filters, MaxResults: PAGE_ITEMS };
  const [vpcs, network, hosts] = await Promise.all([
    observeVpcs(ec2, query),
    observeNetwork(ec2, query),
    observeHosts(ec2, query),
  ]);
  return { vpcs, ...network, ...hosts };
}

interface Query {
  readonly Filters: Filter[];
  readonly MaxResults: number;
}

async function observeVpcs(ec2: Ec2, query: Query): Promise<readonly FoundVpc[]> {
  const vpcs = await allPages(async (token) => {
    const answer = await ec2.call('DescribeVpcs', { ...query, ...token });
    return { items: answer.Vpcs, next: answer.NextToken };
  });
  const found: FoundVpc[] = [];
  for (const { VpcId: id = '', CidrBlock: cidr = '', Tags } of vpcs) {
    const dns = { hasDnsSupport: false, hasDnsHostnames: false };
    try {
      const support = await ec2.call('DescribeVpcAttribute', {
        VpcId: id,
        Attribute: 'enableDnsSupport',
      });
      const hostnames = await ec2.call('DescribeVpcAttribute', {
        VpcId: id,
        Attribute: 'enableDnsHostnames',
      });
      dns.hasDnsSupport = support.EnableDnsSupport?.Value === true;
      dns.hasDnsHostnames = hostnames.EnableDnsHostnames?.Value === true;
    } catch (error) {
      // It was listed a moment ago: either it is not known everywhere yet, or it was just removed.
      if (!isNotFound(error)) throw error;
    }
    found.push({ ...common(id, Tags), cidr, ...dns });
  }
  return byId(found);
}

async function observeNetwork(
  ec2: Ec2,
  query: Query,
): Promise<Pick<Found, 'gateways' | 'routeTables' | 'subnets' | 'groups' | 'keys'>> {
  const [gateways, routeTables, subnets, groups, keys] = await Promise.all([
    allPages(async (token) => {
      const answer = await ec2.call('DescribeInternetGateways', { ...query, ...token });
      return { items: answer.InternetGateways, next: answer.NextToken };
    }),
    allPages(async (token) => {
      const answer = await ec2.call('DescribeRouteTables', { ...query, ...token });
      return { items: answer.RouteTables, next: answer.NextToken };
    }),
    allPages(async (token) => {
      const answer = await ec2.call('DescribeSubnets', { ...query, ...token });
      return { items: answer.Subnets, next: answer.NextToken };
    }),
    allPages(async (token) => {
      const answer = await ec2.call('DescribeSecurityGroups', { ...query, ...token });
      return { items: answer.SecurityGroups, next: answer.NextToken };
    }),
    ec2.call('DescribeKeyPairs', { Filters: query.Filters }),
  ]);
  return {
    gateways: byId(
      gateways.map(({ InternetGatewayId = '', Attachments = [], Tags }) => ({
        ...common(InternetGatewayId, Tags),
        vpcIds: Attachments.flatMap((attachment) => attachment.VpcId ?? []),
      })),
    ),
    routeTables: byId(
      routeTables.map(({ RouteTableId = '', VpcId: vpcId = '', Routes, Associations, Tags }) => {
        const target = Routes?.find((route) => route.DestinationCidrBlock === '0.0.0.0/0');
        const defaultTarget = target?.GatewayId ?? target?.NatGatewayId ?? target?.InstanceId;
        const associations = (Associations ?? []).flatMap((one) =>
          one.SubnetId === undefined || one.RouteTableAssociationId === undefined
            ? []
            : [{ id: one.RouteTableAssociationId, subnetId: one.SubnetId }],
        );
        const table: FoundRouteTable = { ...common(RouteTableId, Tags), vpcId, associations };
        return defaultTarget === undefined ? table : { ...table, defaultTarget };
      }),
    ),
    subnets: byId(
      subnets.map(({ SubnetId = '', VpcId = '', AvailabilityZone = '', CidrBlock = '', Tags }) => ({
        ...common(SubnetId, Tags),
        vpcId: VpcId,
        zone: AvailabilityZone,
        cidr: CidrBlock,
      })),
    ),
    groups: byId(groups.map(toGroup)),
    keys: byId(
      (keys.KeyPairs ?? []).map(({ KeyPairId = '', KeyName = '', Tags }) => ({
        ...common(KeyPairId, Tags),
        keyName: KeyName,
      })),
    ),
  };
}

async function observeHosts(
  ec2: Ec2,
  query: Query,
): Promise<Pick<Found, 'instances' | 'addresses' | 'volumes' | 'interfaces'>> {
  const [instances, addresses, volumes, interfaces] = await Promise.all([
    observeInstances(ec2, query.Filters),
    ec2.call('DescribeAddresses', { Filters: query.Filters }),
    allPages(async (token) => {
      const answer = await ec2.call('DescribeVolumes', { ...query, ...token });
      return { items: answer.Volumes, next: answer.NextToken };
    }),
    allPages(async (token) => {
      const answer = await ec2.call('DescribeNetworkInterfaces', { ...query, ...token });
      return { items: answer.NetworkInterfaces, next: answer.NextToken };
    }),
  ]);
  return {
    instances,
    addresses: byId(
      (addresses.Addresses ?? []).map(({ AllocationId = '', PublicIp = '', ...rest }) => ({
        ...common(AllocationId, rest.Tags),
        publicAddress: PublicIp,
        ...(rest.AssociationId && { associationId: rest.AssociationId }),
        ...(rest.InstanceId && { instanceId: rest.InstanceId }),
      })),
    ),
    volumes: byId(
      volumes.map(({ VolumeId = '', State, Tags }) => ({
        ...common(VolumeId, Tags),
        isFree: State === 'available' || State === 'error',
      })),
    ),
    interfaces: byId(
      interfaces.map(({ NetworkInterfaceId = '', Status, TagSet }) => ({
        ...common(NetworkInterfaceId, TagSet),
        isFree: Status === 'available',
      })),
    ),
  };
}

/** The instances that these filters name. */
export async function observeInstances(
  ec2: Ec2,
  filters: Filter[],
): Promise<readonly FoundInstance[]> {
  const reservations = await allPages(async (token) => {
    const answer = await ec2.call('DescribeInstances', {
      Filters: filters,
      MaxResults: PAGE_ITEMS,
      ...token,
    });
    return { items: answer.Reservations, next: answer.NextToken };
  });
  return byId(reservations.flatMap(({ Instances = [] }) => Instances.map(toInstance)));
}

function toInstance(instance: Instance): FoundInstance {
  const { InstanceId: id = '', Tags, State, StateReason, MetadataOptions } = instance;
  const tags = tagsFrom(Tags);
  const role = HOST_ROLES.find((one) => one === tags[TAG_ROLE]);
  return {
    ...common(id, Tags),
    state: State?.Name ?? 'pending',
    ...(role && { role }),
    generation: Number(tags[TAG_GENERATION] ?? '1'),
    instanceType: instance.InstanceType ?? '',
    vpcId: instance.VpcId ?? '',
    subnetId: instance.SubnetId ?? '',
    zone: instance.Placement?.AvailabilityZone ?? '',
    ...(instance.PrivateIpAddress && { privateAddress: instance.PrivateIpAddress }),
    ...(instance.PublicIpAddress && { publicAddress: instance.PublicIpAddress }),
    needsMetadataTokens: MetadataOptions?.HttpTokens === 'required',
    ...(StateReason?.Message && { stateReason: StateReason.Message }),
  };
}

function toGroup({
  GroupId = '',
  VpcId = '',
  IpPermissions = [],
  Tags,
}: SecurityGroup): FoundGroup {
  return { ...common(GroupId, Tags), vpcId: VpcId, rules: IpPermissions.flatMap(toRules) };
}

function toRules(permission: IpPermission): readonly FoundRule[] {
  const { IpProtocol: protocol = '-1', FromPort: fromPort = -1, ToPort: toPort = -1 } = permission;
  const sources: FoundRule['from'][] = [
    ...(permission.IpRanges ?? []).map(
      ({ CidrIp: cidr = '' }) => ({ kind: 'cidr', cidr }) as const,
    ),
    ...(permission.Ipv6Ranges ?? []).map(
      ({ CidrIpv6: cidr = '' }) => ({ kind: 'cidr', cidr }) as const,
    ),
    ...(permission.UserIdGroupPairs ?? []).map(
      ({ GroupId: groupId = '' }) => ({ kind: 'group', groupId }) as const,
    ),
    ...(permission.PrefixListIds ?? []).map(
      ({ PrefixListId: text = '' }) => ({ kind: 'other', text }) as const,
    ),
  ];
  return sources.map((from) => ({ protocol, fromPort, toPort, from }));
}

function common(
  id: string,
  list: readonly Tag[] | undefined,
): Pick<FoundVpc, 'id' | 'name' | 'tags'> {
  const tags = tagsFrom(list);
  return { id, name: tags[TAG_RESOURCE] ?? '', tags };
}

function tagsFrom(list: readonly Tag[] = []): Tags {
  return Object.fromEntries(list.map(({ Key = '', Value = '' }) => [Key, Value]));
}

function byId<T extends { readonly id: string }>(list: readonly T[]): readonly T[] {
  return list.toSorted((one, other) => (one.id < other.id ? -1 : Number(one.id > other.id)));
}

function isNotFound(error: unknown): boolean {
  return refusalCode(error) === 'InvalidVpcID.NotFound';
}
