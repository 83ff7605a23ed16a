/**
 * One session machine, its connections and a fake ensemble in virtual time. The seed decides delays, cuts
 * of the byte stream, and faults; the same seed gives the same run.
 */

import { randomBelow, seededRandom, type Random } from '@dcos/base';
import type { Operation } from '../core/zookeeper/operations.ts';
import { ZooKeeperSession } from '../core/zookeeper/session.ts';
import type {
  SessionEffect,
  SessionInput,
  SessionOptions,
} from '../core/zookeeper/session-types.ts';
import { FakeEnsemble, type Output } from './fake-ensemble.ts';

export const SESSION_TIMEOUT_MS = 3_000;
const SERVERS = ['one', 'two', 'three'].map((host) => ({ host, port: 2181 }));
const DELAY_MAX_MS = 40;

type Happening =
  | { readonly to: 'client'; readonly input: SessionInput }
  | { readonly to: 'server'; readonly connection: number; readonly bytes: Uint8Array }
  | { readonly to: 'world'; readonly act: () => void };

export function sessionOptions(
  random: Random,
  given: Partial<SessionOptions> = {},
): SessionOptions {
  return {
    servers: SERVERS,
    credentials: undefined,
    chroot: '/',
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    packetBytesMax: 1 << 20,
    answerBytesMax: 1 << 20,
    requestsMax: 100,
    requestBytesMax: 1 << 20,
    watchesMax: 100,
    random,
    ...given,
  };
}

export class SessionWorld {
  nowMs = 0;
  readonly ensemble = new FakeEnsemble();
  readonly session: ZooKeeperSession;
  readonly log: Exclude<SessionEffect, { kind: 'open' | 'send' | 'shut' }>[] = [];
  /** Called after each step. */
  check: () => void = () => undefined;
  readonly #random: Random;
  readonly #queue: {
    readonly atMs: number;
    readonly order: number;
    readonly happening: Happening;
  }[] = [];
  /** When the last thing on the way in each direction of a connection arrives: nothing overtakes. */
  readonly #arrivesMs = new Map<string, number>();
  readonly #hostOf = new Map<number, string>();
  /** Until when nothing reaches a host, or the client. */
  readonly #frozenUntilMs = new Map<string, number>();
  /** Connections on which everything vanishes. */
  readonly #holes = new Set<number>();
  #connection = 0;
  #order = 0;
  #timerMs = Infinity;

  constructor(seed: number, options: Partial<SessionOptions> = {}) {
    this.#random = seededRandom(seed);
    this.session = new ZooKeeperSession(sessionOptions(this.#random, options));
  }

  start(): void {
    this.#toClient({ kind: 'start' });
  }

  request(id: number, operation: Operation): void {
    this.#toClient({ kind: 'request', id, operation });
  }

  close(): void {
    this.#toClient({ kind: 'close' });
  }

  /** Someone else changes a node. */
  set(path: string): void {
    for (const output of this.ensemble.set(path)) this.#output(output);
  }

  /** The connection breaks, and both sides hear of it. */
  breakConnection(): void {
    this.#lose(this.#connection, 'reset');
  }

  /** Nothing comes through on the connection any more, and nobody says so. */
  swallow(): void {
    this.#holes.add(this.#connection);
  }

  /** A host or `client` does nothing for so long; what arrives meanwhile is handled afterwards. */
  freeze(host: string, forMs: number): void {
    this.#frozenUntilMs.set(host, this.nowMs + forMs);
  }

  /** The host that the client is or was connected to last. */
  host(): string {
    return this.#hostOf.get(this.#connection) ?? 'none';
  }

  at(atMs: number, act: () => void): void {
    this.#push(atMs, { to: 'world', act });
  }

  runUntil(endMs: number): void {
    for (;;) {
      const next = this.#queue[0];
      const clientMs = Math.max(this.#timerMs, this.#frozenUntilMs.get('client') ?? 0);
      if (Math.min(next?.atMs ?? Infinity, clientMs) > endMs) break;
      if (next === undefined || clientMs < next.atMs) {
        this.nowMs = Math.max(this.nowMs, clientMs);
        this.#toClient({ kind: 'timer' });
      } else {
        this.#queue.shift();
        this.nowMs = next.atMs;
        this.#happen(next.happening);
      }
      this.check();
    }
    this.nowMs = endMs;
  }

  #happen(happening: Happening): void {
    switch (happening.to) {
      case 'world':
        return happening.act();
      case 'client':
        return this.#toClient(happening.input);
      case 'server': {
        const { connection, bytes } = happening;
        if (this.#holes.has(connection) || !this.#hostOf.has(connection)) return;
        for (const output of this.ensemble.receive(connection, bytes, this.nowMs)) {
          this.#output(output);
        }
      }
    }
  }

  #toClient(input: SessionInput): void {
    const frozenMs = this.#frozenUntilMs.get('client') ?? 0;
    if (frozenMs > this.nowMs && input.kind !== 'timer') {
      return this.#push(frozenMs, { to: 'client', input });
    }
    for (const effect of this.session.handle(input, this.nowMs)) this.#perform(effect);
    this.#timerMs = this.session.nextTimerMs();
  }

  #perform(effect: SessionEffect): void {
    switch (effect.kind) {
      case 'open': {
        const { connection, server } = effect;
        this.#connection = connection;
        this.#hostOf.set(connection, server.host);
        return this.#arrive(connection, 'client', {
          to: 'client',
          input: { kind: 'opened', connection },
        });
      }
      case 'send':
        return this.#arrive(effect.connection, this.#hostOf.get(effect.connection) ?? '', {
          to: 'server',
          connection: effect.connection,
          bytes: effect.bytes,
        });
      case 'shut':
        this.#hostOf.delete(effect.connection);
        this.ensemble.lost(effect.connection);
        return;
      default:
        this.log.push(effect);
    }
  }

  #output({ connection, bytes, shut }: Output): void {
    if (this.#holes.has(connection)) return;
    if (shut) return this.#lose(connection, 'closed by the server');
    // In pieces, as networks deliver.
    for (let from = 0; from < bytes.length;) {
      const to = from + 1 + randomBelow(this.#random, bytes.length);
      const piece = bytes.slice(from, to);
      const input = { kind: 'received', connection, bytes: piece } as const;
      this.#arrive(connection, 'client', { to: 'client', input });
      from = to;
    }
  }

  #lose(connection: number, reason: string): void {
    this.ensemble.lost(connection);
    this.#holes.add(connection);
    const input = { kind: 'broken', connection, reason } as const;
    this.#arrive(connection, 'client', { to: 'client', input });
  }

  #arrive(connection: number, receiver: string, happening: Happening): void {
    const lane = `${connection} ${happening.to}`;
    const atMs = Math.max(
      this.nowMs + randomBelow(this.#random, DELAY_MAX_MS),
      this.#arrivesMs.get(lane) ?? 0,
      this.#frozenUntilMs.get(receiver) ?? 0,
    );
    this.#arrivesMs.set(lane, atMs);
    this.#push(atMs, happening);
  }

  #push(atMs: number, happening: Happening): void {
    const entry = { atMs, order: this.#order++, happening };
    const index = this.#queue.findIndex((other) => other.atMs > atMs);
    if (index === -1) this.#queue.push(entry);
    else this.#queue.splice(index, 0, entry);
  }
}
