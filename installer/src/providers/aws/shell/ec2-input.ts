/** Parts of requests: tags, rules and instances in the form of the API. */

import type {
  IpPermission,
  ResourceType,
  RunInstancesRequest,
  TagSpecification,
} from '@aws-sdk/client-ec2';
import { unreachable } from '@dcos/base';
import type { CreateAction } from '../core/action.ts';
import type { FoundRule } from '../core/found.ts';
import { instanceToken, TAG_GENERATION, TAG_ROLE, tagsOf, type Tags } from '../core/names.ts';
import type { HostRole } from '../core/wanted.ts';
import type { Rule } from '../core/ports.ts';

/** Programs in containers, which are one step further away, do not get the host's credentials. */
const METADATA_HOPS = 1;

/** Tags from the first moment on, so that nothing without them can be left behind. */
export function tagSpecification(type: ResourceType, tags: Tags): TagSpecification {
  return { ResourceType: type, Tags: tagList(tags) };
}

/** Tags as a list. */
export function tagList(tags: Tags): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** Wanted rules; each says why. */
export function toPermissions(
  rules: readonly Rule[],
  groupIdOf: (role: HostRole) => string,
): IpPermission[] {
  return rules.map(({ protocol, fromPort, toPort, from, why: Description }) => ({
    IpProtocol: protocol,
    FromPort: fromPort,
    ToPort: toPort,
    ...(from.kind === 'group'
      ? { UserIdGroupPairs: [{ GroupId: groupIdOf(from.role), Description }] }
      : { IpRanges: [{ CidrIp: from.cidr, Description }] }),
  }));
}

/** Rules as they were found, to be taken back. */
export function toFoundPermissions(rules: readonly FoundRule[]): IpPermission[] {
  return rules.map(({ protocol, fromPort, toPort, from }) => ({
    IpProtocol: protocol,
    // All ports of all protocols have no numbers.
    ...(protocol !== '-1' && { FromPort: fromPort, ToPort: toPort }),
    ...sourceOf(from),
  }));
}

function sourceOf(from: FoundRule['from']): Partial<IpPermission> {
  switch (from.kind) {
    case 'group':
      return { UserIdGroupPairs: [{ GroupId: from.groupId }] };
    case 'cidr':
      return from.cidr.includes(':')
        ? { Ipv6Ranges: [{ CidrIpv6: from.cidr }] }
        : { IpRanges: [{ CidrIp: from.cidr }] };
    case 'other':
      return { PrefixListIds: [{ PrefixListId: from.text }] };
    default:
      return unreachable(from);
  }
}

export interface InstancePlace {
  readonly cluster: string;
  readonly tags: Tags;
  readonly generation: number;
  readonly subnetId: string;
  readonly groupId: string;
}

/** The request for one instance. Equal arguments give an equal request, as its client token demands. */
export function toRunInstances(
  { instance, keyName }: Extract<CreateAction, { readonly kind: 'createInstance' }>,
  { cluster, tags: further, generation, subnetId, groupId }: InstancePlace,
): RunInstancesRequest {
  const { name, role, image, volume, isSpot, userData } = instance;
  const own = { [TAG_GENERATION]: String(generation), [TAG_ROLE]: role };
  const tags = tagsOf(cluster, name, further, own);
  const tagged: ResourceType[] = ['instance', 'volume', 'network-interface'];
  if (isSpot) tagged.push('spot-instances-request');
  return {
    ClientToken: instanceToken({ cluster, instance: name, generation, subnetId }),
    MinCount: 1,
    MaxCount: 1,
    ImageId: image.id,
    InstanceType: instance.instanceType as RunInstancesRequest['InstanceType'] & string,
    KeyName: keyName,
    NetworkInterfaces: [
      {
        DeviceIndex: 0,
        SubnetId: subnetId,
        ...(instance.place !== undefined && { PrivateIpAddress: instance.place.address }),
        Groups: [groupId],
        AssociatePublicIpAddress: instance.hasPublicAddress,
        DeleteOnTermination: true,
      },
    ],
    BlockDeviceMappings: [
      {
        DeviceName: image.rootDevice,
        Ebs: {
          VolumeSize: volume.sizeGib,
          VolumeType: volume.type as 'gp3',
          Encrypted: volume.isEncrypted,
          ...(volume.kmsKeyId !== undefined && { KmsKeyId: volume.kmsKeyId }),
          DeleteOnTermination: true,
        },
      },
    ],
    MetadataOptions: {
      HttpEndpoint: 'enabled',
      HttpTokens: 'required',
      HttpPutResponseHopLimit: METADATA_HOPS,
    },
    ...(isSpot && { InstanceMarketOptions: { MarketType: 'spot' } }),
    // The SDK sends this as it is.
    ...(userData !== undefined && { UserData: Buffer.from(userData).toString('base64') }),
    TagSpecifications: tagged.map((type) => tagSpecification(type, tags)),
  };
}
