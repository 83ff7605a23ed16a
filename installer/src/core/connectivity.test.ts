import { expect, test } from 'vitest';
import { bareFacts, convergedFacts, statesOf, testCluster, wantedOf } from '../testing/clusters.ts';
import {
  testPortsOf,
  wayFaults,
  waysInUse,
  waysOf,
  type Way,
  type WayAnswer,
} from './connectivity.ts';
import type { HostFacts } from './host-facts.ts';
import type { WantedHost } from './wanted-host.ts';

const textOf = ({ from, to, port, isTest }: Way): string =>
  `${from} to ${to}:${port}${isTest ? '' : ' (in use)'}`;
const waysIn = (
  counts: Parameters<typeof testCluster>[0],
  facts: (host: WantedHost) => HostFacts,
): readonly Way[] => waysOf(statesOf(wantedOf(testCluster(counts)), facts));

test('new agents have to reach masters, and masters them', () => {
  expect(waysIn({ publicAgents: 1 }, () => bareFacts()).map(textOf)).toEqual([
    'master-1 to private-1:5051',
    'master-1 to public-1:5051',
    ...[2181, 5050, 53, 80].map((port) => `private-1 to master-1:${port}`),
    ...[2181, 5050, 53, 80].map((port) => `public-1 to master-1:${port}`),
  ]);
});

test('masters have to reach each other, servers of ZooKeeper too', () => {
  const ways = waysIn({ masters: 3, agents: 0 }, () => bareFacts());
  const first = ways.filter(({ from, to }) => from === 'master-1' && to === 'master-3');
  expect(first.map(({ port }) => port)).toEqual([2181, 5050, 53, 80, 8080, 2888, 3888]);
  expect(testPortsOf(ways, 'master-3')).toEqual([2181, 5050, 53, 80, 8080, 2888, 3888]);
  expect(ways).toHaveLength(6 * 7);
});

test('nothing is looked at where all is in use', () => {
  expect(waysIn({ masters: 3, agents: 3 }, convergedFacts)).toEqual([]);
});

test('a new agent is held against what serves already; old hosts not against each other', () => {
  const ways = waysIn({ agents: 2 }, (host) =>
    host.host.name === 'private-2' ? bareFacts() : convergedFacts(host),
  );
  expect(ways.map(textOf)).toEqual([
    'master-1 to private-2:5051',
    ...[2181, 5050, 53, 80].map((port) => `private-2 to master-1:${port} (in use)`),
  ]);
  expect(testPortsOf(ways, 'master-1')).toEqual([]);
});

test('ways in use are those to what serves, between hosts that are installed', () => {
  const states = statesOf(wantedOf(testCluster({ masters: 2, agents: 2 })), (host) => {
    const facts = convergedFacts(host);
    if (host.host.name === 'private-2') return bareFacts();
    // Its Marathon was stopped.
    if (host.host.name !== 'master-2') return facts;
    return { ...facts, ports: new Set([...facts.ports].filter((port) => port !== 8080)) };
  });
  const ways = waysInUse(states).map(textOf);
  const to = (pair: string, ports: readonly number[]): readonly string[] =>
    ports.map((port) => `${pair}:${port} (in use)`);
  expect(ways).toEqual([
    ...to('master-1 to master-2', [2181, 5050, 53, 80]),
    ...to('master-1 to private-1', [5051]),
    ...to('master-2 to master-1', [2181, 5050, 53, 80, 8080]),
    ...to('master-2 to private-1', [5051]),
    ...to('private-1 to master-1', [2181, 5050, 53, 80]),
    ...to('private-1 to master-2', [2181, 5050, 53, 80]),
  ]);
});

const unable: readonly (readonly [string, Partial<HostFacts>])[] = [
  ['whoever is not root', { isRoot: false }],
  ['whoever has nothing to listen with', { programs: new Set(['bash']) }],
];

test.each(unable)('%s takes no part', (_what, facts) => {
  const ways = waysIn({ agents: 2 }, ({ host }) =>
    bareFacts(host.name === 'private-1' ? facts : {}),
  );
  expect(new Set(ways.flatMap(({ from, to }) => [from, to]))).toEqual(
    new Set(['master-1', 'private-2']),
  );
});

test('a port that somebody else holds is not listened at; a resolver on loopback is no matter', () => {
  const ways = waysIn({}, ({ host }) =>
    host.role === 'master'
      ? bareFacts({ ports: new Set([5050]), loopbackPorts: new Set([53, 80]) })
      : bareFacts(),
  );
  expect(testPortsOf(ways, 'master-1')).toEqual([2181, 53]);
});

const way = (port: number, to = 'master-1'): Way => ({
  from: 'private-1',
  to,
  address: '10.0.0.10',
  port,
  isTest: true,
});
const found = (...answers: readonly WayAnswer[]) =>
  answers.map((answer, index) => ({ way: way(5050 + index), answer }));

const cases: readonly (readonly [readonly WayAnswer[], readonly string[]])[] = [
  [['right', 'right'], []],
  [
    ['silent', 'right', 'silent'],
    ['connection: it does not reach master-1 (10.0.0.10) at port 5050, 5052: no answer'],
  ],
  [
    ['silent', 'refused'],
    [
      'connection: it does not reach master-1 (10.0.0.10) at port 5050: no answer',
      'connection: it does not reach master-1 (10.0.0.10) at port 5051: it is refused',
    ],
  ],
  [['wrong'], ['address: another machine answers for master-1 (10.0.0.10) at port 5050']],
];

test.each(cases)('answers %j', (answers, expected) => {
  const faults = wayFaults(found(...answers));
  expect(faults.map(({ check, reason }) => `${check}: ${reason}`)).toEqual(expected);
  expect(faults.every(({ host }) => host === 'private-1')).toBe(true);
});

test('a host that is called by its address is named once', () => {
  const [fault] = wayFaults([{ way: way(5050, '10.0.0.10'), answer: 'silent' }]);
  expect(fault?.reason).toBe('it does not reach 10.0.0.10 at port 5050: no answer');
});
