import { expect, test } from 'vitest';
import {
  parseList,
  parseMinAllocatable,
  parsePercentage,
  parseRate,
  parseWeights,
} from './flag-values.ts';

test.each([
  ['1/10mins', { agents: 1, perMs: 600_000 }],
  ['20/1secs', { agents: 20, perMs: 1_000 }],
  ['0/1secs', undefined],
  ['1/0secs', undefined],
  ['1', undefined],
  ['1/10', undefined],
  ['-1/10secs', undefined],
  ['', undefined],
])('rate %s', (text, rate) => {
  expect(parseRate(text)).toEqual(rate);
});

test.each([
  ['100%', 1],
  ['0%', 0],
  ['12.5%', 0.125],
  ['101%', undefined],
  ['50', undefined],
  ['%', undefined],
])('percentage %s', (text, part) => {
  expect(parsePercentage(text)).toBe(part);
});

test.each([
  ['cpus:0.01|mem:32', [[['cpus', 10]], [['mem', 32_000]]]],
  [
    'cpus:1;disk:0.5',
    [
      [
        ['cpus', 1_000],
        ['disk', 500],
      ],
    ],
  ],
  ['', []],
  ['cpus', undefined],
  ['cpus:a', undefined],
  ['cpus:-1', undefined],
  ['cpus:1;cpus:2', undefined],
  ['cpus:1||mem:1', undefined],
])('least offer %j', (text, sets) => {
  expect(parseMinAllocatable(text)?.map((set) => [...set])).toEqual(sets);
});

test.each([
  [
    'dev=2,ops=1.5',
    [
      ['dev', 2],
      ['ops', 1.5],
    ],
  ],
  ['', []],
  ['dev', undefined],
  ['dev=', undefined],
  ['dev=0', undefined],
  ['dev=1,dev=2', undefined],
  ['dev=Infinity', undefined],
])('weights %j', (text, weights) => {
  expect(parseWeights(text) && [...(parseWeights(text) ?? [])]).toEqual(weights);
});

test('a list has what is between the commas', () => {
  expect(parseList(' a, b ,,c')).toEqual(['a', 'b', 'c']);
  expect(parseList('')).toEqual([]);
});
