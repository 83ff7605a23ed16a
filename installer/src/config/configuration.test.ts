import { expect, test } from 'vitest';
import { parseConfiguration } from './configuration.ts';

test('the provider alone is a configuration', () => {
  const parsed = parseConfiguration('provider: docker\n');
  expect(parsed).toMatchObject({
    ok: true,
    value: {
      provider: 'docker',
      docker: { masters: 1, privateAgents: 2, publicAgents: 1, outbound: true },
      settings: { name: 'dcos', dnsTtlSeconds: 60, resolvers: [] },
    },
  });
});

const faults: readonly (readonly [string, string, string])[] = [
  ['', 'provider', 'it is missing; give provider a value'],
  [
    'provider: azure',
    'provider',
    'it must be one of docker, ssh, aws; give one of these, not "azure"',
  ],
  ['provider: docker\nname: My Cluster', 'name', 'a letter first'],
  ['provider: docker\nnmae: x', 'nmae', 'there is no such key; did you mean name?'],
  ['provider: docker\ndocker:\n  master: 1', 'docker.master', 'did you mean masters?'],
  [
    'provider: docker\ndocker:\n  masters: 2',
    'docker.masters',
    '2 masters tolerate no more failures than 1',
  ],
  ['provider: docker\ndocker:\n  masters: 11', 'docker.masters', 'it must be at most 9'],
  ['provider: docker\ndocker:\n  masters: many', 'docker.masters', 'it must be a number'],
  [
    'provider: docker\ndocker:\n  privateAgents: 0\n  publicAgents: 0',
    'docker.privateAgents',
    'nothing can run',
  ],
  ['provider: docker\ndocker:\n  outbound: maybe', 'docker.outbound', 'it must be true or false'],
  [
    'provider: docker\nhosts: {masters: [10.0.0.1]}',
    'hosts',
    'the provider docker has no use for it',
  ],
  ['provider: docker\nresolvers: [8.8.8.8, 8.8.8.8]', 'resolvers.1', '8.8.8.8 is named twice'],
  ['provider: docker\nresolvers: [dns.example]', 'resolvers.0', 'expected an IPv4 address'],
  ['provider: docker\nresolvers: 8.8.8.8', 'resolvers', 'it must be a list'],
  ['provider: docker\ndnsTtlSeconds: -1', 'dnsTtlSeconds', 'it must be at least 0'],
  ['provider: docker\nprivateAgentResources: lots', 'privateAgentResources', 'expected name:value'],
  ['provider: ssh', 'hosts.masters', 'there is no master'],
  [
    'provider: ssh\nhosts: {masters: [10.0.0.1], privateAgents: [10.0.0.1]}',
    'hosts.privateAgents.0',
    'is at hosts.masters.0 already',
  ],
  ['provider: ssh\nhosts: {masters: [10.0.0.300]}', 'hosts.masters.0', 'expected an IPv4 address'],
  ['provider: aws', 'aws', 'give aws.region and aws.adminLocations'],
  [
    'provider: aws\naws: {region: eu-central-1, adminLocations: [0.0.0.0/0]}',
    'aws.adminLocations',
    'the whole Internet',
  ],
  [
    'provider: aws\nhosts: {masters: []}\naws: {region: eu-central-1, adminLocations: [10.0.0.0/8]}',
    'hosts',
    'the provider aws has no use for it',
  ],
  ['provider: [docker', '', 'it is no YAML'],
  ['- provider', '', 'it must be a group of keys'],
];

test.each(faults)('%j: the fault is at %j', (text, key, expected) => {
  const parsed = parseConfiguration(text);
  expect(parsed.ok).toBe(false);
  const lines = parsed.ok ? [] : parsed.error;
  expect(lines.map((fault) => fault.key)).toEqual([key]);
  expect(lines.map(({ reason, remedy }) => `${reason}; ${remedy}`).join('\n')).toContain(expected);
});

const MISTAKES = `
name: My Cluster
provider: ssh
dnsTTLSeconds: 30
zooKeeperSessionTimeoutMs: 1
ssh:
  user: 42
  keyFile: no-such-key
  password: hunter2
hosts:
  masters: [10.0.0.1, 10.0.0.2]
  privateAgents: [10.0.0.2, 10.0.0.300]
privateAgentResources: cpus:-2;mem:1024
docker: {masters: 0}
`;

test('mistakes of ten kinds and more are told at once, each with its place, and no secret', () => {
  const parsed = parseConfiguration(MISTAKES, (path) => path !== 'no-such-key');
  const faults = parsed.ok ? [] : parsed.error;
  const lines = faults.map(({ key, reason, remedy }) => `${key}: ${reason}; ${remedy}`);
  const expected: readonly (readonly [string, string])[] = [
    ['name', 'expected at most 30 small letters'],
    ['dnsTTLSeconds', 'there is no such key; did you mean dnsTtlSeconds?'],
    ['zooKeeperSessionTimeoutMs', 'it must be at least 2000'],
    ['ssh.user', 'it must be a string'],
    ['ssh.keyFile', 'there is no file no-such-key'],
    ['ssh.password', 'expected env:NAME or file:PATH, not the secret itself'],
    ['hosts.masters', '2 masters tolerate no more failures than 1'],
    ['hosts.privateAgents.0', '10.0.0.2 is at hosts.masters.1 already'],
    ['hosts.privateAgents.1', 'expected an IPv4 address'],
    ['privateAgentResources', 'expected name:value'],
    ['docker', 'the provider ssh has no use for it'],
  ];
  for (const [key, text] of expected)
    expect(
      lines.filter((line) => line.startsWith(`${key}: ${text}`)),
      key,
    ).toHaveLength(1);
  expect(lines).toHaveLength(expected.length);
  expect(JSON.stringify(faults)).not.toContain('hunter2');
});

const files: readonly (readonly [string, readonly string[]])[] = [
  ['ssh: {keyFile: there}', []],
  ['ssh: {keyFile: gone}', ['ssh.keyFile: there is no file gone']],
  ['ssh: {keyFile: "~/.ssh/id"}', ['ssh.keyFile: there is no file ~/.ssh/id']],
  ['ssh: {sudoPassword: "file:gone"}', ['ssh.sudoPassword: there is no file gone']],
  ['ssh: {sudoPassword: "env:GONE"}', []],
  ['ssh: {knownHosts: gone}', []],
  ['ssh: {knownHosts: gone, pinHostKeys: false}', ['ssh.knownHosts: there is no file gone']],
  [
    'ssh: {bastions: [{host: a, keyFile: there}, {host: b, keyFile: gone}]}',
    ['ssh.bastions.1.keyFile: there is no file gone'],
  ],
];

test.each(files)('files that are named: %s', (ssh, expected) => {
  const text = `provider: ssh\nhosts: {masters: [10.0.0.1]}\n${ssh}\n`;
  const parsed = parseConfiguration(text, (path) => path === 'there');
  const faults = parsed.ok ? [] : parsed.error;
  expect(faults.map(({ key, reason }) => `${key}: ${reason}`)).toEqual(expected);
});

test.each([
  ['cpus:4;mem:8192', true],
  ['cpus:0.5;ports:[1-21,23-5050]', true],
  ['cpus(ads):4;disks:{a,b}', true],
  ['cpus:-2', false],
  ['cpus:many', false],
  ['ports:[1-]', false],
  ['mem', false],
])('resources %s', (resources, isGood) => {
  const text = `provider: docker\nprivateAgentResources: '${resources}'\n`;
  expect(parseConfiguration(text).ok).toBe(isGood);
});
