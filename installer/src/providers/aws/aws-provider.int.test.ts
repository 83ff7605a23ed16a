/** The provider against a server that speaks EC2's API over HTTP: what the in-memory one takes for granted is met here. */

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '@dcos/base';
import {
  motoServer,
  startMotoServer,
  temporaryDirectory,
  type MotoServer,
  type TemporaryDirectory,
} from '@dcos/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AwsProvider } from './aws-provider.ts';
import { diffText } from './core/diff-text.ts';
import { awsSchema } from './settings.ts';
import type { Ec2 } from './shell/ec2.ts';
import { openSdkEc2 } from './shell/sdk-ec2.ts';
import { killedAt, KilledError } from './testing/fake-ec2.ts';
import { virtualClock } from './testing/virtual-clock.ts';

const moto = motoServer();
const REGION = 'eu-central-1';
/** Of those that moto knows. */
const IMAGE = { owner: 'amazon', name: 'amzn2-ami-hvm-2*', user: 'ec2-user' };
const SETTINGS = { region: REGION, adminLocations: ['203.0.113.7/32'], image: IMAGE };

/** One host of each role in one zone. */
const SMALL = {
  zones: 1,
  masters: { count: 1 },
  privateAgents: { count: 1 },
  publicAgents: { count: 1, elasticAddress: true },
};

describe.skipIf(!moto.available)(`aws and moto${moto.note}`, () => {
  let server: MotoServer;
  let ec2: Ec2 & { readonly close: () => void };
  let folder: TemporaryDirectory;

  beforeAll(async () => {
    folder = temporaryDirectory('aws');
    server = await startMotoServer();
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    ec2 = await openSdkEc2({ region: REGION, endpoint: server.endpoint, credentials });
  });
  afterAll(async () => {
    ec2.close();
    await server.close();
    folder.remove();
  });
  beforeEach(async () => await server.reset());

  function providerOf(cluster: string, settings: object = {}, port: Ec2 = ec2): AwsProvider {
    return new AwsProvider({
      cluster,
      settings: awsSchema.parse({ ...SETTINGS, ...settings }),
      ec2: port,
      context: { clock: virtualClock(), random: seededRandom(1), onProgress: () => undefined },
      privateKeyFile: join(folder.path, `${cluster}.key`),
    });
  }

  test('makes a cluster, finds nothing to change, removes it and nothing else', async () => {
    const neighbour = await ec2.call('CreateVpc', { CidrBlock: '10.0.0.0/16' });
    const vpcsBefore = (await ec2.call('DescribeVpcs', {})).Vpcs?.map((vpc) => vpc.VpcId);
    const provider = providerOf('demo');
    const before = await provider.plan();
    expect(diffText(before.plan)).toContain('Plan: 17 to create');
    expect(existsSync(join(folder.path, 'demo.key'))).toBe(false);

    const cluster = await provider.deploy();
    expect(cluster.hosts.map(({ name, zone }) => `${name} ${zone}`)).toEqual([
      'master-1 eu-central-1a',
      'master-2 eu-central-1b',
      'master-3 eu-central-1c',
      'private-1 eu-central-1a',
      'private-2 eu-central-1b',
      'private-3 eu-central-1c',
      'public-1 eu-central-1a',
    ]);
    expect(statSync(join(folder.path, 'demo.key')).mode & 0o777).toBe(0o600);
    expect(diffText((await provider.plan()).plan)).toBe('No change.');
    // Another process, which has nothing but the settings and the key, finds the same.
    expect(await providerOf('demo').existing()).toEqual(cluster);

    await provider.destroy();
    await provider.destroy();
    expect(await provider.existing()).toBe(undefined);
    const vpcsAfter = (await ec2.call('DescribeVpcs', {})).Vpcs?.map((vpc) => vpc.VpcId);
    expect(vpcsAfter).toEqual(vpcsBefore);
    expect(vpcsAfter).toContain(neighbour.Vpc?.VpcId);
  });

  test('more hosts, fewer hosts, an address that stays', async () => {
    await providerOf('demo', SMALL).deploy();
    const larger = { ...SMALL, privateAgents: { count: 3 } };
    const { hosts } = await providerOf('demo', larger).deploy();
    expect(hosts.map(({ name }) => name)).toEqual([
      'master-1',
      'private-1',
      'private-2',
      'private-3',
      'public-1',
    ]);
    const { Addresses = [] } = await ec2.call('DescribeAddresses', {});
    expect(Addresses.map(({ PublicIp }) => PublicIp)).toEqual([hosts.at(-1)?.publicAddress]);
    const none = { ...SMALL, privateAgents: { count: 0 }, publicAgents: { count: 0 } };
    const small = await providerOf('demo', none).deploy();
    expect(small.hosts.map(({ name }) => name)).toEqual(['master-1']);
    expect((await ec2.call('DescribeAddresses', {})).Addresses).toEqual([]);
  });

  test('a master that ends is followed by one at its address', async () => {
    const before = await providerOf('demo', SMALL).deploy();
    await providerOf('demo', SMALL).end(new Set(['master-1']));
    const after = await providerOf('demo', SMALL).deploy({ keepsLeaving: true });
    expect(after.hosts[0]).toMatchObject({
      name: 'master-1',
      zone: before.hosts[0]?.zone,
      privateAddress: before.hosts[0]?.privateAddress,
    });
    expect(after.hosts[0]?.instanceId).not.toBe(before.hosts[0]?.instanceId);
    expect(diffText((await providerOf('demo', SMALL).plan()).plan)).toBe('No change.');
  });

  test('killed here and there, run again: one of each, and nothing after destroy', async () => {
    const counting = killedAt(ec2, Infinity, 'before');
    let calls = 0;
    await providerOf('demo', SMALL, {
      call: async (action, input) => {
        calls += 1;
        return await counting.call(action, input);
      },
    }).deploy();
    await providerOf('demo', SMALL).destroy();
    // At every call it is killed before an EC2 in memory; here in steps.
    for (let index = 3; index < calls; index += 11) {
      const moment = index % 2 === 0 ? 'before' : 'after';
      const killed = providerOf('demo', SMALL, killedAt(ec2, index, moment));
      await expect(killed.deploy()).rejects.toThrow(KilledError);
      const { hosts } = await providerOf('demo', SMALL).deploy();
      expect(hosts.map(({ name }) => name)).toEqual(['master-1', 'private-1', 'public-1']);
      const Filters = [{ Name: 'tag:dcos:cluster', Values: ['demo'] }];
      expect((await ec2.call('DescribeVpcs', { Filters })).Vpcs).toHaveLength(1);
      expect((await ec2.call('DescribeSecurityGroups', { Filters })).SecurityGroups).toHaveLength(
        3,
      );
      await providerOf('demo', SMALL).destroy();
      expect(await providerOf('demo', SMALL).existing()).toBe(undefined);
    }
  });

  test('an endpoint that nobody named is no other than this machine', async () => {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const stranger = await openSdkEc2({ region: REGION, credentials });
    await expect(stranger.call('DescribeVpcs', {})).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    stranger.close();
  });
});
