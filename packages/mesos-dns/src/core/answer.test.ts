import { describe, expect, test } from 'vitest';
import { seededRandom } from '@dcos/base';
import { agent, framework, naming, task } from '../testing/cluster-events.ts';
import { answerQuery, isInZone, refusal, type AnswerOptions } from './answer.ts';
import { Cluster } from './cluster.ts';
import { RCODE, TYPE, type Query } from './message.ts';

const options: AnswerOptions = {
  domain: 'mesos',
  ttlSeconds: 60,
  srvWeight: 1,
  recursionAvailable: true,
  soa: {
    mname: 'ns1.mesos',
    rname: 'root.ns1.mesos',
    refreshSeconds: 60,
    retrySeconds: 600,
    expireSeconds: 86_400,
  },
};

const cluster = new Cluster(naming);
cluster.apply({ kind: 'frameworkAdded', framework: framework('f-0', 'marathon') });
for (const index of [0, 1, 2]) {
  cluster.apply({ kind: 'agentAdded', agent: agent(`m-S${index}`, `10.0.0.${index}:5051`) });
  cluster.apply({
    kind: 'taskAdded',
    task: task(`t${index}`, { name: 'web', agent: `m-S${index}`, ports: [31000, 31001] }),
  });
}

function ask(name: string, type: number, over: Partial<Query> = {}, seed = 1) {
  const query: Query = { id: 1, recursionDesired: true, name, type, class: 1, ...over };
  return answerQuery(query, { zone: cluster.zone, serial: 42 }, options, seededRandom(seed));
}

describe('answers about the zone', () => {
  test('A: every address, the owner as asked', () => {
    const answer = ask('WEB.marathon.Mesos', TYPE.A);
    expect(answer.answers.map(({ name }) => name)).toEqual(
      Array.from({ length: 3 }, () => 'WEB.marathon.Mesos'),
    );
    expect(
      answer.answers.map(({ data }) => (data.type === 'A' ? data.address : '')).sort(),
    ).toEqual(['10.0.0.0', '10.0.0.1', '10.0.0.2']);
    expect(answer).toMatchObject({
      authoritative: true,
      recursionAvailable: true,
      rcode: RCODE.NOERROR,
    });
  });

  test('the order is drawn by lot', () => {
    const orders = new Set(
      Array.from({ length: 20 }, (_, seed) =>
        JSON.stringify(ask('web.marathon.mesos', TYPE.A, {}, seed).answers.map(({ data }) => data)),
      ),
    );
    expect(orders.size).toBeGreaterThan(1);
  });

  test('SRV: priority, weight and port, with one address for each target', () => {
    const answer = ask('_web._tcp.marathon.mesos', TYPE.SRV);
    expect(answer.answers.length).toBe(6);
    expect(answer.answers[0]?.data).toMatchObject({ type: 'SRV', priority: 0, weight: 1 });
    expect(answer.additionals.length).toBe(3);
  });

  test.each([
    ['nothing.mesos', TYPE.A, RCODE.NXDOMAIN, 1],
    ['nothing.mesos', TYPE.SRV, RCODE.NOERROR, 0],
    ['web.marathon.mesos', TYPE.AAAA, RCODE.NOERROR, 1],
    ['web.marathon.mesos', 16, RCODE.NOERROR, 1],
    ['marathon.mesos', TYPE.A, RCODE.NOERROR, 1],
    ['_tcp.marathon.mesos', TYPE.A, RCODE.NOERROR, 1],
    ['nothing.mesos', TYPE.ANY, RCODE.NXDOMAIN, 1],
    ['nothing.mesos', TYPE.SOA, RCODE.NXDOMAIN, 1],
  ])('%s type %i: no answer, code %i', (name, type, rcode, authorities) => {
    const answer = ask(name, type);
    expect(answer.answers).toEqual([]);
    expect(answer.rcode).toBe(rcode);
    expect(answer.authorities.length).toBe(authorities);
    expect(answer.authorities.every((record) => record.name === 'mesos')).toBe(true);
  });

  test('SOA and NS of the zone', () => {
    expect(ask('mesos', TYPE.SOA).answers).toMatchObject([
      { name: 'mesos', data: { type: 'SOA', mname: 'ns1.mesos', serial: 42, minimumSeconds: 60 } },
    ]);
    expect(ask('mesos', TYPE.NS).answers).toMatchObject([
      { data: { type: 'NS', target: 'ns1.mesos' } },
    ]);
  });

  test('ANY: all types, SOA and NS beside them', () => {
    const answer = ask('web.marathon.mesos', TYPE.ANY);
    expect(answer.answers.length).toBe(3);
    expect(answer.authorities.map(({ data }) => data.type)).toEqual(['SOA', 'NS']);
  });

  test('a star in the name is looked past', () => {
    expect(ask('*.web.marathon.mesos', TYPE.A).rcode).toBe(RCODE.NXDOMAIN);
    expect(ask('web.*.marathon.mesos', TYPE.A).answers.length).toBe(3);
  });

  test('a class other than IN is refused', () => {
    expect(ask('web.marathon.mesos', TYPE.A, { class: 3 }).rcode).toBe(RCODE.REFUSED);
  });
});

test.each([
  ['mesos', true],
  ['a.MESOS', true],
  ['amesos', false],
  ['example.com', false],
])('%s in the zone: %s', (name, inZone) => {
  const query: Query = { id: 1, recursionDesired: false, name, type: TYPE.A, class: 1 };
  expect(isInZone(query, 'mesos')).toBe(inZone);
  expect(refusal(query)).toMatchObject({
    rcode: RCODE.REFUSED,
    authoritative: false,
    recursionAvailable: false,
  });
});
