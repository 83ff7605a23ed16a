import { afterEach, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { subscribeOperator } from './operator.ts';
import type { OperatorEvent } from './operator-events.ts';
import { FakeMaster } from './testing/fake-master.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

test('a snapshot comes first on every stream, changes follow', async () => {
  const master = await FakeMaster.start();
  opened.push(master);
  master.onStream = (stream) => {
    stream.sendOperator({
      type: 'SUBSCRIBED',
      subscribed: { get_state: {}, heartbeat_interval_seconds: 15 },
    });
    stream.sendOperator({ type: 'AGENT_REMOVED', agent_removed: { agent_id: { value: 'a1' } } });
    if (master.streams.length === 1) stream.end();
  };
  const seen: OperatorEvent['kind'][] = [];
  const connection = subscribeOperator({ masters: [master.url], logger: silentLogger });
  opened.push(connection);
  for await (const event of connection) {
    seen.push(event.kind);
    if (seen.length === 5) break;
  }
  expect(seen).toEqual(['snapshot', 'agentRemoved', 'disconnected', 'snapshot', 'agentRemoved']);
});

test('calls go to the master that is followed and report its refusals', async () => {
  const master = await FakeMaster.start();
  opened.push(master);
  master.onStream = (stream) => stream.sendOperator({ type: 'SUBSCRIBED', subscribed: {} });
  master.onOperatorCall = (call) => ({
    type: 'GET_HEALTH',
    get_health: { healthy: call.type === 'GET_HEALTH' },
  });
  const followed = Promise.withResolvers<void>();
  const connection = subscribeOperator({
    masters: [master.url],
    logger: silentLogger,
    encoding: 'json',
    listener(event) {
      if (event.kind === 'snapshot') followed.resolve();
    },
  });
  opened.push(connection);
  await expect(connection.call({ type: 'GET_HEALTH' })).rejects.toMatchObject({
    code: 'SDK_NOT_SUBSCRIBED',
  });
  await followed.promise;
  expect((await connection.call({ type: 'GET_HEALTH' })).get_health).toEqual({ healthy: true });
  expect(await connection.read('GET_HEALTH')).toEqual({ healthy: true });
  master.onOperatorCall = undefined;
  await expect(connection.call({ type: 'GET_STATE' })).rejects.toMatchObject({
    code: 'SDK_CALL_REFUSED',
    details: { status: 501, body: 'not here' },
  });
});
