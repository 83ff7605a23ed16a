/** What EC2 offers: zones, types of instances, images, and the subnets of a network that is there. Changes nothing. */

import type { DescribeImagesRequest, Image } from '@aws-sdk/client-ec2';
import { parseCidr } from '../core/cidr.ts';
import type { Found } from '../core/found.ts';
import { chooseZones, subnetPrefixBits } from '../core/to-wanted.ts';
import type { WantedImage, WantedNetwork } from '../core/wanted.ts';
import { awsError } from '../errors.ts';
import type { AwsSettings } from '../settings.ts';
import type { Ec2 } from './ec2.ts';
import { allPages } from './pages.ts';

/** The network that hosts are put into. */
export async function lookUpNetwork(
  ec2: Ec2,
  settings: AwsSettings,
  found: Found,
): Promise<WantedNetwork> {
  const { vpc } = settings;
  if ('id' in vpc) return await lookUpExisting(ec2, vpc);
  const [available, offering] = await Promise.all([
    availableZones(ec2),
    offeringZones(ec2, instanceTypes(settings)),
  ]);
  const used = found.subnets.map((subnet) => subnet.zone);
  const { zones, missing } = chooseZones({ asked: settings.zones, available, offering, used });
  if (missing.length > 0) {
    throw awsError(
      'AWS_NOT_OFFERED',
      `${missing.join(', ')}: not there, or without ${instanceTypes(settings).join(' and ')}; ` +
        `${[...offering].toSorted().join(', ') || 'no zone'} would do (aws.zones)`,
    );
  }
  const bits = parseCidr(vpc.cidr)?.prefixBits ?? 0;
  return { kind: 'own', cidr: vpc.cidr, subnetPrefixBits: subnetPrefixBits(bits), zones };
}

/** Types that are asked for, each once. */
export function instanceTypes(settings: AwsSettings): readonly string[] {
  const { masters, privateAgents, publicAgents } = settings;
  const used = [masters, privateAgents, publicAgents].filter((hosts) => hosts.count > 0);
  return [...new Set(used.map((hosts) => hosts.instanceType))];
}

async function lookUpExisting(
  ec2: Ec2,
  { id: vpcId, subnets: ids }: { readonly id: string; readonly subnets: readonly string[] },
): Promise<WantedNetwork> {
  const there = await allPages(async (token) => {
    const Filters = [{ Name: 'subnet-id', Values: [...ids] }];
    const answer = await ec2.call('DescribeSubnets', { Filters, ...token });
    return { items: answer.Subnets, next: answer.NextToken };
  });
  const subnets = ids.map((id) => {
    const subnet = there.find((one) => one.SubnetId === id);
    if (subnet?.VpcId !== vpcId) {
      throw awsError('AWS_NOT_OFFERED', `there is no subnet ${id} in ${vpcId} (aws.vpc.subnets)`);
    }
    return { id, zone: subnet.AvailabilityZone ?? '' };
  });
  if (new Set(subnets.map((subnet) => subnet.zone)).size < subnets.length) {
    throw awsError('AWS_NOT_OFFERED', 'two of the subnets are in one zone (aws.vpc.subnets)');
  }
  return { kind: 'existing', vpcId, subnets };
}

async function availableZones(ec2: Ec2): Promise<readonly string[]> {
  const { AvailabilityZones = [] } = await ec2.call('DescribeAvailabilityZones', {
    Filters: [
      { Name: 'state', Values: ['available'] },
      { Name: 'zone-type', Values: ['availability-zone'] },
    ],
  });
  return AvailabilityZones.flatMap((zone) => zone.ZoneName ?? []);
}

/** Zones in which every one of the types can be had. */
async function offeringZones(ec2: Ec2, types: readonly string[]): Promise<ReadonlySet<string>> {
  const offerings = await allPages(async (token) => {
    const answer = await ec2.call('DescribeInstanceTypeOfferings', {
      LocationType: 'availability-zone',
      Filters: [{ Name: 'instance-type', Values: [...types] }],
      ...token,
    });
    return { items: answer.InstanceTypeOfferings, next: answer.NextToken };
  });
  const typesOf = new Map<string, Set<string>>();
  for (const { Location = '', InstanceType } of offerings) {
    const there = typesOf.get(Location) ?? new Set();
    typesOf.set(Location, there.add(InstanceType ?? ''));
  }
  return new Set(
    [...typesOf].flatMap(([zone, there]) => (there.size >= types.length ? [zone] : [])),
  );
}

/** The image of each type of instance. */
export async function lookUpImages(
  ec2: Ec2,
  settings: AwsSettings,
): Promise<ReadonlyMap<string, WantedImage>> {
  const types = instanceTypes(settings);
  const described = await allPages(async (token) => {
    const answer = await ec2.call('DescribeInstanceTypes', {
      Filters: [{ Name: 'instance-type', Values: [...types] }],
      ...token,
    });
    return { items: answer.InstanceTypes, next: answer.NextToken };
  });
  const images = new Map<string, WantedImage>();
  for (const type of types) {
    const info = described.find((one) => one.InstanceType === type)?.ProcessorInfo;
    const architecture = info?.SupportedArchitectures?.find((one) => one !== 'i386');
    if (architecture === undefined) {
      throw awsError('AWS_NOT_OFFERED', `${settings.region} has no instances of type ${type}`);
    }
    images.set(type, await lookUpImage(ec2, settings, architecture));
  }
  return images;
}

async function lookUpImage(
  ec2: Ec2,
  { image, region }: AwsSettings,
  architecture: string,
): Promise<WantedImage> {
  const query: DescribeImagesRequest =
    'id' in image
      ? { ImageIds: [image.id] }
      : { Owners: [image.owner], Filters: [{ Name: 'name', Values: [image.name] }] };
  const all = await allPages(async (token) => {
    const answer = await ec2.call('DescribeImages', { ...query, ...token });
    return { items: answer.Images, next: answer.NextToken };
  });
  const fitting = all.filter(
    (one) => one.Architecture === architecture && one.State === 'available' && isOnDisk(one),
  );
  const newest = fitting.toSorted((one, other) =>
    (other.CreationDate ?? '').localeCompare(one.CreationDate ?? ''),
  )[0];
  if (newest?.ImageId === undefined || newest.RootDeviceName === undefined) {
    const said = 'id' in image ? image.id : `${image.name} of ${image.owner}`;
    throw awsError(
      'AWS_NOT_OFFERED',
      `${region} has no image ${said} for ${architecture} that starts from a volume (aws.image)`,
    );
  }
  return { id: newest.ImageId, rootDevice: newest.RootDeviceName };
}

function isOnDisk({ RootDeviceType, VirtualizationType }: Image): boolean {
  return RootDeviceType === 'ebs' && VirtualizationType === 'hvm';
}
