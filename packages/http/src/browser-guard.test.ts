import { expect, test } from 'vitest';
import { refusalOf } from './browser-guard.ts';

const options = { allowedHosts: ['box.example'], allowedOrigins: ['http://localhost:5173'] };
const served = (request: Partial<Parameters<typeof refusalOf>[0]>): boolean =>
  refusalOf(
    {
      method: 'GET',
      isUpgrade: false,
      host: 'localhost:8180',
      origin: undefined,
      fetchSite: undefined,
      ...request,
    },
    options,
  ) === undefined;

test.each([
  ['localhost', true],
  ['LOCALHOST:8180', true],
  ['app.localhost:1', true],
  ['127.0.0.1:8180', true],
  ['127.9.9.9', true],
  ['[::1]:8180', true],
  ['box.example', true],
  ['evil.example', false],
  ['127.0.0.1.evil.example', false],
  ['localhost.evil.example', false],
  ['192.168.1.2', false],
  ['user@localhost', false],
  ['', false],
])('host %s is served: %s', (host, expected) => {
  expect(served({ host })).toBe(expected);
});

test.each([
  [{ method: 'POST' }, true],
  [{ method: 'POST', origin: 'http://localhost:8180' }, true],
  [{ method: 'POST', origin: 'http://localhost:5173' }, true],
  [{ method: 'POST', origin: 'http://evil.example' }, false],
  [{ method: 'DELETE', origin: 'http://127.0.0.1:8180' }, false],
  [{ method: 'PUT', origin: 'null' }, false],
  [{ method: 'POST', fetchSite: 'cross-site' }, false],
  [{ method: 'POST', fetchSite: 'same-origin' }, true],
  [{ method: 'GET', origin: 'http://evil.example' }, true],
  [{ method: 'GET', isUpgrade: true, origin: 'http://evil.example' }, false],
])('%j is served: %s', (request, expected) => {
  expect(served(request)).toBe(expected);
});
