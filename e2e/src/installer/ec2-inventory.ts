/** What is in an account of EC2, whoever made it: to compare before and after. */

import {
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeInternetGatewaysCommand,
  DescribeKeyPairsCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  RunInstancesCommand,
  type EC2Client,
  type Tag,
} from '@aws-sdk/client-ec2';

/** A thing that has not ended, as EC2 tells of it. */
interface Thing {
  readonly Tags?: readonly Tag[] | undefined;
}

async function thingsByKind(ec2: EC2Client): Promise<Readonly<Record<string, readonly Thing[]>>> {
  const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}));
  return {
    vpc: (await ec2.send(new DescribeVpcsCommand({}))).Vpcs ?? [],
    subnet: (await ec2.send(new DescribeSubnetsCommand({}))).Subnets ?? [],
    group: (await ec2.send(new DescribeSecurityGroupsCommand({}))).SecurityGroups ?? [],
    routes: (await ec2.send(new DescribeRouteTablesCommand({}))).RouteTables ?? [],
    gateway: (await ec2.send(new DescribeInternetGatewaysCommand({}))).InternetGateways ?? [],
    interface:
      (await ec2.send(new DescribeNetworkInterfacesCommand({}))).NetworkInterfaces?.map(
        ({ TagSet, ...rest }) => ({ ...rest, Tags: TagSet }),
      ) ?? [],
    volume: (await ec2.send(new DescribeVolumesCommand({}))).Volumes ?? [],
    address: (await ec2.send(new DescribeAddressesCommand({}))).Addresses ?? [],
    key: (await ec2.send(new DescribeKeyPairsCommand({}))).KeyPairs ?? [],
    instance: Reservations.flatMap(({ Instances = [] }) => Instances).filter(
      ({ State }) => State?.Name !== 'terminated',
    ),
  };
}

/** Each thing that is not ended, with all that EC2 tells of it; in a fixed order. */
export async function everythingThere(ec2: EC2Client): Promise<readonly string[]> {
  return Object.values(await thingsByKind(ec2))
    .flat()
    .map((thing) => JSON.stringify(thing))
    .sort();
}

/** What carries the tag of a cluster, as kind and name: one that is there twice is listed twice. */
export async function thingsOf(ec2: EC2Client, cluster: string): Promise<readonly string[]> {
  const found = Object.entries(await thingsByKind(ec2)).flatMap(([kind, things]) =>
    things.flatMap(({ Tags = [] }) => {
      const tags = new Map(Tags.map(({ Key = '', Value = '' }) => [Key, Value]));
      if (tags.get('dcos:cluster') !== cluster) return [];
      return [`${kind} ${tags.get('dcos:resource') ?? 'without a name'}`];
    }),
  );
  return found.sort();
}

/** Somebody else's network with an instance, without a tag. */
export async function makeNeighbour(ec2: EC2Client): Promise<void> {
  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }));
  const inVpc = { VpcId: Vpc?.VpcId };
  const { Subnet } = await ec2.send(
    new CreateSubnetCommand({ ...inVpc, CidrBlock: '10.0.0.0/24' }),
  );
  const group = { GroupName: 'neighbour', Description: 'of somebody else' };
  const { GroupId } = await ec2.send(new CreateSecurityGroupCommand({ ...inVpc, ...group }));
  await ec2.send(
    new RunInstancesCommand({
      ImageId: 'ami-12c6146b',
      InstanceType: 't3.small',
      SubnetId: Subnet?.SubnetId,
      SecurityGroupIds: [GroupId ?? ''],
      MinCount: 1,
      MaxCount: 1,
    }),
  );
}
