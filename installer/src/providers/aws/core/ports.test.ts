import { describe, expect, test } from 'vitest';
import { parsePorts, ruleKey, rulesOf, type Rule } from './ports.ts';
import { RULES_PER_GROUP_MAX } from './plan-network.ts';
import { HOST_ROLES, type HostRole } from './wanted.ts';

const LOCATIONS = {
  adminLocations: ['203.0.113.7/32'],
  publicLocations: ['0.0.0.0/0'],
  publicPorts: [{ protocol: 'tcp', fromPort: 80, toPort: 80 }],
} as const;
const WORLD = { kind: 'cidr', cidr: '0.0.0.0/0' } as const;
const ADMIN = { kind: 'cidr', cidr: '203.0.113.7/32' } as const;

function mayReach(to: HostRole, from: Rule['from'], port: number): boolean {
  return rulesOf(to, LOCATIONS).some(
    (rule) =>
      rule.protocol === 'tcp' &&
      rule.fromPort <= port &&
      port <= rule.toPort &&
      JSON.stringify(rule.from) === JSON.stringify(from),
  );
}

describe('who reaches what', () => {
  const group = (role: HostRole): Rule['from'] => ({ kind: 'group', role });
  test.for([
    ['the operator, SSH of each', ADMIN, 22, ['master', 'private', 'public']],
    ['the operator, the router', ADMIN, 80, ['master']],
    ['the operator, no master itself', ADMIN, 5050, []],
    ['the operator, no tasks', ADMIN, 31_000, []],
    ['the world, what public agents serve', WORLD, 80, ['public']],
    ['the world, no SSH', WORLD, 22, []],
    ['the world, no agent', WORLD, 5051, []],
    ['masters, Mesos-DNS of one another', group('master'), 53, ['master']],
    ['masters, agents', group('master'), 5051, ['private', 'public']],
    // At an agent it is a port of tasks.
    ['private agents, the master', group('private'), 5050, HOST_ROLES],
    ['private agents, no other agent', group('private'), 5051, []],
    ['private agents, tasks of all', group('private'), 31_000, ['private', 'public']],
    ['public agents, no ensemble of ZooKeeper', group('public'), 3888, ['private', 'public']],
    ['public agents, no SSH', group('public'), 22, []],
  ] as const)('%s', ([, from, port, roles]) => {
    expect(HOST_ROLES.filter((role) => mayReach(role, from, port))).toEqual(roles);
  });
});

test('no rule stands twice, and they fit into a group', () => {
  for (const role of HOST_ROLES) {
    const keys = rulesOf(role, LOCATIONS).map(ruleKey);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.length).toBeLessThan(RULES_PER_GROUP_MAX);
  }
});

test.for([
  ['80', { protocol: 'tcp', fromPort: 80, toPort: 80 }],
  ['10000-10100', { protocol: 'tcp', fromPort: 10_000, toPort: 10_100 }],
  ['53/udp', { protocol: 'udp', fromPort: 53, toPort: 53 }],
  ['0', undefined],
  ['70000', undefined],
  ['90-80', undefined],
  ['80/icmp', undefined],
  ['', undefined],
] as const)('ports %s', ([text, range]) => expect(parsePorts(text)).toEqual(range));
