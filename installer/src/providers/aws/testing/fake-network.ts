/** The network's half of the EC2 in memory. */

import type { Ec2Calls } from '../shell/ec2.ts';
import { overlaps, parseCidr } from '../core/cidr.ts';
import { groups } from './fake-groups.ts';
import { Ec2Error, tagsOf, type FakeResource, type FakeState } from './fake-state.ts';

export type Handlers = {
  readonly [A in keyof Ec2Calls]: (input: Ec2Calls[A][0]) => Ec2Calls[A][1];
};

/** Those on networks, groups, keys and tags. */
export type NetworkAction = Extract<
  keyof Ec2Calls,
  | `${string}Vpc${string}`
  | `${string}InternetGateway${string}`
  | `${string}Route${string}`
  | `${string}Subnet${string}`
  | `${string}SecurityGroup${string}`
  | `${string}KeyPair${string}`
  | 'CreateTags'
>;

/** Every action on networks, groups and keys. */
export function networkHandlers(state: FakeState): Pick<Handlers, NetworkAction> {
  return {
    ...vpcs(state),
    ...gateways(state),
    ...routes(state),
    ...subnets(state),
    ...groups(state),
  };
}

function vpcs(
  state: FakeState,
): Pick<
  Handlers,
  'CreateVpc' | 'DeleteVpc' | 'ModifyVpcAttribute' | 'DescribeVpcs' | 'DescribeVpcAttribute'
> {
  return {
    CreateVpc: ({ CidrBlock: cidr = '', TagSpecifications }) => {
      const data = { cidr, dnsSupport: true, dnsHostnames: false };
      return { Vpc: { VpcId: state.add('vpc', data, TagSpecifications).id } };
    },
    DeleteVpc: ({ VpcId }) => {
      const { id } = state.get('vpc', VpcId);
      const inside = (['subnet', 'sg', 'rtb'] as const).flatMap((kind) => state.all(kind));
      state.refuseWhile(inside.some((one) => one.data.vpcId === id));
      state.refuseWhile(state.all('igw').some((one) => one.data.attachedTo === id));
      state.resources.delete(id);
      return {};
    },
    ModifyVpcAttribute: ({ VpcId, EnableDnsSupport, EnableDnsHostnames }) => {
      const { data } = state.get('vpc', VpcId);
      if (EnableDnsSupport !== undefined && EnableDnsHostnames !== undefined) {
        throw new Ec2Error('InvalidParameterCombination');
      }
      if (EnableDnsSupport !== undefined) data.dnsSupport = EnableDnsSupport.Value === true;
      if (EnableDnsHostnames !== undefined) data.dnsHostnames = EnableDnsHostnames.Value === true;
      return {};
    },
    DescribeVpcs: ({ Filters, NextToken }) => {
      const { items, next } = state.page(state.select('vpc', Filters), NextToken);
      const Vpcs = items.map((one) => ({
        VpcId: one.id,
        CidrBlock: one.data.cidr,
        Tags: tagsOf(one),
      }));
      return { Vpcs, NextToken: next };
    },
    DescribeVpcAttribute: ({ VpcId, Attribute }) => {
      const { data } = state.get('vpc', VpcId);
      return Attribute === 'enableDnsSupport'
        ? { EnableDnsSupport: { Value: data.dnsSupport } }
        : { EnableDnsHostnames: { Value: data.dnsHostnames } };
    },
  };
}

function gateways(
  state: FakeState,
): Pick<
  Handlers,
  | 'CreateInternetGateway'
  | 'AttachInternetGateway'
  | 'DetachInternetGateway'
  | 'DeleteInternetGateway'
  | 'DescribeInternetGateways'
> {
  return {
    CreateInternetGateway: ({ TagSpecifications }) => ({
      InternetGateway: { InternetGatewayId: state.add('igw', {}, TagSpecifications).id },
    }),
    AttachInternetGateway: ({ InternetGatewayId, VpcId }) => {
      const gateway = state.get('igw', InternetGatewayId);
      const { id } = state.get('vpc', VpcId);
      const isTaken = state.all('igw').some((one) => one.data.attachedTo === id);
      state.refuseWhile(
        isTaken || gateway.data.attachedTo !== undefined,
        'Resource.AlreadyAssociated',
      );
      gateway.data.attachedTo = id;
      return {};
    },
    DetachInternetGateway: ({ InternetGatewayId, VpcId }) => {
      const gateway = state.get('igw', InternetGatewayId);
      state.refuseWhile(gateway.data.attachedTo !== VpcId, 'Gateway.NotAttached');
      const isNeeded = state
        .all('i')
        .some((one) => one.data.vpcId === VpcId && one.data.state !== 'terminated');
      state.refuseWhile(isNeeded);
      gateway.data.attachedTo = undefined;
      return {};
    },
    DeleteInternetGateway: ({ InternetGatewayId }) => {
      const { id, data } = state.get('igw', InternetGatewayId);
      state.refuseWhile(data.attachedTo !== undefined);
      state.resources.delete(id);
      return {};
    },
    DescribeInternetGateways: ({ Filters, NextToken }) => {
      const { items, next } = state.page(state.select('igw', Filters), NextToken);
      const InternetGateways = items.map((one) => ({
        InternetGatewayId: one.id,
        Attachments:
          one.data.attachedTo === undefined
            ? []
            : [{ VpcId: one.data.attachedTo, State: 'attached' as const }],
        Tags: tagsOf(one),
      }));
      return { InternetGateways, NextToken: next };
    },
  };
}

function routes(
  state: FakeState,
): Pick<
  Handlers,
  | 'CreateRouteTable'
  | 'DeleteRouteTable'
  | 'CreateRoute'
  | 'ReplaceRoute'
  | 'AssociateRouteTable'
  | 'DisassociateRouteTable'
  | 'DescribeRouteTables'
> {
  const owner = (associationId = ''): FakeResource => {
    const table = state.all('rtb').find((one) => one.data.associations?.has(associationId));
    if (table === undefined) throw new Ec2Error('InvalidAssociationID.NotFound');
    return table;
  };
  const route = (table: FakeResource, gatewayId: string | undefined): void => {
    const gateway = state.get('igw', gatewayId);
    state.refuseWhile(gateway.data.attachedTo !== table.data.vpcId, 'InvalidParameterValue');
    table.data.defaultGateway = gateway.id;
  };
  return {
    CreateRouteTable: ({ VpcId, TagSpecifications }) => {
      const data = { vpcId: state.get('vpc', VpcId).id, associations: new Map<string, string>() };
      return { RouteTable: { RouteTableId: state.add('rtb', data, TagSpecifications).id } };
    },
    DeleteRouteTable: ({ RouteTableId }) => {
      const { id, data } = state.get('rtb', RouteTableId);
      state.refuseWhile((data.associations?.size ?? 0) > 0);
      state.resources.delete(id);
      return {};
    },
    CreateRoute: ({ RouteTableId, GatewayId }) => {
      const table = state.get('rtb', RouteTableId);
      state.refuseWhile(table.data.defaultGateway !== undefined, 'RouteAlreadyExists');
      route(table, GatewayId);
      return {};
    },
    ReplaceRoute: ({ RouteTableId, GatewayId }) => {
      route(state.get('rtb', RouteTableId), GatewayId);
      return {};
    },
    AssociateRouteTable: ({ RouteTableId, SubnetId }) => {
      const table = state.get('rtb', RouteTableId);
      const { id } = state.get('subnet', SubnetId);
      const isTaken = state
        .all('rtb')
        .some((one) => [...(one.data.associations?.values() ?? [])].includes(id));
      state.refuseWhile(isTaken, 'Resource.AlreadyAssociated');
      table.data.associations?.set(`rtbassoc-${state.nextSerial()}`, id);
      return {};
    },
    DisassociateRouteTable: ({ AssociationId = '' }) => {
      owner(AssociationId).data.associations?.delete(AssociationId);
      return {};
    },
    DescribeRouteTables: ({ Filters, NextToken }) => {
      const { items, next } = state.page(state.select('rtb', Filters), NextToken);
      const RouteTables = items.map((one) => ({
        RouteTableId: one.id,
        VpcId: one.data.vpcId,
        Routes:
          one.data.defaultGateway === undefined
            ? []
            : [{ DestinationCidrBlock: '0.0.0.0/0', GatewayId: one.data.defaultGateway }],
        Associations: [...(one.data.associations ?? [])].map(([id, SubnetId]) => ({
          RouteTableAssociationId: id,
          SubnetId,
        })),
        Tags: tagsOf(one),
      }));
      return { RouteTables, NextToken: next };
    },
  };
}

function subnets(
  state: FakeState,
): Pick<Handlers, 'CreateSubnet' | 'DeleteSubnet' | 'DescribeSubnets'> {
  return {
    CreateSubnet: ({ VpcId, CidrBlock: cidr = '', AvailabilityZone: zone = '', ...rest }) => {
      const vpcId = state.get('vpc', VpcId).id;
      const range = parseCidr(cidr);
      const clash = state.all('subnet').some((one) => {
        const other = parseCidr(one.data.cidr ?? '');
        return (
          one.data.vpcId === vpcId &&
          range !== undefined &&
          other !== undefined &&
          overlaps(range, other)
        );
      });
      state.refuseWhile(clash, 'InvalidSubnet.Conflict');
      const made = state.add('subnet', { vpcId, cidr, zone }, rest.TagSpecifications);
      return { Subnet: { SubnetId: made.id } };
    },
    DeleteSubnet: ({ SubnetId }) => {
      const { id } = state.get('subnet', SubnetId);
      const isUsed = state
        .all('i')
        .some((one) => one.data.subnetId === id && one.data.state !== 'terminated');
      state.refuseWhile(isUsed);
      for (const table of state.all('rtb')) {
        const { associations = new Map<string, string>() } = table.data;
        for (const [key, subnetId] of associations) if (subnetId === id) associations.delete(key);
      }
      state.resources.delete(id);
      return {};
    },
    DescribeSubnets: ({ Filters, NextToken }) => {
      const { items, next } = state.page(state.select('subnet', Filters), NextToken);
      const Subnets = items.map((one) => ({
        SubnetId: one.id,
        VpcId: one.data.vpcId,
        AvailabilityZone: one.data.zone,
        CidrBlock: one.data.cidr,
        Tags: tagsOf(one),
      }));
      return { Subnets, NextToken: next };
    },
  };
}
