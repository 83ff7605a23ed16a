import { describe, expect, test } from 'vitest';
import type { Resource } from '@dcos/wire';
import { toEndpointResources } from './endpoint.ts';
import { parseAttributes, parseResources } from './flag-text.ts';
import { formatRanges, parseRanges } from './ranges.ts';
import { toPreRefinement } from './reservation.ts';
import { Resources } from './resources.ts';
import { isAncestorRole, isValidRole } from './role.ts';
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
  expect(toPreRefinement([refined])).toEqual([]);
});

test.each<[Partial<Resource>, string]>([
  [{ scalar: { value: -1 } }, 'value < 0'],
  [{ scalar: { value: Number.POSITIVE_INFINITY } }, 'not a finite number'],
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
    'not a strict descendant',
  ],
  [
    {
      reservations: [
        { type: 'STATIC', role: 'a' },
        { type: 'STATIC', role: 'a/b' },
      ],
    },
    'must not be static',
  ],
  [{ role: 'a', reservations: [{ type: 'STATIC', role: 'a' }] }, "'Resource.role' must not be set"],
  [{ disk: {} }, 'DiskInfo should not be set'],
])('%j is invalid', (change, message) => {
  const resource: Resource = { name: 'cpus', type: 'SCALAR', scalar: { value: 1 }, ...change };
  expect(validateResources([resource])).toContain(message);
  expect(() => Resources.fromWire([resource])).toThrow(message);
});

describe('flags', () => {
  test.each([
    ['cpus', "'cpus' is not of the form"],
    ['cpus:x', "'cpus:x' has no value"],
    ['ports:[5-1]', "'ports:[5-1]' has no value"],
    ['cpus:-1', 'value < 0'],
    ['[{"name":"cpus"}]', 'Required field is missing'],
    ['[', 'not valid JSON'],
  ])('resources %s are refused', (text, message) => {
    const result = parseResources(text);
    expect(result.ok ? '' : result.error).toContain(message);
  });

  test('resources may be JSON', () => {
    expect(parsed('[{"name":"cpus","type":"SCALAR","scalar":{"value":2}}]').cpus()).toBe(2);
  });

  test('attributes are scalars, ranges or text', () => {
    expect(parseAttributes('rack:r1; level:10; spans:[1-3]; odd:{x}')).toEqual({
      ok: true,
      value: [
        { name: 'rack', type: 'TEXT', text: { value: 'r1' } },
        { name: 'level', type: 'SCALAR', scalar: { value: 10 } },
        { name: 'spans', type: 'RANGES', ranges: { range: [{ begin: 1, end: 3 }] } },
        { name: 'odd', type: 'TEXT', text: { value: '{x}' } },
      ],
    });
    expect(parseAttributes(':x').ok).toBe(false);
  });
});

test('ranges are written as the endpoints write them', () => {
  expect(formatRanges(parseRanges('[5-7,1-2,3-3]') ?? [])).toBe('[1-3, 5-7]');
  expect(parseRanges('[]')).toEqual([]);
  expect(parseRanges('1-2')).toBeUndefined();
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
