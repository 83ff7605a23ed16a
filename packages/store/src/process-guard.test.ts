import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { waitFor } from '@dcos/testkit';
import { guardProcess } from './process-guard.ts';
import { realClock } from './testing/real-clock.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A process that listens, and what it has accepted. */
async function listen(port = 0) {
  const accepted: Socket[] = [];
  const server = createServer((socket) => void accepted.push(socket));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const end = (): void => {
    server.close();
    for (const socket of accepted) socket.destroy();
  };
  closers.push(end);
  return { accepted, end, port: (server.address() as AddressInfo).port };
}

function guard(port: number, timers: (() => void)[] = []) {
  const seen = { gone: 0 };
  const clock = {
    setTimer: (_afterMs: number, callback: () => void) => {
      timers.push(callback);
      return () => undefined;
    },
  };
  closers.push(guardProcess({ host: '127.0.0.1', port }, clock, () => (seen.gone += 1)));
  return seen;
}

test('a process that ends is noticed, without a timer', async () => {
  const server = await listen();
  const seen = guard(server.port);
  await waitFor('a connection', () => server.accepted.length > 0);
  server.end();
  await waitFor('the end', () => seen.gone === 1);
});

test('a connection that is closed says nothing while the process listens', async () => {
  const server = await listen();
  const seen = guard(server.port);
  for (let count = 1; count <= 3; count++) {
    await waitFor('a connection', () => server.accepted.length === count);
    server.accepted.at(-1)?.destroy();
  }
  await waitFor('another connection', () => server.accepted.length === 4);
  expect(seen.gone).toBe(0);
});

test('a refusal says nothing of a process that was never reached', async () => {
  const { port, end } = await listen();
  end();
  const refused = connect(port, '127.0.0.1');
  await once(refused, 'error');
  const timers: (() => void)[] = [];
  const seen = guard(port, timers);
  const retry = async (): Promise<void> => {
    (await waitFor('a retry that is due', () => timers.shift()))();
  };
  await retry();
  await retry();
  expect(seen.gone).toBe(0);
  const late = await listen(port);
  await retry();
  await waitFor('a connection', () => late.accepted.length > 0);
  late.end();
  await waitFor('the end', () => seen.gone === 1);
});

test('nothing is said once the guard is ended', async () => {
  const server = await listen();
  let gone = 0;
  const end = guardProcess({ host: '127.0.0.1', port: server.port }, realClock, () => (gone += 1));
  await waitFor('a connection', () => server.accepted.length > 0);
  const closed = once(server.accepted[0] as Socket, 'close');
  server.accepted[0]?.resume();
  end();
  await closed;
  server.end();
  await new Promise((resolve) => setImmediate(resolve));
  expect(gone).toBe(0);
});
