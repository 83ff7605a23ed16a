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
} from '@aws-sdk/client-ec2';

/** Each thing that is not ended, with all that EC2 tells of it; in a fixed order. */
export async function everythingThere(ec2: EC2Client): Promise<readonly string[]> {
  const lists: readonly (readonly object[])[] = [
    (await ec2.send(new DescribeVpcsCommand({}))).Vpcs ?? [],
    (await ec2.send(new DescribeSubnetsCommand({}))).Subnets ?? [],
    (await ec2.send(new DescribeSecurityGroupsCommand({}))).SecurityGroups ?? [],
    (await ec2.send(new DescribeRouteTablesCommand({}))).RouteTables ?? [],
    (await ec2.send(new DescribeInternetGatewaysCommand({}))).InternetGateways ?? [],
    (await ec2.send(new DescribeNetworkInterfacesCommand({}))).NetworkInterfaces ?? [],
    (await ec2.send(new DescribeVolumesCommand({}))).Volumes ?? [],
    (await ec2.send(new DescribeAddressesCommand({}))).Addresses ?? [],
    (await ec2.send(new DescribeKeyPairsCommand({}))).KeyPairs ?? [],
    ((await ec2.send(new DescribeInstancesCommand({}))).Reservations ?? [])
      .flatMap(({ Instances = [] }) => Instances)
      .filter(({ State }) => State?.Name !== 'terminated'),
  ];
  return lists
    .flat()
    .map((thing) => JSON.stringify(thing))
    .sort();
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
