import { describe, expect, test } from 'vitest';
import { parseZooKeeperAddress, pathProblem } from './paths.ts';

describe('addresses', () => {
  test.each([
    ['zk://one:2181/mesos', [{ host: 'one', port: 2181 }], undefined, '/mesos'],
    [
      'zk://one,two:2182,[::1]:2183',
      [
        { host: 'one', port: 2181 },
        { host: 'two', port: 2182 },
        { host: '::1', port: 2183 },
      ],
      undefined,
      '/',
    ],
    [
      'zk://user:p@ss:word@10.0.0.1:2181/a/b/',
      [{ host: '10.0.0.1', port: 2181 }],
      { user: 'user', password: 'p@ss:word' },
      '/a/b',
    ],
  ])('%s', (text, servers, credentials, path) => {
    expect(parseZooKeeperAddress(text)).toEqual({
      ok: true,
      value: { servers, credentials, path },
    });
  });

  test.each([
    ['http://one:2181/mesos', 'it must begin with zk://'],
    ['zk:///mesos', 'a host is missing'],
    ['zk://one:99999/', 'one:99999 has no valid port'],
    ['zk://one:port/', 'one:port is no host'],
    ['zk://secret@one/', 'before the @ it must have user:password'],
    ['zk://one/a//b', 'a path has no empty part'],
    ['zk://one/../b', 'a path is absolute'],
  ])('%s is refused', (text, error) => {
    expect(parseZooKeeperAddress(text)).toEqual({ ok: false, error });
  });
});

test.each([
  ['/', undefined],
  ['/a.b/c', undefined],
  ['a', 'a path begins with a slash'],
  ['/a/', 'a path does not end with a slash'],
  ['/a\u0000', 'a path has a character that ZooKeeper refuses'],
])('path %j', (path, problem) => {
  expect(pathProblem(path)).toBe(problem);
});
