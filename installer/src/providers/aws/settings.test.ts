import { expect, test } from 'vitest';
import { awsSchema, USER_DATA_BYTES_MAX } from './settings.ts';

const LEAST = { region: 'eu-central-1', adminLocations: ['203.0.113.7/32'] };

test('all that is wrong is told at once', () => {
  const { error } = awsSchema.safeParse({
    region: 'here',
    adminLocations: ['0.0.0.0/0', 'x'],
    zones: ['a', 'a'],
    publicAddresses: false,
    masters: { count: 4 },
  });
  expect(error?.issues.map((issue) => issue.path.join('.')).sort()).toEqual([
    'adminLocations',
    'adminLocations.1',
    'connectTo',
    'masters.count',
    'region',
    'zones',
  ]);
});

test('the least that has to be said makes a safe cluster', () => {
  const settings = awsSchema.parse(LEAST);
  expect(settings.masters).toMatchObject({ count: 3, volume: { encrypted: true }, spot: false });
  expect(settings.allowAdminFromAnywhere).toBe(false);
});

test.for([
  ['no region', { region: undefined }, 'region'],
  ['a region that is none', { region: 'Frankfurt' }, 'region'],
  ['an even number of masters', { masters: { count: 2 } }, 'masters.count'],
  ['no locations', { adminLocations: [] }, 'adminLocations'],
  ['a location that is none', { adminLocations: ['1.2.3.4'] }, 'adminLocations.0'],
  ['the whole world', { adminLocations: ['0.0.0.0/0'] }, 'adminLocations'],
  ['half of the world', { adminLocations: ['128.0.0.0/1'] }, 'adminLocations'],
  ['a zone twice', { zones: ['eu-central-1a', 'eu-central-1a'] }, 'zones'],
  ['no public addresses, but connecting to them', { publicAddresses: false }, 'connectTo'],
  ['ports that are none', { publicPorts: ['http'] }, 'publicPorts.0'],
  ['an image by name alone', { image: { name: 'debian-*', user: 'admin' } }, 'image'],
  ['a tag of ours', { tags: { 'dcos:cluster': 'x' } }, 'tags.dcos:cluster'],
  ['a tag of AWS', { tags: { 'aws:x': 'x' } }, 'tags.aws:x'],
  ['too much user data', { userData: 'ü'.repeat(USER_DATA_BYTES_MAX / 2 + 1) }, 'userData'],
  [
    'a key for an open disk',
    { masters: { volume: { encrypted: false, kmsKeyId: 'k' } } },
    'masters.volume.kmsKeyId',
  ],
  ['a network that is too large', { vpc: { cidr: '10.0.0.0/8' } }, 'vpc.cidr'],
  ['an unknown key', { instances: 3 }, ''],
] as const)('refuses %s', ([, part, path]) => {
  const { error } = awsSchema.safeParse({ ...LEAST, ...part });
  expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
});

test.for([
  [
    'the whole world, when it is asked for',
    { adminLocations: ['0.0.0.0/0'], allowAdminFromAnywhere: true },
  ],
  ['as much user data as EC2 takes', { userData: 'x'.repeat(USER_DATA_BYTES_MAX) }],
  [
    'a network that is there',
    { vpc: { id: 'vpc-0123456789abcdef0', subnets: ['subnet-0123456789abcdef0'] } },
  ],
  ['private addresses only', { publicAddresses: false, connectTo: 'private' }],
  ['a key pair that is there', { keyPair: { name: 'mine', privateKeyFile: '~/.ssh/id' } }],
] as const)('takes %s', ([, part]) => {
  expect(awsSchema.safeParse({ ...LEAST, ...part }).error).toBe(undefined);
});
