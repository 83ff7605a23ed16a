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

test('ten mistakes give ten messages at once', () => {
  const parsed = parseConfiguration(`
name: Ten Mistakes
provider: docker
docker:
  masters: 4
  privateAgents: -1
  publicAgents: 1.5
  uiPort: 99999
  outbuond: true
hosts: {}
resolvers: [8.8.8.8, 8.8.8.8]
dnsTtlSeconds: soon
colour: blue
`);
  expect(parsed.ok ? [] : parsed.error.map(({ key }) => key).sort()).toEqual([
    'colour',
    'dnsTtlSeconds',
    'docker.masters',
    'docker.outbuond',
    'docker.privateAgents',
    'docker.publicAgents',
    'docker.uiPort',
    'hosts',
    'name',
    'resolvers.1',
  ]);
});
