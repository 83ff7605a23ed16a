import { expect, test } from 'vitest';
import { agent } from '../testing/cluster.ts';
import { ClusterView } from './cluster-view.ts';
import { healthDocument, netNodesDocument } from './documents.ts';

const view = new ClusterView({ agentsSpeakTls: false });
view.apply({
  kind: 'snapshot',
  masterUrl: 'http://127.0.0.1:5050',
  state: {
    get_agents: { agents: [{ ...agent('m-S0', 5051, true), pid: 'slave(1)@127.0.0.21:5051' }] },
  },
});
const facts = { masterIp: '127.0.0.1', marathonUp: false, mesosDnsUp: true, version: '2.2.0' };
const health = (path: string) => healthDocument(path, view, facts);

test('units and nodes with their health', () => {
  expect(health('/units')).toMatchObject({
    units: expect.arrayContaining([
      { id: 'dcos-marathon.service', name: 'Marathon', description: 'Marathon', health: 1 },
      {
        id: 'dcos-mesos-master.service',
        name: 'Mesos Master',
        description: 'Mesos Master',
        health: 0,
      },
    ]),
  });
  expect(health('/nodes')).toEqual({
    nodes: [
      { host_ip: '127.0.0.1', health: 1, role: 'master' },
      { host_ip: '127.0.0.21', health: 0, role: 'agent_public' },
    ],
  });
  expect(health('/nodes/127.0.0.21/units')).toMatchObject({
    units: [{ id: 'dcos-mesos-slave-public.service', health: 0, output: '', help: '' }],
  });
  expect(health('/units/dcos-marathon.service/nodes/127.0.0.1')).toMatchObject({
    output: 'Marathon is not connected to the master',
  });
  expect(health('')).toMatchObject({ ip: '127.0.0.1', node_role: 'master' });
});

test.each([
  '/nothing',
  '/nodes/10.9.9.9',
  '/units/none.service',
  '/nodes/127.0.0.1/else',
  '/a/b/c/d/e',
])('%s does not exist', (path) => {
  expect(health(path)).toBeUndefined();
});

test('ZooKeeper is a unit where the leader is looked for there', () => {
  const clustered = new ClusterView({ agentsSpeakTls: false });
  const path = '/units/dcos-zookeeper.service/nodes/127.0.0.1';
  expect(healthDocument(path, clustered, facts)).toBeUndefined();
  clustered.apply({ kind: 'zooKeeper', isReached: true });
  expect(healthDocument(path, clustered, facts)).toMatchObject({ health: 0, output: '' });
  clustered.apply({ kind: 'zooKeeper', isReached: false });
  expect(healthDocument(path, clustered, facts)).toMatchObject({
    health: 1,
    output: 'ZooKeeper does not answer: nothing can be changed, what runs goes on',
  });
});

test('nodes with their addresses', () => {
  const master = { ip: '127.0.0.1', publicIp: '127.0.0.1' };
  expect(netNodesDocument(view, master, '2026-01-01T00:00:00Z')).toEqual([
    {
      private_ip: '127.0.0.1',
      public_ips: ['127.0.0.1'],
      hostname: '127.0.0.1',
      updated: '2026-01-01T00:00:00Z',
    },
    {
      private_ip: '127.0.0.21',
      public_ips: ['127.0.0.21'],
      hostname: '127.0.0.1',
      updated: '2026-01-01T00:00:00Z',
    },
  ]);
});

test('components that share an address are one node, as bad as the worst of them', () => {
  const shared = new ClusterView({ agentsSpeakTls: false });
  const agents = [agent('m-S0', 5051), { ...agent('m-S1', 5052), active: false }];
  shared.apply({
    kind: 'snapshot',
    masterUrl: 'http://127.0.0.1:5050',
    state: { get_agents: { agents } },
  });
  expect(healthDocument('/nodes', shared, { ...facts, marathonUp: true })).toEqual({
    nodes: [{ host_ip: '127.0.0.1', health: 1, role: 'master' }],
  });
  expect(healthDocument('/units/dcos-mesos-slave.service', shared, facts)).toMatchObject({
    health: 1,
  });
});
