import { describe, expect, test } from 'vitest';
import type { Constraint } from '../model/index.ts';
import { attributeText, scalarText } from './attribute-text.ts';
import { constraintText, countedForConstraints, violatedConstraint } from './constraints.ts';
import type { Condition, Instance, Placement } from './instance.ts';
import { selectVictims } from './kill-selection.ts';

function place(hostname: string, attributes: Readonly<Record<string, string>> = {}): Placement {
  return {
    agentId: hostname,
    hostname,
    attributes: Object.entries(attributes).map(([name, value]) => ({
      name,
      type: 'TEXT',
      text: { value },
    })),
  };
}

function isAccepted(
  constraint: Constraint,
  offered: Placement,
  placed: readonly Placement[] = [],
  targetInstances = 4,
): boolean {
  return violatedConstraint([constraint], offered, { placed, targetInstances }) === undefined;
}

const rack = (name: string, host = name): Placement => place(host, { rack: name });

describe('operators', () => {
  const table: readonly [string, Constraint, Placement, readonly Placement[], boolean][] = [
    [
      'UNIQUE takes a new host',
      { field: 'hostname', operator: 'UNIQUE' },
      place('a'),
      [place('b')],
      true,
    ],
    [
      'UNIQUE refuses a used host',
      { field: 'hostname', operator: 'UNIQUE' },
      place('a'),
      [place('a')],
      false,
    ],
    [
      '@hostname is the same field',
      { field: '@hostname', operator: 'UNIQUE' },
      place('a'),
      [place('a')],
      false,
    ],
    [
      'UNIQUE over an attribute',
      { field: 'rack', operator: 'UNIQUE' },
      rack('1', 'b'),
      [rack('1', 'a')],
      false,
    ],
    [
      'LIKE matches the whole value',
      { field: 'rack', operator: 'LIKE', value: 'r[12]' },
      rack('r1'),
      [],
      true,
    ],
    ['LIKE refuses a part', { field: 'rack', operator: 'LIKE', value: 'r' }, rack('r1'), [], false],
    [
      'LIKE with alternatives is anchored',
      { field: 'rack', operator: 'LIKE', value: 'r1|r2' },
      rack('r2x'),
      [],
      false,
    ],
    [
      'UNLIKE refuses a match',
      { field: 'rack', operator: 'UNLIKE', value: 'r1' },
      rack('r1'),
      [],
      false,
    ],
    [
      'UNLIKE takes an agent without the attribute',
      { field: 'rack', operator: 'UNLIKE', value: 'r1' },
      place('a'),
      [],
      true,
    ],
    [
      'others refuse an agent without the attribute',
      { field: 'rack', operator: 'LIKE', value: '.*' },
      place('a'),
      [],
      false,
    ],
    [
      'CLUSTER with a value',
      { field: 'rack', operator: 'CLUSTER', value: 'r1' },
      rack('r2'),
      [],
      false,
    ],
    [
      'CLUSTER without a value takes the first',
      { field: 'rack', operator: 'CLUSTER' },
      rack('r2'),
      [],
      true,
    ],
    [
      'CLUSTER without a value stays there',
      { field: 'rack', operator: 'CLUSTER' },
      rack('r2'),
      [rack('r1')],
      false,
    ],
    [
      'MAX_PER below its number',
      { field: 'rack', operator: 'MAX_PER', value: '2' },
      rack('r1'),
      [rack('r1')],
      true,
    ],
    [
      'MAX_PER at its number',
      { field: 'rack', operator: 'MAX_PER', value: '1' },
      rack('r1'),
      [rack('r1')],
      false,
    ],
    ['IS compares text', { field: 'rack', operator: 'IS', value: 'r1' }, rack('r1'), [], true],
    [
      'an expression that does not compile matches nothing',
      { field: 'rack', operator: 'LIKE', value: '(' },
      rack('('),
      [],
      false,
    ],
  ];
  test.each(table)('%s', (_name, constraint, offered, placed, accepted) => {
    expect(isAccepted(constraint, offered, placed)).toBe(accepted);
  });

  test('IS compares scalars after formatting', () => {
    const agent: Placement = {
      ...place('a'),
      attributes: [{ name: 'level', type: 'SCALAR', scalar: { value: 1.5 } }],
    };
    expect(isAccepted({ field: 'level', operator: 'IS', value: '1.500' }, agent)).toBe(true);
    expect(isAccepted({ field: 'level', operator: 'IS', value: '1.51' }, agent)).toBe(false);
  });

  test('GROUP_BY fills groups evenly and gives the rest to those at the level', () => {
    const groupBy: Constraint = { field: 'rack', operator: 'GROUP_BY', value: '3' };
    const placed: Placement[] = [];
    const offers = ['1', '2', '3', '1', '1', '2', '3', '2', '4'];
    const accepted = offers.map((name) => {
      const isTaken = isAccepted(groupBy, rack(name), placed, 7);
      if (isTaken) placed.push(rack(name));
      return isTaken;
    });
    // 7 over 3: two each, and one more for one group; a fourth group is one too many.
    expect(accepted).toEqual([true, true, true, true, true, true, true, false, false]);
  });

  test('GROUP_BY without a number prefers the least used group', () => {
    const groupBy: Constraint = { field: 'rack', operator: 'GROUP_BY' };
    expect(isAccepted(groupBy, rack('1'), [rack('1'), rack('2')])).toBe(true);
    expect(isAccepted(groupBy, rack('1'), [rack('1'), rack('1'), rack('2')])).toBe(false);
    expect(isAccepted(groupBy, rack('3'), [rack('1'), rack('2')])).toBe(true);
  });

  test('are named as a person writes them', () => {
    expect(constraintText({ field: 'hostname', operator: 'UNIQUE' })).toBe('hostname UNIQUE');
    expect(constraintText({ field: 'rack', operator: 'LIKE', value: 'r1' })).toBe('rack LIKE r1');
  });
});

describe('attributes as text', () => {
  test('scalars have three decimals at most, rounded half to even', () => {
    expect([1, 1.5, 0.1234, 0.0005, 0.0015, 2.0025].map(scalarText)).toEqual([
      '1',
      '1.5',
      '0.123',
      '0',
      '0.002',
      '2.002',
    ]);
  });

  test('ranges and sets are sorted', () => {
    const ranges = {
      range: [
        { begin: 5, end: 9 },
        { begin: 1, end: 2 },
      ],
    };
    expect(attributeText({ name: 'x', type: 'RANGES', ranges })).toBe('[1-2,5-9]');
    expect(attributeText({ name: 'x', type: 'SET', set: { item: ['b', 'a'] } })).toBe('{a,b}');
  });
});

function instance(
  id: string,
  condition: Condition,
  startedAt: number,
  where: Placement = place('a'),
): Instance {
  const task = { id, attempt: 1, hostPorts: [], stagedAt: startedAt, startedAt, addresses: [] };
  const identity = { id, appId: '/a', version: 'v', configVersion: 'v', role: '*' };
  return {
    ...identity,
    goal: 'Running',
    condition,
    since: 0,
    createdAt: 0,
    placement: where,
    task,
  };
}

describe('instances that count', () => {
  test('are placed, alive and of the current configuration', () => {
    const running = instance('1', 'Running', 1);
    const others = [
      { ...instance('2', 'Running', 1), configVersion: 'old' },
      instance('3', 'Failed', 1),
      instance('4', 'Unreachable', 1),
      instance('5', 'Scheduled', 1),
    ];
    expect(countedForConstraints([running, ...others], 'v')).toEqual([running]);
  });
});

describe('victims', () => {
  const ids = (victims: readonly Instance[]): string[] => victims.map(({ id }) => id);
  const settings = { constraints: [], killSelection: 'YOUNGEST_FIRST' as const };

  test('are those that are lost or not up yet, then the youngest', () => {
    const all = [
      instance('old', 'Running', 1),
      instance('young', 'Running', 9),
      instance('staging', 'Staging', 5),
      instance('lost', 'Unreachable', 2),
      { ...instance('waiting', 'Scheduled', 3), placement: place('a') },
    ];
    expect(ids(selectVictims(all, 5, settings))).toEqual([
      'waiting',
      'lost',
      'staging',
      'young',
      'old',
    ]);
    expect(ids(selectVictims(all, 4, { ...settings, killSelection: 'OLDEST_FIRST' })).at(-1)).toBe(
      'old',
    );
  });

  test('keep groups even', () => {
    const groups = { ...settings, constraints: [{ field: 'rack', operator: 'GROUP_BY' as const }] };
    const all = [
      instance('1a', 'Running', 1, rack('1')),
      instance('1b', 'Running', 2, rack('1')),
      instance('1c', 'Running', 3, rack('1')),
      instance('2a', 'Running', 9, rack('2')),
    ];
    expect(ids(selectVictims(all, 2, groups))).toEqual(['1c', '1b']);
  });
});
