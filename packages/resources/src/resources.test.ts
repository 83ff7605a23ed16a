import { describe, expect, test } from 'vitest';
import type { Resource } from '@dcos/wire';
import { parseAttributes, parseResources } from './text.ts';
import { formatRanges, parseRanges } from './ranges.ts';
import { toEndpointResources, toPreRefinement } from './reservations.ts';
import { Resources } from './resources.ts';
import { isAncestorRole, isValidRole } from './roles.ts';
import { validateResources } from './validation.ts';

function parsed(text: string, role?: string): Resources {
  const result = parseResources(text, role);
  if (!result.ok) throw new Error(result.error);
  return Resources.fromWire(result.value);
}

test('thousandths are exact', () => {
  expect(parsed('cpus:0.1').add(parsed('cpus:0.2')).equals(parsed('cpus:0.3'))).toBe(true);
  expect(parsed('cpus:0.0004').isEmpty()).toBe(true);
});

test('the flat summary has the four scalars always, ranges as text, revocable apart', () => {
  expect(parsed('cpus:2;ports:[31000-31001,31002-31005];zones:{b,a}').summary()).toEqual({
    cpus: 2,
    gpus: 0,
    mem: 0,
    disk: 0,
    ports: '[31000-31005]',
    zones: '{a, b}',
  });
  const revocable = Resources.fromWire([
    { name: 'cpus', type: 'SCALAR', scalar: { value: 1 }, revocable: {} },
  ]);
  expect(revocable.summary()).toMatchObject({ cpus: 0, cpus_revocable: 1 });
});

test('objects for different roles stay apart, names sum over them', () => {
  const both = parsed('cpus:1;cpus(web):2');
  expect(both.cpus()).toBe(3);
  expect(both.reserved('web').cpus()).toBe(2);
  expect(both.unreserved().cpus()).toBe(1);
  expect(both.allocatableTo('web/front').cpus()).toBe(3);
  expect(both.allocatableTo('webber').cpus()).toBe(1);
  expect(parsed('cpus:4', 'web').reserved('web').cpus()).toBe(4);
});

test('both reservation formats are read as one, and both are written where both exist', () => {
  const old: Resource = { name: 'cpus', type: 'SCALAR', scalar: { value: 1 }, role: 'web' };
  const dynamic: Resource = { ...old, reservation: { principal: 'p' } };
  expect(Resources.fromWire([old]).equals(parsed('cpus(web):1'))).toBe(true);
  expect(Resources.fromWire([dynamic]).toWire()).toEqual([
    {
      name: 'cpus',
      type: 'SCALAR',
      scalar: { value: 1 },
      reservations: [{ type: 'DYNAMIC', role: 'web', principal: 'p' }],
    },
  ]);
  expect(toPreRefinement(Resources.fromWire([dynamic]).toWire())).toEqual([dynamic]);
  expect(toEndpointResources(Resources.fromWire([old]).toWire())).toEqual([
    {
      name: 'cpus',
      type: 'SCALAR',
      scalar: { value: 1 },
      role: 'web',
      reservations: [{ type: 'STATIC', role: 'web' }],
    },
  ]);
  const refined: Resource = {
    ...old,
    role: '*',
    reservations: [
      { type: 'STATIC', role: 'web' },
      { type: 'DYNAMIC', role: 'web/front' },
    ],
  };
  expect(toPreRefinement([refined])).toEqual([refined]);
});

test.each<[Partial<Resource>, string]>([
  [{ scalar: { value: -1 } }, 'value < 0'],
  [{ scalar: { value: Number.POSITIVE_INFINITY } }, 'not a number'],
  [{ type: 'RANGES' }, 'Invalid ranges resource'],
  [{ name: '' }, 'Empty resource name'],
  [{ type: 'TEXT' }, 'Unsupported resource type'],
  [{ reservations: [{ type: 'STATIC', role: '*' }] }, "role '*' cannot be reserved"],
  [
    {
      reservations: [
        { type: 'STATIC', role: 'a' },
        { type: 'DYNAMIC', role: 'ab' },
      ],
    },
    'is not below',
  ],
  [
    {
      reservations: [
        { type: 'STATIC', role: 'a' },
        { type: 'STATIC', role: 'a/b' },
      ],
    },
    'can only be the first',
  ],
  [{ role: 'b', reservations: [{ type: 'STATIC', role: 'a' }] }, 'contradicts'],
  [{ disk: {} }, 'DiskInfo should not be set'],
])('%j is invalid', (change, message) => {
  const resource: Resource = { name: 'cpus', type: 'SCALAR', scalar: { value: 1 }, ...change };
  expect(validateResources([resource])).toContain(message);
  expect(() => Resources.fromWire([resource])).toThrow(message);
});

/** One disk as JSON of the flag. */
function json(more: object): string {
  return JSON.stringify([{ name: 'disk', type: 'SCALAR', scalar: { value: 1 }, ...more }]);
}

describe('flags', () => {
  test.each([
    ['cpus', "missing or extra ':'"],
    ['cpus:x', "'x' is neither a number"],
    ['ports:[5-1]', 'ends before it begins'],
    ['cpus:-1', 'value < 0'],
    ['[{"name":"cpus"}]', 'Required field is missing'],
    ['[', 'JSON'],
    ['cpus:1:2', "missing or extra ':'"],
    ['zones:{a:b}', "missing or extra ':'"],
    ['zones:{a', "missing '}'"],
    ['zones:{a,a}', 'duplicated elements'],
    ['cpus(a/..):1', "cannot include '..'"],
    ['cpus(a:1', 'mismatched parentheses'],
    ['gpus:0.5', 'must be an unsigned integer'],
    ['cpus:1;cpus(web):{a}', "Resources named 'cpus' are of different types"],
    [json({ reservations: [{ type: 'DYNAMIC', role: 'web' }] }), 'reserved dynamically'],
    [json({ role: 'web', reservation: {} }), 'reserved dynamically'],
    [json({ role: 'web', disk: { persistence: { id: 'v' } } }), 'persistent volume'],
    [json({ revocable: {} }), 'cannot be revocable'],
    [json({ allocation_info: { role: 'web' } }), 'cannot be allocated'],
    ['{"name":"disk"}', 'expecting a JSON array'],
  ])('resources %s are refused', (text, message) => {
    const result = parseResources(text);
    expect(result.ok ? '' : result.error).toContain(message);
  });

  test('resources may be JSON', () => {
    expect(parsed('[{"name":"cpus","type":"SCALAR","scalar":{"value":2}}]').cpus()).toBe(2);
  });

  test('JSON says where disks are and whose, in either spelling', () => {
    const source = { type: 'MOUNT', mount: { root: '/dcos/volume0' } };
    const stacked = { disk: { source }, reservations: [{ type: 'STATIC', role: 'web' }] };
    const old = parsed(json({ disk: { source }, role: 'web' }));
    expect(old.equals(parsed(json(stacked)))).toBe(true);
    const whole = parsed(json({ disk: { source } }));
    expect(whole.disk()).toBe(1);
    expect(
      parsed(json({ disk: { source } }), 'web')
        .reserved('web')
        .disk(),
    ).toBe(1);
  });

  test('sets are sorted, ranges merged, and the same resource adds up', () => {
    expect(parsed('zones:{b,a};zones:{c};ports:[5-7,6-9];cpus:1;cpus:0.5').summary()).toMatchObject(
      {
        zones: '{a, b, c}',
        ports: '[5-9]',
        cpus: 1.5,
      },
    );
  });

  test('attributes are scalars, ranges or text', () => {
    expect(parseAttributes('rack:r1; level:10; spans:[1-3]')).toEqual({
      ok: true,
      value: [
        { name: 'rack', type: 'TEXT', text: { value: 'r1' } },
        { name: 'level', type: 'SCALAR', scalar: { value: 10 } },
        { name: 'spans', type: 'RANGES', ranges: { range: [{ begin: 1, end: 3 }] } },
      ],
    });
    expect(parseAttributes(':x').ok).toBe(false);
    expect(parseAttributes('odd:{x}')).toMatchObject({
      ok: false,
      error: expect.stringContaining('sets'),
    });
  });
});

test('ranges are written as the endpoints write them', () => {
  const ranges = parseRanges('[5-7,1-2,3-3]');
  expect(ranges.ok && formatRanges(ranges.value)).toBe('[1-3, 5-7]');
  expect(parseRanges('[]')).toEqual({ ok: true, value: [] });
  expect(parseRanges('1-2').ok).toBe(false);
});

test.each([
  ['*', true],
  ['a/b.c', true],
  ['', false],
  ['/a', false],
  ['a/', false],
  ['a//b', false],
  ['a/../b', false],
  ['a/*', false],
  ['-a', false],
  ['a b', false],
])('role %j', (role, valid) => {
  expect(isValidRole(role) === undefined).toBe(valid);
});

test('ancestors are strict and by component', () => {
  expect(isAncestorRole('a', 'a/b')).toBe(true);
  expect(isAncestorRole('a', 'a')).toBe(false);
  expect(isAncestorRole('a', 'ab')).toBe(false);
});

test('persistent volumes are counted, never split, and shared ones add to sums once', () => {
  const volume: Resource = {
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: 64 },
    reservations: [{ type: 'DYNAMIC', role: 'web', principal: 'p' }],
    disk: { persistence: { id: 'v' }, volume: { mode: 'RW', container_path: 'data' } },
    shared: {},
  };
  const one = Resources.fromWire([volume]);
  const two = one.add(one);
  expect(two.disk()).toBe(64);
  expect(two.contains(one.add(one))).toBe(true);
  expect(one.contains(two)).toBe(false);
  expect(two.subtract(one).equals(one)).toBe(true);
  const half = Resources.fromWire([{ ...volume, scalar: { value: 32 } }]);
  expect(one.contains(half)).toBe(false);
});

test('the reservation on top can be put on and taken off', () => {
  const plain = parsed('cpus:1');
  const reserved = plain.pushReservation({ type: 'DYNAMIC', role: 'web', principal: 'p' });
  expect(reserved.reserved('web').cpus()).toBe(1);
  expect(reserved.popReservation().equals(plain)).toBe(true);
});

test('the order of labels in objects does not make two resources out of one, other labels do', () => {
  const labelled = (value: string): Resources =>
    parsed('cpus:1').pushReservation({
      type: 'DYNAMIC',
      role: 'web',
      labels: { labels: [{ key: 'k', value }] },
    });
  expect(labelled('a').add(labelled('a')).entries).toHaveLength(1);
  expect(labelled('a').add(labelled('b')).entries).toHaveLength(2);
});
