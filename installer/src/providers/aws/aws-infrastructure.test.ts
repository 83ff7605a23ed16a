/** The provider as the commands see it. */

import { join } from 'node:path';
import { seededRandom } from '@dcos/base';
import { temporaryDirectory } from '@dcos/testkit';
import { afterAll, expect, test } from 'vitest';
import type { HostConnection } from '../../hosts/connection.ts';
import { AwsInfrastructure, type AwsInfrastructureOptions } from './aws-infrastructure.ts';
import { awsSchema } from './settings.ts';
import { DEMO_SETTINGS } from './testing/demo-cluster.ts';
import { FakeEc2 } from './testing/fake-ec2.ts';
import { virtualClock } from './testing/virtual-clock.ts';

const folder = temporaryDirectory('aws');
afterAll(() => folder.remove());

const CONNECTION: HostConnection = {
  run: async () => await Promise.resolve({ code: 0, stdout: '', stderr: '' }),
  upload: async () => await Promise.reject(new Error('not in this test')),
  close: async () => await Promise.resolve(),
};

function infrastructureOf(
  ec2: FakeEc2,
  { connect, settings = {} }: Pick<AwsInfrastructureOptions, 'connect'> & { settings?: object },
): AwsInfrastructure {
  return new AwsInfrastructure({
    cluster: 'demo',
    settings: awsSchema.parse({ ...DEMO_SETTINGS, ...settings }),
    ec2,
    context: { clock: virtualClock(), random: seededRandom(1) },
    privateKeyFile: join(folder.path, 'key'),
    connect,
  });
}

test('hosts come with their addresses and a way to reach them, and go', async () => {
  const ec2 = new FakeEc2();
  const asked: string[] = [];
  const infrastructure = infrastructureOf(ec2, {
    connect: async ({ name, connection }) => {
      asked.push(`${name} ${connection.user}@${connection.address}:${connection.port}`);
      return await Promise.resolve(CONNECTION);
    },
  });
  expect(await infrastructure.existing()).toBe(undefined);
  const changes = await infrastructure.changes();
  expect(changes.map(({ action }) => action)).toContain('create');
  expect((await infrastructure.notes()).join()).toContain('Estimate');

  const lines: string[] = [];
  const made = await infrastructure.ensure((line) => void lines.push(line));
  expect(lines).toContain('4 of 4 instances running');
  expect(made.hosts.map(({ name, role }) => `${name} ${role}`)).toEqual([
    'master-1 master',
    'private-1 private',
    'private-2 private',
    'public-1 public',
  ]);
  const [master] = made.hosts;
  expect(await master?.connect()).toBe(CONNECTION);
  expect(asked.at(-1)).toMatch(/^master-1 admin@198\.51\.100\.\d+:22$/);
  expect(lines).toContain('public-1 answers, 4 of 4');
  expect(made.urls).toEqual([expect.stringMatching(/^http:\/\/198\.51\.100\.\d+\/$/)]);
  expect((await infrastructure.existing())?.clusterId).toBe(made.clusterId);
  expect(await infrastructure.changes()).toEqual([]);

  await infrastructure.destroy(() => undefined);
  expect(await infrastructure.existing()).toBe(undefined);
});

test('a wish that cannot be fulfilled is a fault of the configuration', async () => {
  const ec2 = new FakeEc2();
  await infrastructureOf(ec2, { connect: async () => await Promise.resolve(CONNECTION) }).ensure(
    () => undefined,
  );
  const changed = infrastructureOf(ec2, {
    connect: async () => await Promise.resolve(CONNECTION),
    settings: { vpc: { cidr: '10.1.0.0/16' } },
  });
  await expect(changed.changes()).rejects.toMatchObject({
    code: 'INSTALLER_CONFIGURATION',
    message: expect.stringContaining('aws.vpc.cidr') as unknown,
  });
});
