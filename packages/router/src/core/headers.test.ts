import { describe, expect, test } from 'vitest';
import { requestHeaders, responseHeaders, rewriteLocation } from './headers.ts';

/** Headers as lines, flat as a server gives them. */
const flat = (...lines: readonly string[]): string[] =>
  lines.flatMap((line) => [
    line.slice(0, line.indexOf(':')),
    line.slice(line.indexOf(':') + 1).trim(),
  ]);

const client = {
  clientIp: '127.0.0.1',
  protocol: 'http',
  host: 'localhost:8180',
  drop: [],
} as const;
const ADDED = [
  'X-Real-IP: 127.0.0.1',
  'X-Forwarded-For: 127.0.0.1',
  'X-Forwarded-Proto: http',
  'X-Forwarded-Host: localhost:8180',
];

test('headers of one connection stay there, and so do those that it names', () => {
  const headers = flat(
    'Host: localhost:8180',
    'Connection: keep-alive, X-Once',
    'X-Once: 1',
    'Keep-Alive: timeout=5',
    'Transfer-Encoding: chunked',
    'TE: trailers',
    'Expect: 100-continue',
    'X-Kept: a',
    'X-Kept: b',
  );
  expect(requestHeaders(headers, client)).toEqual(
    flat('Host: localhost:8180', 'X-Kept: a', 'X-Kept: b', ...ADDED),
  );
});

test('the client cannot say who it is; what proxies before said is kept', () => {
  const headers = flat(
    'X-Real-IP: 6.6.6.6',
    'X-Forwarded-For: 10.0.0.9',
    'X-Forwarded-Proto: https',
  );
  expect(requestHeaders(headers, client).slice(0, 4)).toEqual(
    flat('X-Real-IP: 127.0.0.1', 'X-Forwarded-For: 10.0.0.9, 127.0.0.1'),
  );
});

test.each([
  ['a=1; dcos-acs-auth-cookie=secret; b=2', ['Cookie: a=1; b=2']],
  ['dcos-acs-auth-cookie=x; dcos-acs-info-cookie=y', []],
])('cookie %s', (cookie, expected) => {
  expect(requestHeaders(['Cookie', cookie], client)).toEqual(flat(...expected, ...ADDED));
});

test('headers that the upstream must not see', () => {
  const headers = flat('Authorization: token=x', 'Accept: */*');
  expect(requestHeaders(headers, { ...client, drop: ['authorization'] })).toEqual(
    flat('Accept: */*', ...ADDED),
  );
});

describe('Location', () => {
  const rule = { upstreamOrigin: 'http://10.0.0.1:80', prefix: '/service/app' };
  test.each([
    ['/login', '/service/app/login'],
    ['/service/app/login', '/service/app/login'],
    ['/service/apple', '/service/app/service/apple'],
    ['http://10.0.0.1:80/x?y', '/service/app/x?y'],
    ['http://10.0.0.1:80', '/service/app/'],
    ['http://10.0.0.1:8080/x', 'http://10.0.0.1:8080/x'],
    ['https://elsewhere/x', 'https://elsewhere/x'],
    ['//elsewhere/x', '//elsewhere/x'],
    ['relative', 'relative'],
  ])('%s becomes %s', (location, expected) => {
    expect(rewriteLocation(location, rule)).toBe(expected);
  });

  test('among the other headers', () => {
    const headers = ['Location', '/x', 'Connection', 'close', 'Content-Length', '0'];
    expect(responseHeaders(headers, rule)).toEqual([
      'Location',
      '/service/app/x',
      'Content-Length',
      '0',
    ]);
  });
});
