import { expect, test } from 'vitest';
import { readDocument } from './configuration.ts';
import { readOriginal } from './original.ts';

const SAMPLE = `
bootstrap_url: http://10.0.0.1:80
cluster_name: 'Big Data'
exhibitor_storage_backend: static
master_discovery: static
ip_detect_filename: genconf/ip-detect
master_list:
- 10.0.0.10
- 10.0.0.11
- 10.0.0.12
agent_list: '["10.0.0.20", "10.0.0.21"]'
public_agent_list: [10.0.0.30]
resolvers: [8.8.4.4, 8.8.8.8]
ssh_user: centos
ssh_port: '2222'
oauth_enabled: 'false'
process_timeout: 10000
aws_secret_access_key: hush
cluster_nmae: typo
colour: blue
`;

test('every key of the file is accounted for', () => {
  const read = readOriginal(SAMPLE);
  const report = read.ok ? read.value.report : [];
  expect(report.map(({ key, fate, text }) => `${key}: ${fate}: ${text}`)).toEqual([
    'bootstrap_url: not needed: no bootstrap host is needed: the release is pushed to each host',
    'cluster_name: changed: is name, as big-data: names are small letters, digits, hyphens',
    "exhibitor_storage_backend: not needed: ZooKeeper's servers are the masters",
    'master_discovery: taken: masters are those of the list',
    'ip_detect_filename: not needed: hosts have the addresses of the lists',
    'master_list: taken: is hosts.masters',
    'agent_list: taken: is hosts.privateAgents',
    'public_agent_list: taken: is hosts.publicAgents',
    'resolvers: taken: is resolvers',
    'ssh_user: taken: is ssh.user',
    'ssh_port: taken: is ssh.port',
    'oauth_enabled: not there yet: there is no log-in yet: whoever reaches the router may do everything',
    'process_timeout: not needed: each step has a limit of its own',
    'aws_secret_access_key: not needed: only the storage of Exhibitor used it',
    'cluster_nmae: unknown: did you mean cluster_name?',
    'colour: unknown: the original has no such key',
  ]);
  expect(JSON.stringify(read)).not.toContain('hush');
});

test('what comes out is a configuration', () => {
  const read = readOriginal(SAMPLE);
  const parsed = readDocument(read.ok ? read.value.document : undefined);
  expect(parsed.ok ? [] : parsed.error).toEqual([]);
  expect(parsed).toMatchObject({
    value: {
      provider: 'ssh',
      settings: { name: 'big-data', resolvers: ['8.8.4.4', '8.8.8.8'] },
      document: {
        hosts: {
          masters: ['10.0.0.10', '10.0.0.11', '10.0.0.12'],
          privateAgents: ['10.0.0.20', '10.0.0.21'],
        },
        ssh: { user: 'centos', port: 2222 },
      },
    },
  });
});

test('its mistakes are told in our words', () => {
  const read = readOriginal(
    'master_list: [10.0.0.10, 10.0.0.11]\nagent_list: [10.0.0.10]\nssh_port: many\n',
  );
  const parsed = readDocument(read.ok ? read.value.document : undefined);
  expect(parsed.ok ? [] : parsed.error.map(({ key }) => key)).toEqual([
    'ssh.port',
    'hosts.masters',
    'hosts.privateAgents.0',
  ]);
});

test.each([
  ['- a list', 'it is no group of keys'],
  ['a: [', 'it is no YAML'],
])('%j is refused', (text, reason) => {
  const read = readOriginal(text);
  expect(read.ok ? '' : read.error[0]?.reason).toContain(reason);
});

test('masters behind a load balancer are refused, not passed over', () => {
  const read = readOriginal('master_discovery: master_http_loadbalancer');
  expect(read.ok && read.value.report).toMatchObject([{ fate: 'refused' }]);
});
