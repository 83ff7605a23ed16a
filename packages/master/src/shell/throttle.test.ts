import { expect, test } from 'vitest';
import { postJson, send, openStream } from '../testing/http-client.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { closeAfterTest, startTestMaster } from '../testing/running-master.ts';
import { frameworkInfo } from '../testing/world.ts';
import { scheduler } from '@dcos/wire';
import { parseRateLimits, Throttle } from './throttle.ts';

const LIMITS = '{"limits":[{"principal":"p","qps":2,"capacity":2},{"principal":"free"}]}';

function scene(): {
  readonly clock: ManualClock;
  readonly throttle: Throttle;
  readonly handled: string[];
  readonly take: (name: string, isWanted?: boolean, principal?: string) => void;
} {
  const clock = new ManualClock();
  const throttle = new Throttle(parseRateLimits(LIMITS), clock);
  const handled: string[] = [];
  return {
    clock,
    throttle,
    handled,
    take: (name, isWanted = true, principal = 'p') =>
      throttle.take({
        principal,
        handle: () => handled.push(name),
        refuse: (_text, seconds) => handled.push(`${name} refused for ${seconds} s`),
        isWanted: () => isWanted,
      }),
  };
}

test('calls wait in order, those whose client has gone are dropped, others are not held up', () => {
  const { clock, throttle, handled, take } = scene();
  take('a');
  take('b', false);
  take('c');
  take('d');
  take('other', true, 'free');
  expect(handled).toEqual(['a', 'd refused for 2 s', 'other']);
  clock.advance(499);
  take('e');
  expect(handled).toHaveLength(4);
  clock.advance(501);
  expect(handled).toEqual(['a', 'd refused for 2 s', 'other', 'e refused for 2 s', 'c']);
  take('f');
  clock.advance(500);
  expect(handled.at(-1)).toBe('f');
  expect(throttle.readings()).toEqual({
    'frameworks/p/messages_received': 6,
    'frameworks/p/messages_processed': 3,
    'frameworks/free/messages_received': 1,
    'frameworks/free/messages_processed': 1,
  });
});

test('nothing is handled after the end', () => {
  const { clock, throttle, handled, take } = scene();
  take('a');
  take('b');
  throttle.close();
  clock.advance(10_000);
  expect(handled).toEqual(['a']);
});

test.each([
  ['{', /not JSON/],
  ['{"limit":[]}', /limit/],
  ['{"limits":[{"principal":"p","qps":0}]}', /qps/],
  ['{"limits":[{"principal":"p","capacity":1}]}', /of no use without qps/],
  ['{"limits":[{"principal":"p"},{"principal":"p"}]}', /'p' is there twice/],
  ['{"limits":[{"qps":1}]}', /principal/],
  ['{"aggregate_default_capacity":1}', /without aggregate_default_qps/],
])('%s is refused', (text, problem) => {
  expect(() => parseRateLimits(text)).toThrow(problem);
});

test('a scheduler that calls too often is told when to come back', async () => {
  const rateLimits = '{"limits":[{"principal":"busy","qps":0.001,"capacity":0}]}';
  const { url } = await startTestMaster({ rateLimits });
  const path = `${url}/api/v1/scheduler`;
  const info = { ...frameworkInfo(), principal: 'busy' };
  const subscribe = { type: 'SUBSCRIBE', subscribe: { framework_info: info } };
  const stream = closeAfterTest(
    await openStream(path, JSON.stringify(subscribe), {
      type: scheduler.EventType,
      encoding: 'json',
    }),
  );
  const { subscribed } = await stream.events.find('SUBSCRIBED', (e) => e.type === 'SUBSCRIBED');
  const { framework_id } = subscribed ?? {};
  const answer = await postJson(
    path,
    { type: 'REVIVE', framework_id },
    { 'mesos-stream-id': String(stream.headers['mesos-stream-id']) },
  );
  expect([answer.status, answer.text]).toEqual([
    429,
    "More than 0 calls of principal 'busy' wait for the limit of 0.001 a second",
  ]);
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(900);
  const metrics = JSON.parse((await send(`${url}/metrics/snapshot`)).text) as object;
  expect(metrics).toMatchObject({
    'frameworks/busy/messages_received': 2,
    'frameworks/busy/messages_processed': 1,
  });
  // Others are not concerned.
  const other = { type: 'SUBSCRIBE', subscribe: { framework_info: frameworkInfo() } };
  closeAfterTest(
    await openStream(path, JSON.stringify(other), { type: scheduler.EventType, encoding: 'json' }),
  );
});
