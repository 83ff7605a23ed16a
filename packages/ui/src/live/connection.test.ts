import { expect, test } from 'vitest';
import { connection, setStream } from './connection.ts';

test('what is lost stays lost through all attempts to get it back', () => {
  setStream('marathon', 'open');
  setStream('mesos', 'lost');
  expect(connection.get().lostSinceMs).toBeUndefined();
  setStream('marathon', 'lost');
  const since = connection.get().lostSinceMs;
  expect(since).toBeTypeOf('number');
  setStream('mesos', 'connecting');
  setStream('marathon', 'connecting');
  expect(connection.get().lostSinceMs).toBe(since);
  setStream('mesos', 'lost');
  expect(connection.get().lostSinceMs).toBe(since);
  setStream('marathon', 'open');
  expect(connection.get().lostSinceMs).toBeUndefined();
});
