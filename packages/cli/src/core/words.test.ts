/** Words of the command line: global options, properties, patterns, near matches, ids. */

import { describe, expect, test } from 'vitest';
import { matchesGlob } from './glob.ts';
import { parseGlobalOptions } from './global-options.ts';
import { idPath, normaliseId } from './marathon-id.ts';
import { appFields, parseProperties, unknownFieldSentences } from './property-arguments.ts';
import { editDistance, nearestWord } from '@dcos/base';

describe('parseGlobalOptions', () => {
  test('stops at the first command word', () => {
    expect(parseGlobalOptions(['-v', 'task', '--version', '-v'])).toEqual({
      ok: true,
      value: {
        verbosity: 1,
        version: false,
        help: false,
        deprecations: [],
        rest: ['task', '--version', '-v'],
      },
    });
  });

  test.each([
    [['-vv'], 2],
    [['-v', '-v'], 2],
    [['--debug'], 2],
    [['--log-level=info'], 1],
    [['--log-level', 'debug'], 2],
    [['--log-level', 'error'], 0],
  ])('%j gives verbosity %i', (words, verbosity) => {
    expect(parseGlobalOptions(words)).toMatchObject({ ok: true, value: { verbosity, rest: [] } });
  });

  test('an unknown option and a missing value are errors', () => {
    expect(parseGlobalOptions(['--nope'])).toEqual({ ok: false, error: 'unknown option "--nope"' });
    expect(parseGlobalOptions(['--log-level']).ok).toBe(false);
  });
});

describe('parseProperties', () => {
  test('values are JSON where they parse, text otherwise', () => {
    const words = [
      'instances=3',
      'cmd=sleep 10',
      'env={"A":"b=c"}',
      'cpus=0.5',
      'user=',
      'role="1"',
    ];
    expect(parseProperties(words, appFields)).toEqual({
      ok: true,
      value: { instances: 3, cmd: 'sleep 10', env: { A: 'b=c' }, cpus: 0.5, user: '', role: '1' },
    });
  });

  test.each([
    ['instances', '"instances" is no property: expected name=value'],
    ['=3', '"=3" is no property: expected name=value'],
    ['instancs=3', '"instancs" is not a known property. Did you mean "instances"?'],
    ['__proto__={}', '"__proto__" is not a known property'],
  ])('refuses %s', (word, error) => {
    expect(parseProperties([word], appFields)).toEqual({ ok: false, error });
  });
});

describe('matchesGlob', () => {
  test.each([
    ['*', '', true],
    ['a*c', 'abc', true],
    ['a*c', 'abcd', false],
    ['?b?', 'abc', true],
    ['?', '', false],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[]]', ']', true],
    ['[a', '[a', true],
    ['*.log', 'dir/a.log', true],
    ['web*_app.*', 'webserver.instance-1._app.1', true],
  ])('%s on %s is %s', (pattern, text, expected) => {
    expect(matchesGlob(pattern, text)).toBe(expected);
  });

  test('many stars cost no exponential time', () => {
    expect(matchesGlob('*a'.repeat(200), 'a'.repeat(5000) + 'b')).toBe(false);
  });
});

test('near matches count swaps once and respect a limit', () => {
  expect(editDistance('lsit', 'list')).toBe(1);
  expect(nearestWord('lsit', ['show', 'list'])).toBe('list');
  expect(nearestWord('xyz', ['show', 'list'])).toBeUndefined();
  expect(nearestWord('', ['a'])).toBeUndefined();
});

test('ids have one leading slash, and every segment is encoded in a path', () => {
  expect(['web', '/web/', '//a//b', '/', ''].map(normaliseId)).toEqual([
    '/web',
    '/web',
    '/a/b',
    '/',
    '/',
  ]);
  expect(idPath('/a b/c?d')).toBe('/a%20b/c%3Fd');
});

describe('unknownFieldSentences', () => {
  test('names fields without effect, not those that were copied from an app that runs', () => {
    const definition = { id: '/a', cpu: 1, zzzzzz: 2, mem: 32, tasksRunning: 1, versionInfo: {} };
    expect(unknownFieldSentences(definition)).toEqual([
      '"cpu" is no field of an app and has no effect. Did you mean "cpus"?',
      '"zzzzzz" is no field of an app and has no effect',
    ]);
  });
});
