import { expect, test } from 'vitest';
import { parseShimIdentity, parseStatLine, parseStatus } from './shim.ts';

const STAT =
  '4711 (a (b) c) S 1 4711 4712 0 -1 4194304 1 2 3 4 150 25 7 8 20 0 1 0 98765 1000 250 18446744073709551615';

test('a status is read when it is whole', () => {
  expect(parseStatus('0\n')).toEqual({ kind: 'exited', code: 0 });
  expect(parseStatus('137\n')).toEqual({ kind: 'exited', code: 137 });
  expect(parseStatus(`0\n${' '.repeat(14)}\n`)).toEqual({ kind: 'exited', code: 0 });
  expect(parseStatus('137 signal\n')).toEqual({ kind: 'signaled', signal: 9 });
  for (const text of ['', '1', '137 sig', 'x\n', `${' '.repeat(16)}\n`, `1${' '.repeat(15)}\n`])
    expect(parseStatus(text)).toBeUndefined();
});

test('a command name with parentheses and spaces does not shift the fields', () => {
  expect(parseStatLine(STAT)).toEqual({
    pid: 4711,
    state: 'S',
    parent: 1,
    processGroup: 4711,
    session: 4712,
    userTicks: 157,
    systemTicks: 33,
    startTicks: '98765',
    residentPages: 250,
  });
  expect(parseStatLine('4711 (x) S 1')).toBeUndefined();
});

test('an identity is read when it is whole, on both kinds of host', () => {
  expect(parseShimIdentity(`4711\nboot\n${STAT}\n`)).toEqual({
    pid: 4711,
    bootId: 'boot',
    startedAt: '98765',
  });
  expect(parseShimIdentity('12\n-\nFri Nov 20 14:00:00 2026\n')).toEqual({
    pid: 12,
    bootId: '-',
    startedAt: 'Fri Nov 20 14:00:00 2026',
  });
  for (const text of ['', '4711\n', '4711\nboot\n', `4711\nboot\n${STAT}`]) {
    expect(parseShimIdentity(text)).toBeUndefined();
  }
});
