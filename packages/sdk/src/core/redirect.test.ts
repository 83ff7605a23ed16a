import { expect, test } from 'vitest';
import { masterOrigin, redirectOrigin } from './redirect.ts';
import { isRefusal, isStaleAnswer, stopReasonOf } from './answers.ts';

test.each([
  ['http://a:1', '//10.0.0.2:5050/api/v1/scheduler', 'http://10.0.0.2:5050'],
  ['https://a:1', '//leader:5050/api/v1', 'https://leader:5050'],
  ['http://a:1', 'https://leader/api', 'https://leader'],
  ['https://a:1', 'http://leader/api', undefined],
  ['http://a:1', '//[::1]:5050', 'http://[::1]:5050'],
  ['http://a:1', '/elsewhere', undefined],
  ['http://a:1', 'ftp://leader/', undefined],
  ['http://a:1', '//user@leader/', undefined],
])('%s redirecting to %s means %s', (from, location, origin) => {
  expect(redirectOrigin(from, location)).toBe(origin);
});

test.each([
  ['127.0.0.1:5050', 'http://127.0.0.1:5050'],
  ['http://m:5050/', 'http://m:5050'],
  ['https://m', 'https://m'],
])('master %s is asked at %s', (master, origin) => {
  expect(masterOrigin(master)).toBe(origin);
});

test('answers of the original are read right', () => {
  const streamId =
    "The stream ID 'x' included in this request didn't match the stream ID currently associated with framework ID f";
  expect(isStaleAnswer(400, streamId)).toBe(true);
  expect(isStaleAnswer(400, 'Framework cannot be found')).toBe(true);
  expect(
    isStaleAnswer(400, "Failed to validate scheduler::Call: Expecting 'accept' to be present"),
  ).toBe(false);
  expect(isStaleAnswer(403, '')).toBe(true);
  expect(isRefusal(503)).toBe(false);
  expect(isRefusal(401)).toBe(true);
  expect(stopReasonOf('Framework failed over')).toBe('failedOver');
  expect(stopReasonOf('Framework has been removed')).toBe('removed');
  expect(stopReasonOf('Role is not whitelisted')).toBeUndefined();
});
