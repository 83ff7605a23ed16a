/** The hosts' half of the EC2 in memory: instances with their volumes and interfaces, addresses, and what is offered. */

import type { RunInstancesRequest } from '@aws-sdk/client-ec2';
import type { Handlers, NetworkAction } from './fake-network.ts';
import { Ec2Error, tagsOf, type FakeResource, type FakeState } from './fake-state.ts';

export const FAKE_ZONES = ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'];
export const FAKE_IMAGE = 'ami-0000000000000000a';

type HostAction = Exclude<keyof Handlers, NetworkAction>;

/** Every action on hosts. */
export function hostHandlers(state: FakeState): Pick<Handlers, HostAction> {
  return { ...instances(state), ...addresses(state), ...leftovers(state), ...offers() };
}

function instances(
  state: FakeState,
): Pick<
  Handlers,
  | 'RunInstances'
  | 'StartInstances'
  | 'TerminateInstances'
  | 'ModifyInstanceMetadataOptions'
  | 'DescribeInstances'
> {
  return {
    RunInstances: (input) => {
      const known = state.all('i').find((one) => one.data.token === input.ClientToken);
      if (known !== undefined) {
        state.refuseWhile(
          known.data.request !== JSON.stringify(input),
          'IdempotentParameterMismatch',
        );
        state.refuseWhile(isEnding(known), 'IdempotentInstanceTerminated');
        return { Instances: [{ InstanceId: known.id, State: { Name: 'pending' } }] };
      }
      const made = run(state, input);
      return { Instances: [{ InstanceId: made.id, State: { Name: 'pending' } }] };
    },
    StartInstances: ({ InstanceIds = [] }) => {
      for (const id of InstanceIds) {
        const { data } = state.get('i', id);
        state.refuseWhile(data.state !== 'stopped', 'IncorrectInstanceState');
        Object.assign(data, { state: 'pending', looksLeft: state.faults.looksUntilChange });
      }
      return {};
    },
    TerminateInstances: ({ InstanceIds = [] }) => {
      for (const id of InstanceIds) {
        const { data } = state.get('i', id);
        if (data.state === 'terminated') continue;
        Object.assign(data, { state: 'shutting-down', looksLeft: state.faults.looksUntilChange });
      }
      return {};
    },
    ModifyInstanceMetadataOptions: ({ InstanceId, HttpTokens = 'optional' }) => {
      state.get('i', InstanceId).data.httpTokens = HttpTokens;
      return {};
    },
    DescribeInstances: ({ Filters, NextToken }) => {
      if (NextToken === undefined) for (const one of state.all('i')) look(state, one);
      const { items, next } = state.page(state.select('i', Filters), NextToken);
      return {
        Reservations: items.map((one) => ({ Instances: [describe(one)] })),
        NextToken: next,
      };
    },
  };
}

function isEnding({ data }: FakeResource): boolean {
  return data.state === 'terminated' || data.state === 'shutting-down';
}

function run(state: FakeState, input: RunInstancesRequest): FakeResource {
  const [nic] = input.NetworkInterfaces ?? [];
  const subnet = state.get('subnet', nic?.SubnetId);
  for (const id of nic?.Groups ?? []) state.get('sg', id);
  const { zone = '', vpcId = '' } = subnet.data;
  const type = input.InstanceType ?? '';
  if (!state.faults.hasCapacity(zone, type)) throw new Ec2Error('InsufficientInstanceCapacity');
  const tagged = input.TagSpecifications;
  const serial = state.nextSerial();
  const instance = state.add(
    'i',
    {
      token: input.ClientToken ?? '',
      request: JSON.stringify(input),
      state: 'pending',
      looksLeft: state.faults.looksUntilChange,
      subnetId: subnet.id,
      vpcId,
      zone,
      type,
      groupIds: nic?.Groups ?? [],
      privateAddress: nic?.PrivateIpAddress ?? `10.0.0.${serial % 250}`,
      ...(nic?.AssociatePublicIpAddress === true && {
        publicAddress: `198.51.100.${serial % 250}`,
      }),
      httpTokens: input.MetadataOptions?.HttpTokens ?? 'optional',
      userData: input.UserData ?? '',
    },
    tagged,
  );
  const isEncrypted = input.BlockDeviceMappings?.[0]?.Ebs?.Encrypted === true;
  state.add('vol', { instanceId: instance.id, isEncrypted }, tagged);
  state.add('eni', { instanceId: instance.id, vpcId }, tagged);
  return instance;
}

/** Each look brings an instance nearer to its next state. */
function look(state: FakeState, { id, data }: FakeResource): void {
  if (data.looksLeft === undefined) return;
  data.looksLeft -= 1;
  if (data.looksLeft > 0) return;
  delete data.looksLeft;
  if (data.state === 'pending') data.state = 'running';
  if (data.state !== 'shutting-down') return;
  data.state = 'terminated';
  data.vpcId = '';
  data.subnetId = '';
  for (const part of [...state.all('vol'), ...state.all('eni')]) {
    if (part.data.instanceId === id) state.resources.delete(part.id);
  }
  for (const address of state.all('eipalloc')) {
    if (address.data.instanceId !== id) continue;
    Object.assign(address.data, { instanceId: undefined, associationId: undefined });
  }
}

function describe(
  one: FakeResource,
): NonNullable<NonNullable<ReturnType<Handlers['RunInstances']>['Instances']>[number]> {
  const { data } = one;
  return {
    InstanceId: one.id,
    State: { Name: data.state as 'running' },
    InstanceType: data.type as 'm6i.large',
    VpcId: data.vpcId,
    SubnetId: data.subnetId,
    Placement: { AvailabilityZone: data.zone },
    PrivateIpAddress: data.privateAddress,
    PublicIpAddress: data.publicAddress,
    MetadataOptions: { HttpTokens: data.httpTokens as 'required' },
    Tags: tagsOf(one),
  };
}

function addresses(
  state: FakeState,
): Pick<
  Handlers,
  | 'AllocateAddress'
  | 'AssociateAddress'
  | 'DisassociateAddress'
  | 'ReleaseAddress'
  | 'DescribeAddresses'
> {
  return {
    AllocateAddress: ({ TagSpecifications }) => ({
      AllocationId: state.add('eipalloc', {}, TagSpecifications).id,
    }),
    AssociateAddress: ({ AllocationId, InstanceId }) => {
      const { data } = state.get('eipalloc', AllocationId);
      const instance = state.get('i', InstanceId);
      state.refuseWhile(instance.data.state !== 'running', 'IncorrectInstanceState');
      data.instanceId = instance.id;
      data.associationId = `eipassoc-${state.nextSerial()}`;
      return { AssociationId: data.associationId };
    },
    DisassociateAddress: ({ AssociationId }) => {
      const address = state.all('eipalloc').find((one) => one.data.associationId === AssociationId);
      if (address === undefined) throw new Ec2Error('InvalidAssociationID.NotFound');
      Object.assign(address.data, { instanceId: undefined, associationId: undefined });
      return {};
    },
    ReleaseAddress: ({ AllocationId }) => {
      const { id, data } = state.get('eipalloc', AllocationId);
      state.refuseWhile(data.associationId !== undefined, 'InvalidIPAddress.InUse');
      state.resources.delete(id);
      return {};
    },
    DescribeAddresses: ({ Filters }) => ({
      Addresses: state.select('eipalloc', Filters).map((one) => ({
        AllocationId: one.id,
        AssociationId: one.data.associationId,
        InstanceId: one.data.instanceId,
        PublicIp: '203.0.113.9',
        Tags: tagsOf(one),
      })),
    }),
  };
}

function leftovers(
  state: FakeState,
): Pick<
  Handlers,
  'DeleteVolume' | 'DeleteNetworkInterface' | 'DescribeVolumes' | 'DescribeNetworkInterfaces'
> {
  const isUsed = ({ data }: FakeResource): boolean => data.instanceId !== undefined;
  return {
    DeleteVolume: ({ VolumeId }) => {
      const volume = state.get('vol', VolumeId);
      state.refuseWhile(isUsed(volume), 'VolumeInUse');
      state.resources.delete(volume.id);
      return {};
    },
    DeleteNetworkInterface: ({ NetworkInterfaceId }) => {
      const nic = state.get('eni', NetworkInterfaceId);
      state.refuseWhile(isUsed(nic), 'InvalidNetworkInterface.InUse');
      state.resources.delete(nic.id);
      return {};
    },
    DescribeVolumes: ({ Filters, NextToken }) => {
      const { items, next } = state.page(state.select('vol', Filters), NextToken);
      const Volumes = items.map((one) => ({
        VolumeId: one.id,
        State: isUsed(one) ? ('in-use' as const) : ('available' as const),
        Tags: tagsOf(one),
      }));
      return { Volumes, NextToken: next };
    },
    DescribeNetworkInterfaces: ({ Filters, NextToken }) => {
      const { items, next } = state.page(state.select('eni', Filters), NextToken);
      const NetworkInterfaces = items.map((one) => ({
        NetworkInterfaceId: one.id,
        Status: isUsed(one) ? ('in-use' as const) : ('available' as const),
        TagSet: tagsOf(one),
      }));
      return { NetworkInterfaces, NextToken: next };
    },
  };
}

function offers(): Pick<
  Handlers,
  | 'DescribeAvailabilityZones'
  | 'DescribeInstanceTypeOfferings'
  | 'DescribeInstanceTypes'
  | 'DescribeImages'
> {
  return {
    DescribeAvailabilityZones: () => ({
      AvailabilityZones: FAKE_ZONES.map((ZoneName) => ({ ZoneName })),
    }),
    DescribeInstanceTypeOfferings: ({ Filters }) => ({
      InstanceTypeOfferings: FAKE_ZONES.flatMap((Location) =>
        (Filters?.[0]?.Values ?? []).map((type) => ({
          Location,
          InstanceType: type as 'm6i.large',
        })),
      ),
    }),
    DescribeInstanceTypes: ({ Filters }) => ({
      InstanceTypes: (Filters?.[0]?.Values ?? []).map((type) => ({
        InstanceType: type as 'm6i.large',
        ProcessorInfo: { SupportedArchitectures: ['x86_64' as const] },
      })),
    }),
    DescribeImages: () => ({
      Images: [
        { ...IMAGE, ImageId: 'ami-0000000000000000b', CreationDate: '2024-01-01T00:00:00.000Z' },
        { ...IMAGE, ImageId: FAKE_IMAGE, CreationDate: '2025-01-01T00:00:00.000Z' },
        {
          ...IMAGE,
          ImageId: 'ami-0000000000000000c',
          CreationDate: '2026-01-01T00:00:00.000Z',
          Architecture: 'arm64' as const,
        },
      ],
    }),
  };
}

const IMAGE = {
  State: 'available' as const,
  Architecture: 'x86_64' as const,
  RootDeviceName: '/dev/xvda',
  RootDeviceType: 'ebs' as const,
  VirtualizationType: 'hvm' as const,
};
