import { expect, test } from 'vitest';
import { exitStatusOf } from './exit-status.ts';

const calm = { kills: 0, limitBytes: 64, peakBytes: 32 };
const memory = { limitBytes: 64, peakBytes: 64 };
const starved = { kills: 1, ...memory };

test.each([
  ['0\n', calm, { kind: 'exited', code: 0 }],
  ['7', calm, { kind: 'exited', code: 7 }],
  ['128', calm, { kind: 'exited', code: 128 }],
  ['137', calm, { kind: 'signaled', signal: 9 }],
  ['255', calm, { kind: 'exited', code: 255 }],
  ['137', starved, { kind: 'signaled', signal: 9, outOfMemory: true, memory }],
  ['1', starved, { kind: 'exited', code: 1, outOfMemory: true, memory }],
  ['', starved, { kind: 'signaled', signal: 9, outOfMemory: true, memory }],
])('the exit file %j', (text, fate, status) => {
  expect(exitStatusOf(text, fate)).toEqual(status);
});

test('without an exit file nobody knows', () => {
  expect(exitStatusOf('', calm).kind).toBe('unknown');
});
