/** The provider against an EC2 in memory: what it makes, mends and refuses. */

import { temporaryDirectory } from '@dcos/testkit';
import { afterAll, expect, test } from 'vitest';
import type { AwsProvider } from './aws-provider.ts';
import { diffText } from './core/diff-text.ts';
import type { Ec2 } from './shell/ec2.ts';
import { demoProvider, WHOLE, type DemoOptions } from './testing/demo-cluster.ts';
import { FakeEc2 } from './testing/fake-ec2.ts';

const folder = temporaryDirectory('aws');
afterAll(() => folder.remove());
const providerOf = (ec2: Ec2, options: DemoOptions = {}): AwsProvider =>
  demoProvider(folder.path, ec2, options);

test('makes what is wanted, everything tagged, and then finds no change', async () => {
  const ec2 = new FakeEc2();
  const cluster = await providerOf(ec2).deploy();
  expect(ec2.namesOf('demo')).toEqual(WHOLE);
  expect(ec2.others('demo')).toBe('[]');
  expect(cluster.hosts.map(({ name, role, zone }) => [name, role, zone])).toEqual([
    ['master-1', 'master', 'eu-central-1a'],
    ['private-1', 'private', 'eu-central-1a'],
    ['private-2', 'private', 'eu-central-1b'],
    ['public-1', 'public', 'eu-central-1a'],
  ]);
  for (const { data } of ec2.state.all('i')) expect(data.httpTokens).toBe('required');
  for (const { data } of ec2.state.all('vol')) expect(data.isEncrypted).toBe(true);

  const before = ec2.calls.length;
  expect(diffText((await providerOf(ec2).plan()).plan)).toBe('No change.');
  expect(await providerOf(ec2).deploy()).toEqual(cluster);
  expect(ec2.calls.slice(before).filter((action) => !action.startsWith('Describe'))).toEqual([]);
});

test('a plan changes nothing', async () => {
  const ec2 = new FakeEc2();
  const { plan, cost } = await providerOf(ec2, { cluster: 'plan' }).plan();
  expect(diffText(plan)).toContain('to create');
  expect(cost.text).toMatch(/^Estimate: about \d/);
  expect(ec2.calls.filter((action) => !action.startsWith('Describe'))).toEqual([]);
});

test('more and fewer hosts', async () => {
  const ec2 = new FakeEc2();
  await providerOf(ec2).deploy();
  await providerOf(ec2, { settings: { privateAgents: { count: 4 } } }).deploy();
  expect(ec2.namesOf('demo').i).toEqual([
    'master-1',
    'private-1',
    'private-2',
    'private-3',
    'private-4',
    'public-1',
  ]);
  await providerOf(ec2, {
    settings: { privateAgents: { count: 1 }, publicAgents: { count: 0 } },
  }).deploy();
  expect(ec2.namesOf('demo')).toMatchObject({ i: ['master-1', 'private-1'] });
  expect(ec2.namesOf('demo').eipalloc).toBe(undefined);
});

test('agents that are too many stay when asked to, and end by name', async () => {
  const ec2 = new FakeEc2();
  const more = { privateAgents: { count: 3 }, publicAgents: { count: 2, elasticAddress: true } };
  await providerOf(ec2, { settings: more }).deploy();
  const whole = ec2.namesOf('demo');
  const provider = providerOf(ec2);
  const { hosts } = await provider.deploy({ keepsLeaving: true });
  expect(ec2.namesOf('demo')).toEqual(whole);
  expect(hosts.map(({ name }) => name).filter((name) => !provider.isAskedFor(name))).toEqual([
    'private-3',
    'public-2',
  ]);
  await provider.end(new Set(['private-3', 'public-2']));
  await provider.end(new Set(['private-3', 'public-2']));
  expect(ec2.namesOf('demo')).toEqual(WHOLE);
  expect(diffText((await provider.plan()).plan)).toBe('No change.');
});

test('a host that is asked for ends, and the next one gets its elastic address', async () => {
  const ec2 = new FakeEc2();
  const before = await providerOf(ec2).deploy();
  const addresses = ec2.state.all('eipalloc').map(({ id }) => id);
  await providerOf(ec2).end(new Set(['public-1']));
  expect(ec2.namesOf('demo').i).toEqual(['master-1', 'private-1', 'private-2']);
  const after = await providerOf(ec2).deploy({ keepsLeaving: true });
  expect(ec2.namesOf('demo')).toEqual(WHOLE);
  const [former, latter] = [before, after].map(({ hosts }) => hosts.at(-1));
  expect(ec2.state.all('eipalloc').map(({ id }) => id)).toEqual(addresses);
  expect(latter?.instanceId).not.toBe(former?.instanceId);
});

test('a master that ended is made again at its address, whatever is known of it elsewhere', async () => {
  const ec2 = new FakeEc2();
  const settings = { masters: { count: 3 } };
  const before = await providerOf(ec2, { settings }).deploy();
  await providerOf(ec2, { settings }).end(new Set(['master-2']));
  // Others come meanwhile.
  await providerOf(ec2, { cluster: 'neighbour' }).deploy();
  const after = await providerOf(ec2, { settings }).deploy();
  const places = ({ hosts }: typeof before): readonly string[] =>
    hosts.map(({ name, zone, privateAddress }) => `${name} ${zone} ${privateAddress}`);
  expect(places(after)).toEqual(places(before));
  expect(after.hosts[1]?.instanceId).not.toBe(before.hosts[1]?.instanceId);
  expect(diffText((await providerOf(ec2, { settings }).plan()).plan)).toBe('No change.');
});

test('a host that ended is made again, as the next generation', async () => {
  const ec2 = new FakeEc2();
  await providerOf(ec2).deploy();
  const [lost] = ec2.state.select('i', [{ Name: 'tag:dcos:resource', Values: ['private-2'] }]);
  await ec2.call('TerminateInstances', { InstanceIds: [lost?.id ?? ''] });
  await providerOf(ec2).deploy();
  const again = ec2.state.all('i').filter((one) => one.tags.get('dcos:resource') === 'private-2');
  expect(again.map(({ data, tags }) => [data.state, tags.get('dcos:generation')])).toEqual([
    ['terminated', '1'],
    ['running', '2'],
  ]);
});

test('a token of a host that ended and is no longer listed is given up', async () => {
  const ec2 = new FakeEc2();
  await providerOf(ec2).deploy();
  for (const one of ec2.state.all('i')) {
    if (one.tags.get('dcos:resource') !== 'private-2') continue;
    one.data.state = 'terminated';
    one.tags.clear();
  }
  await providerOf(ec2).deploy();
  expect(ec2.namesOf('demo').i).toEqual(WHOLE.i);
});

test('a stopped host is started, one that does without tokens demands them again', async () => {
  const ec2 = new FakeEc2();
  await providerOf(ec2).deploy();
  const [first, second] = ec2.state.all('i');
  if (first !== undefined) first.data.state = 'stopped';
  if (second !== undefined) second.data.httpTokens = 'optional';
  await providerOf(ec2).deploy();
  expect(first?.data.state).toBe('running');
  expect(second?.data.httpTokens).toBe('required');
});

test('rules that were added by hand go, rules that were taken away come back', async () => {
  const ec2 = new FakeEc2();
  await providerOf(ec2).deploy();
  const [group] = ec2.state.all('sg');
  const world = {
    IpProtocol: 'tcp',
    FromPort: 22,
    ToPort: 22,
    IpRanges: [{ CidrIp: '0.0.0.0/0' }],
  };
  const rules = group?.data.permissions ?? [];
  if (group !== undefined) group.data.permissions = [...rules.slice(1), world];
  const { plan } = await providerOf(ec2).plan();
  expect(diffText(plan)).toContain('no longer allow 22-22/tcp from 0.0.0.0/0');
  await providerOf(ec2).deploy();
  expect(diffText((await providerOf(ec2).plan()).plan)).toBe('No change.');
  expect(group?.data.permissions).toHaveLength(rules.length);
});

test('into a network that is there: nothing of it is changed or removed', async () => {
  const ec2 = new FakeEc2();
  const vpc = ec2.state.add('vpc', { cidr: '10.9.0.0/16' });
  const subnet = ec2.state.add('subnet', {
    vpcId: vpc.id,
    zone: 'eu-central-1b',
    cidr: '10.9.0.0/24',
  });
  const before = ec2.others('demo');
  const settings = { vpc: { id: vpc.id, subnets: [subnet.id] } };
  await providerOf(ec2, { settings }).deploy();
  expect(ec2.namesOf('demo')).toEqual({
    ...WHOLE,
    vpc: undefined,
    igw: undefined,
    rtb: undefined,
    subnet: undefined,
  });
  expect(diffText((await providerOf(ec2, { settings }).plan()).plan)).toBe('No change.');
  await providerOf(ec2, { settings }).destroy();
  expect(ec2.namesOf('demo')).toEqual({});
  expect(ec2.others('demo')).toBe(before);
});

test.for([
  ['fewer masters', { masters: { count: 1 } }, 'aws.masters.count'],
  ['another range', { vpc: { cidr: '10.1.0.0/16' } }, 'aws.vpc.cidr'],
] as const)('refuses %s', async ([, settings, key]) => {
  const ec2 = new FakeEc2();
  await providerOf(ec2, { settings: { masters: { count: 3 } } }).deploy();
  const before = JSON.stringify(ec2.namesOf('demo'));
  const changed = { masters: { count: 3 }, ...settings };
  await expect(providerOf(ec2, { settings: changed }).deploy()).rejects.toMatchObject({
    code: 'AWS_PLAN',
    details: { problems: [expect.objectContaining({ key })] },
  });
  expect(JSON.stringify(ec2.namesOf('demo'))).toBe(before);
});

test('without the private key of the hosts nothing is changed', async () => {
  const ec2 = new FakeEc2();
  await providerOf(ec2).deploy();
  for (const key of ec2.state.all('key')) key.tags.set('dcos:cluster', 'lost');
  for (const one of ec2.state.resources.values()) one.tags.set('dcos:cluster', 'lost');
  await expect(providerOf(ec2, { cluster: 'lost' }).deploy()).rejects.toMatchObject({
    code: 'AWS_KEY',
  });
});

test('what somebody put into the network is named, not removed', async () => {
  const ec2 = new FakeEc2();
  await providerOf(ec2).deploy();
  const [vpc] = ec2.state.all('vpc');
  const foreign = ec2.state.add('subnet', { vpcId: vpc?.id ?? '', cidr: '10.0.240.0/20' });
  await expect(providerOf(ec2).destroy()).rejects.toMatchObject({
    code: 'AWS_REFUSED',
    message: expect.stringContaining('not of this cluster') as unknown,
  });
  expect(ec2.state.resources.has(foreign.id)).toBe(true);
  ec2.state.resources.delete(foreign.id);
  await providerOf(ec2).destroy();
  expect(ec2.namesOf('demo')).toEqual({});
});
