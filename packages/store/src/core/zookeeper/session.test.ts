import { seededRandom } from '@dcos/base';
import { describe, expect, test } from 'vitest';
import { SESSION_TIMEOUT_MS, sessionOptions, SessionWorld } from '../../testing/session-world.ts';
import { JuteReader, JuteWriter } from './jute.ts';
import type { Operation } from './operations.ts';
import { ZooKeeperSession } from './session.ts';
import type { SessionEffect } from './session-types.ts';

const read: Operation = { kind: 'exists', path: '/a', watch: false };
const write = (bytes: number): Operation => ({
  kind: 'setData',
  path: '/a',
  data: new Uint8Array(bytes),
  version: -1,
});

function connectedWorld(): SessionWorld {
  const world = new SessionWorld(1);
  world.start();
  world.runUntil(200);
  expect(world.session.isAliveAt(world.nowMs)).toBe(true);
  return world;
}

const states = (world: SessionWorld): readonly string[] =>
  world.log.flatMap((entry) => (entry.kind === 'state' ? [entry.state] : []));
const errors = (effects: readonly SessionEffect[]): readonly string[] =>
  effects.flatMap((effect) =>
    effect.kind === 'answer' ? [effect.result.ok ? 'ok' : effect.result.error] : [],
  );

test('a silent server is left after two thirds of the time-out, and the session goes on elsewhere', () => {
  const world = connectedWorld();
  const { id } = world.session;
  const host = world.host();
  world.swallow();
  world.runUntil(world.nowMs + SESSION_TIMEOUT_MS * 0.88);
  expect(states(world)).toEqual(['connected', 'suspended', 'connected']);
  expect(world.session.id).toBe(id);
  expect(world.host()).not.toBe(host);
});

test('an idle session is kept alive by pings', () => {
  const world = connectedWorld();
  world.runUntil(world.nowMs + 20 * SESSION_TIMEOUT_MS);
  expect(states(world)).toEqual(['connected']);
});

test('a client that slept for longer than its session knows at once', () => {
  const world = connectedWorld();
  const { id } = world.session;
  world.freeze('client', SESSION_TIMEOUT_MS);
  expect(world.session.isAliveAt(world.nowMs + SESSION_TIMEOUT_MS)).toBe(false);
  world.runUntil(world.nowMs + 2 * SESSION_TIMEOUT_MS);
  expect(states(world)).toEqual(['connected', 'suspended', 'expired', 'connected']);
  expect(world.session.id).not.toBe(id);
});

test('what was not sent yet waits for the next connection; for a session long at most', () => {
  const world = connectedWorld();
  world.breakConnection();
  world.runUntil(world.nowMs + 45);
  world.request(1, read);
  world.runUntil(world.nowMs + 400);
  expect(errors(world.log)).toEqual(['NONODE']);
  for (const host of ['one', 'two', 'three']) world.freeze(host, 1_000_000);
  world.runUntil(world.nowMs + 3 * SESSION_TIMEOUT_MS);
  world.request(2, read);
  world.runUntil(world.nowMs + SESSION_TIMEOUT_MS - 1);
  expect(errors(world.log)).toEqual(['NONODE']);
  world.runUntil(world.nowMs + 2);
  expect(errors(world.log)).toEqual(['NONODE', 'OPERATIONTIMEOUT']);
});

test('closing ends the session at the servers, and refuses what comes later', () => {
  const world = connectedWorld();
  const { id } = world.session;
  world.request(1, read);
  world.close();
  world.request(2, read);
  world.runUntil(world.nowMs + 200);
  expect(errors(world.log)).toEqual(['CLOSED', 'NONODE']);
  expect(states(world)).toEqual(['connected', 'closed']);
  expect(world.ensemble.hasSession(id, world.nowMs)).toBe(false);
  expect(world.session.nextTimerMs()).toBe(Infinity);
});

describe('bounds', () => {
  const unconnected = (given: Parameters<typeof sessionOptions>[1]): ZooKeeperSession =>
    new ZooKeeperSession(sessionOptions(seededRandom(1), given));
  const submit = (session: ZooKeeperSession, operation: Operation): readonly string[] =>
    errors(session.handle({ kind: 'request', id: 1, operation }, 0));

  test('requests without an answer', () => {
    const session = unconnected({ requestsMax: 2 });
    expect([read, read, read].map((operation) => submit(session, operation))).toEqual([
      [],
      [],
      ['QUEUEFULL'],
    ]);
  });

  test('bytes of requests', () => {
    const session = unconnected({ requestBytesMax: 1_000 });
    expect(submit(session, write(900))).toEqual([]);
    expect(submit(session, write(900))).toEqual(['QUEUEFULL']);
    expect(submit(session, read)).toEqual([]);
  });

  test('bytes of a packet', () => {
    const session = unconnected({ packetBytesMax: 1_026 });
    expect(submit(session, write(1_001))).toEqual(['PACKETTOOLARGE']);
    expect(submit(session, write(1_000))).toEqual([]);
  });

  test('servers in turn, with longer and longer waits after each round', () => {
    const session = unconnected({ sessionTimeoutMs: 3_000 });
    let nowMs = 0;
    const hosts: string[] = [];
    const waits: number[] = [];
    let effects = session.handle({ kind: 'start' }, nowMs);
    for (let attempt = 1; attempt <= 30; attempt++) {
      const open = effects.find((effect) => effect.kind === 'open');
      if (open?.kind !== 'open') throw new Error('no attempt');
      hosts.push(open.server.host);
      const { connection } = open;
      effects = session.handle({ kind: 'broken', connection, reason: 'refused' }, nowMs);
      if (attempt % 3 !== 0) continue;
      expect(effects).toEqual([]);
      waits.push(session.nextTimerMs() - nowMs);
      nowMs = session.nextTimerMs();
      effects = session.handle({ kind: 'timer' }, nowMs);
    }
    expect(new Set(hosts.slice(0, 3)).size).toBe(3);
    expect(hosts.slice(3, 6)).toEqual(hosts.slice(0, 3));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(25);
    expect(Math.max(...waits)).toBeLessThanOrEqual(1_000);
    expect(waits.at(-1)).toBeGreaterThan(waits[0] ?? 0);
  });
});

describe('strange servers', () => {
  const handshake = new JuteWriter().int(0).int(3_000).long(7n).buffer(new Uint8Array(16)).frame();
  /** A session that is connected by hand, with its first connection. */
  const connected = (given: Parameters<typeof sessionOptions>[1] = {}): ZooKeeperSession => {
    const session = new ZooKeeperSession(sessionOptions(seededRandom(1), given));
    session.handle({ kind: 'start' }, 0);
    session.handle({ kind: 'opened', connection: 1 }, 0);
    session.handle({ kind: 'received', connection: 1, bytes: handshake }, 0);
    expect(session.id).toBe(7n);
    return session;
  };
  const packet = (write: (writer: JuteWriter) => void): Uint8Array => {
    const writer = new JuteWriter();
    write(writer);
    return writer.frame();
  };

  test.each([
    ['an answer to nothing', packet((writer) => writer.int(99).long(1n).int(0))],
    ['half a header', packet((writer) => writer.int(1))],
    ['a packet without end', Uint8Array.from([0x7f, 0xff, 0xff, 0xff])],
    ['HTTP', new TextEncoder().encode('HTTP/1.1 400 Bad Request')],
  ])('%s ends the connection, not the session', (_name, bytes) => {
    const session = connected();
    const effects = session.handle({ kind: 'received', connection: 1, bytes }, 1);
    expect(effects.map(({ kind }) => kind)).toEqual(['shut', 'state', 'open']);
    expect(session.isAliveAt(1)).toBe(true);
  });

  test('an answer that cannot be read leaves open whether it was done', () => {
    const session = connected();
    session.handle({ kind: 'request', id: 5, operation: read }, 1);
    const bytes = packet((writer) => writer.int(1).long(1n).int(0).int(3));
    expect(errors(session.handle({ kind: 'received', connection: 1, bytes }, 2))).toEqual([
      'CONNECTIONLOSS',
    ]);
  });

  test('refused credentials end it: another server would refuse them as well', () => {
    const session = connected({ credentials: { user: 'u', password: 'p' } });
    session.handle({ kind: 'request', id: 5, operation: read }, 1);
    const bytes = packet((writer) => writer.int(-4).long(0n).int(-115));
    const effects = session.handle({ kind: 'received', connection: 1, bytes }, 2);
    expect(effects.at(-1)).toMatchObject({ kind: 'state', state: 'authFailed' });
    expect(session.nextTimerMs()).toBe(Infinity);
  });

  test('a session that the servers ended is followed by a new one', () => {
    const session = connected();
    session.handle({ kind: 'broken', connection: 1, reason: 'reset' }, 1);
    session.handle({ kind: 'opened', connection: 2 }, 2);
    const bytes = new JuteWriter().int(0).int(0).long(0n).buffer(new Uint8Array(16)).frame();
    const effects = session.handle({ kind: 'received', connection: 2, bytes }, 3);
    expect(effects).toMatchObject([
      { kind: 'shut' },
      { kind: 'state', state: 'expired' },
      { kind: 'open', connection: 3 },
    ]);
    const [send] = session.handle({ kind: 'opened', connection: 3 }, 4);
    if (send?.kind !== 'send') throw new Error('no handshake');
    const hello = new JuteReader(send.bytes.subarray(4));
    hello.int();
    hello.long();
    hello.int();
    expect(hello.long()).toBe(0n);
  });

  test('log-in and watches go first on a new connection, then what waited', () => {
    const session = connected({ credentials: { user: 'u', password: 'p' } });
    const operation: Operation = { kind: 'exists', path: '/a', watch: true };
    session.handle({ kind: 'request', id: 1, operation }, 1);
    const noNode = packet((writer) => writer.int(1).long(1n).int(-101));
    session.handle({ kind: 'received', connection: 1, bytes: noNode }, 2);
    session.handle({ kind: 'broken', connection: 1, reason: 'reset' }, 3);
    session.handle({ kind: 'request', id: 2, operation: read }, 4);
    session.handle({ kind: 'opened', connection: 2 }, 5);
    const effects = session.handle({ kind: 'received', connection: 2, bytes: handshake }, 6);
    const xids = effects.flatMap((effect) =>
      effect.kind === 'send' ? [new JuteReader(effect.bytes.subarray(4)).int()] : [],
    );
    expect(xids).toEqual([-4, -8, 2]);
  });
});
