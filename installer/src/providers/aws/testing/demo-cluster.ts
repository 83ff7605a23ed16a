/** A small cluster for tests: its settings, what it has when it is whole, and a provider for it. */

import { join } from 'node:path';
import { seededRandom } from '@dcos/base';
import { AwsProvider } from '../aws-provider.ts';
import { awsSchema } from '../settings.ts';
import type { Ec2 } from '../shell/ec2.ts';
import { FakeEc2 } from './fake-ec2.ts';
import { virtualClock } from './virtual-clock.ts';

/** One master, two private agents, one public agent, in two zones. */
export const DEMO_SETTINGS = {
  region: 'eu-central-1',
  zones: 2,
  adminLocations: ['203.0.113.7/32'],
  masters: { count: 1 },
  privateAgents: { count: 2 },
  publicAgents: { count: 1, elasticAddress: true },
};

/** What a cluster of these settings has, by kind. */
export const WHOLE = {
  vpc: ['vpc'],
  igw: ['gateway'],
  rtb: ['routes'],
  subnet: ['subnet-eu-central-1a', 'subnet-eu-central-1b'],
  sg: ['group-master', 'group-private', 'group-public'],
  key: ['key'],
  i: ['master-1', 'private-1', 'private-2', 'public-1'],
  vol: ['master-1', 'private-1', 'private-2', 'public-1'],
  eni: ['master-1', 'private-1', 'private-2', 'public-1'],
  eipalloc: ['address-public-1'],
};

export interface DemoOptions {
  readonly settings?: object;
  readonly cluster?: string;
  readonly seed?: number;
  readonly lines?: string[];
  readonly signal?: AbortSignal;
}

/** A provider; keys are kept in the folder. */
export function demoProvider(
  folder: string,
  ec2: Ec2,
  { settings = {}, cluster = 'demo', seed = 1, lines = [], signal }: DemoOptions = {},
): AwsProvider {
  return new AwsProvider({
    cluster,
    settings: awsSchema.parse({ ...DEMO_SETTINGS, ...settings }),
    ec2,
    context: {
      clock: virtualClock(),
      random: seededRandom(seed),
      onProgress: (line) => void lines.push(line),
      ...(signal && { signal }),
    },
    privateKeyFile: join(folder, `${cluster}.key`),
  });
}

/** A neighbour's cluster, and a network without any tags. */
export async function withNeighbours(folder: string): Promise<FakeEc2> {
  const ec2 = new FakeEc2();
  ec2.state.add('vpc', { cidr: '10.0.0.0/16' });
  ec2.state.add('key', { name: 'demo' });
  await demoProvider(folder, ec2, { cluster: 'neighbour' }).deploy();
  return ec2;
}
