import { expect, test } from 'vitest';
import { seededRandom, type JsonObject } from '@dcos/base';
import type { AgentInfo, Attribute, Resource } from '@dcos/wire';
import { createAgent } from './agent.ts';
import { DEFAULT_TIMES } from './options.ts';
import { reconfigurationProblem, type ReconfigurationPolicy } from './reconfiguration.ts';
import { AGENT_KEY, agentToJson } from './records.ts';

const cpus = (value: number): Resource => ({ name: 'cpus', type: 'SCALAR', scalar: { value } });
const ports = (end: number): Resource => ({
  name: 'ports',
  type: 'RANGES',
  ranges: { range: [{ begin: 31_000, end }] },
});
const attribute = (name: string, value: string): Attribute => ({
  name,
  type: 'TEXT',
  text: { value },
});
const domain = (zone: string): NonNullable<AgentInfo['domain']> => ({
  fault_domain: { region: { name: 'r' }, zone: { name: zone } },
});

const BEFORE: AgentInfo = {
  hostname: 'h',
  port: 5051,
  resources: [cpus(4), ports(31_100)],
  attributes: [attribute('rack', 'a')],
};

const rows: readonly (readonly [
  what: string,
  now: Partial<AgentInfo>,
  equal: RegExp | undefined,
  additive: RegExp | undefined,
])[] = [
  ['nothing', {}, undefined, undefined],
  ['the order of resources', { resources: [ports(31_100), cpus(4)] }, undefined, undefined],
  ['the host name', { hostname: 'g' }, /hostname was h and is g/, /hostname was h and is g/],
  ['the port', { port: 1 }, /port was 5051 and is 1/, /port was 5051 and is 1/],
  ['more of a scalar', { resources: [cpus(5), ports(31_100)] }, /it had cpus/, undefined],
  ['more of a range', { resources: [cpus(4), ports(31_200)] }, /it had cpus/, undefined],
  ['less of a scalar', { resources: [cpus(3), ports(31_100)] }, /it had cpus/, /it had cpus/],
  ['less of a range', { resources: [cpus(4), ports(31_050)] }, /it had/, /it had/],
  [
    'another attribute',
    { attributes: [attribute('rack', 'a'), attribute('zone', 'z')] },
    /a new attribute zone:z/,
    undefined,
  ],
  [
    'another value of an attribute',
    { attributes: [attribute('rack', 'b')] },
    /its attribute rack:a is gone/,
    /its attribute rack:a is gone/,
  ],
  [
    'a second value of an attribute',
    { attributes: [attribute('rack', 'b'), attribute('rack', 'a')] },
    /a new attribute rack:b/,
    /a new attribute rack:b/,
  ],
  ['no attribute', { attributes: [] }, /is gone/, /is gone/],
  ['a domain', { domain: domain('z') }, /fault domain was not given/, undefined],
];

test.each(rows)('%s differs', (_what, now, equal, additive) => {
  const ask = (policy: ReconfigurationPolicy): string | undefined =>
    reconfigurationProblem(policy, BEFORE, { ...BEFORE, ...now });
  for (const [policy, expected] of [
    ['equal', equal],
    ['additive', additive],
  ] as const)
    expect(ask(policy) ?? '', policy).toMatch(expected ?? /^$/);
  expect(ask('any')).toBeUndefined();
});

test.each<ReconfigurationPolicy>(['equal', 'additive'])('%s: a domain does not move', (policy) => {
  const before = { ...BEFORE, domain: domain('a') };
  expect(reconfigurationProblem(policy, before, { ...before, domain: domain('b') })).toMatch(
    /domain/,
  );
});

test('an agent that may not come back touches nothing and says why', () => {
  const agent = createAgent({
    random: seededRandom(7),
    options: {
      info: { ...BEFORE, hostname: 'g' },
      ip: '10.0.0.1',
      version: '1',
      runtimes: new Set(['process']),
      times: DEFAULT_TIMES,
      completedTasksMax: 10,
      tasksMax: 10,
      reconfigurationPolicy: 'additive',
    },
  });
  const info = { ...BEFORE, id: { value: 'S0' } };
  const records = new Map<string, JsonObject>([[AGENT_KEY, agentToJson({ info })]]);
  const effects = agent.handle({ kind: 'start', records }, 1);
  expect(effects.map(({ kind }) => kind)).toEqual(['log', 'stopped']);
  expect(effects.at(-1)).toMatchObject({
    reason: expect.stringContaining('hostname was h and is g') as string,
  });
});
