import { describe, expect, test } from 'vitest';
import { create, created, detailsOf } from './testing/fixtures.ts';

describe('constraints', () => {
  test('operators are read in any case, values as texts', () => {
    const { constraints } = created({
      constraints: [
        ['hostname', 'unique'],
        ['rack', 'Group_By', '3'],
      ],
    });
    expect(constraints).toEqual([
      { field: 'hostname', operator: 'UNIQUE' },
      { field: 'rack', operator: 'GROUP_BY', value: '3' },
    ]);
  });

  test.each([
    [['hostname', 'UNIQUE']],
    [['hostname', 'UNIQUE', '']],
    [['rack', 'CLUSTER']],
    [['rack', 'CLUSTER', 'rack-1']],
    [['rack', 'GROUP_BY']],
    [['rack', 'GROUP_BY', 'inf']],
    [['rack', 'MAX_PER', '2']],
    [['rack', 'LIKE', 'rack-[1-3]']],
    [['rack', 'UNLIKE', 'rack-[1-3]']],
    [['rack', 'IS', 'a/b_c-d.e']],
    [['rack', 'IS', '-1.5e3']],
    [['rack', 'IS', '']],
  ])('%j is accepted', (constraint) => {
    expect(create({ constraints: [constraint] }).ok).toBe(true);
  });

  test.each([
    [['hostname'], 'Each constraint must have either 2 or 3 fields'],
    [['a', 'IS', 'b', 'c'], 'Each constraint must have either 2 or 3 fields'],
    [
      ['hostname', 'NEAR'],
      'operator must be one of the following UNIQUE, CLUSTER, GROUP_BY, LIKE, MAX_PER, UNLIKE or IS',
    ],
    [['', 'UNIQUE'], 'the field of a constraint must not be empty'],
    [['hostname', 'UNIQUE', 'x'], 'UNIQUE must not have a value'],
    [['rack', 'GROUP_BY', 'two'], 'the value of GROUP_BY must be a whole number'],
    [['rack', 'GROUP_BY', '-1'], 'the value of GROUP_BY must be a whole number'],
    [['rack', 'MAX_PER'], 'MAX_PER must have a whole number as its value'],
    [['rack', 'MAX_PER', '1.5'], 'MAX_PER must have a whole number as its value'],
    [['rack', 'LIKE'], 'LIKE must have a regular expression as its value'],
    [['rack', 'LIKE', '['], "'[' is not a regular expression"],
    [['rack', 'UNLIKE', '('], "'(' is not a regular expression"],
    [
      ['rack', 'LIKE', 'x'.repeat(1025)],
      'the expression of LIKE must have at most 1024 characters',
    ],
    [
      ['rack', 'IS', '{a,b}'],
      'IS must have a text or a scalar as its value; sets and ranges are not possible',
    ],
    [
      ['rack', 'IS', '[1-2]'],
      'IS must have a text or a scalar as its value; sets and ranges are not possible',
    ],
    [
      ['rack', 'IS'],
      'IS must have a text or a scalar as its value; sets and ranges are not possible',
    ],
  ])('%j is refused', (constraint, error) => {
    const result = create({ constraints: [['hostname', 'UNIQUE'], constraint] });
    expect(detailsOf(result)).toEqual({ '/constraints(1)': [error] });
  });

  test('a value that is no text is an error of types', () => {
    const result = create({ constraints: [['rack', 'MAX_PER', 2], 'x'] });
    expect(detailsOf(result)).toEqual({
      '/constraints(0)(2)': ['error.expected.jsstring'],
      '/constraints(1)': ['error.expected.jsarray'],
    });
  });
});
