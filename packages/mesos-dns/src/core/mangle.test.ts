import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  agentTail,
  RFC952,
  serviceLabel,
  taskHash,
  toDomainFragment,
  toLabel,
  withSuffix,
} from './mangle.ts';

describe('labels', () => {
  test.each([
    ['web', 'web'],
    ['Web_Server.v2', 'web-server-v2'],
    ['/group/app', 'groupapp'],
    ['--x--', 'x'],
    ['ünï cödé$', 'ncd'],
    [`hello${'-'.repeat(58)}f`, 'hellof'],
    ['a'.repeat(70), 'a'.repeat(63)],
    ['0day', '0day'],
    ['tcp,udp', 'tcpudp'],
    ['', ''],
  ])('%s becomes %s', (text, label) => {
    expect(toLabel(text)).toBe(label);
  });

  test.each([
    ['0-day', 'day'],
    ['a'.repeat(30), 'a'.repeat(24)],
    ['12-', ''],
  ])('%s becomes %s under the strict rules', (text, label) => {
    expect(toLabel(text, RFC952)).toBe(label);
  });
});

test.each([
  ['marathon', 'marathon'],
  ['Spark.Dispatcher', 'spark.dispatcher'],
  ['..a..b..', 'a.b'],
  ['team_a/x', 'team-ax'],
])('framework %s lives under %s', (name, fragment) => {
  expect(toDomainFragment(name)).toBe(fragment);
});

test('the hash of a task id is that of the original', () => {
  expect(taskHash(createHash('sha1').update('test').digest())).toBe('iffe9');
});

test('the tail of an agent id', () => {
  expect(agentTail('20150703-3983009964-5050-31190-S12')).toBe('s12');
});

test('published labels never exceed what DNS carries', () => {
  expect(withSuffix('a'.repeat(63), '-iffe9-s0')).toBe(`${'a'.repeat(54)}-iffe9-s0`);
  expect(serviceLabel('a'.repeat(63))).toHaveLength(63);
  expect(withSuffix('web', '-iffe9-s0')).toBe('web-iffe9-s0');
});
