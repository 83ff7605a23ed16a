/**
 * A ZooKeeper client: connections and timers around the session's state machine, which decides everything.
 * Requests become promises here, and failures {@link ZooKeeperError}s.
 */

import { OperationError, type Cancel, type Clock, type Logger, type Random } from '@dcos/base';
import {
  ZooKeeperSession,
  type ErrorName,
  type Operation,
  type Reply,
  type ReplyOf,
  type ServerAddress,
  type SessionEffect,
  type SessionInput,
  type SessionState,
  type WatchEvent,
  type ZooKeeperAddress,
} from '../core/zookeeper/index.ts';
import {
  socketTransport,
  type Transport,
  type TransportLink,
  type TransportTls,
} from './transport.ts';

/** Bytes of a packet that servers take by default (`jute.maxbuffer`), as sent: with its length in front. */
export const PACKET_BYTES_MAX = 0xfffff + 4;
/** Bytes of an answer at most: the names of a million nodes. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const REQUESTS_MAX = 100_000;
const REQUEST_BYTES_MAX = 64 * 1024 * 1024;
const WATCHES_MAX = 100_000;

export interface ZooKeeperClientOptions {
  readonly address: ZooKeeperAddress;
  /** Asked for; servers bound it by their own settings, 2 to 20 ticks by default. */
  readonly sessionTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Speak TLS, and trust and show this. */
  readonly tls?: TransportTls | undefined;
  /** How servers are reached; by sockets when absent. */
  readonly transport?: Transport;
}

/** What a server or the session answers instead of a result. `name` of the error stands in `reason`. */
export class ZooKeeperError extends OperationError {
  readonly reason: ErrorName;

  constructor(reason: ErrorName, message: string) {
    super(`ZOOKEEPER_${reason}`, message, { retry: RETRIES.get(reason) ?? 'never' });
    this.reason = reason;
  }
}

const RETRIES: ReadonlyMap<ErrorName, 'now' | 'later'> = new Map([
  ['CONNECTIONLOSS', 'later'],
  ['OPERATIONTIMEOUT', 'later'],
  ['REQUESTTIMEOUT', 'later'],
  ['THROTTLEDOP', 'later'],
  ['QUEUEFULL', 'later'],
  ['SESSIONMOVED', 'now'],
]);

interface Pending {
  readonly operation: Operation;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: ZooKeeperError) => void;
}

export interface ZooKeeperListener {
  readonly onEvent?: (event: WatchEvent) => void;
  readonly onState?: (state: SessionState, reason: string) => void;
}

export class ZooKeeperClient {
  readonly #session: ZooKeeperSession;
  readonly #options: ZooKeeperClientOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<ZooKeeperListener>();
  readonly #ended: Promise<void>;
  #resolveEnded: () => void = () => undefined;
  readonly #transport: Transport;
  #link: { readonly connection: number; readonly link: TransportLink } | undefined;
  readonly #inputs: SessionInput[] = [];
  #cancelTimer: Cancel = () => undefined;
  #timerMs = Infinity;
  #requestId = 0;
  #beganMs = -Infinity;

  constructor(options: ZooKeeperClientOptions) {
    this.#options = options;
    this.#transport = options.transport ?? socketTransport(options.tls);
    this.#session = new ZooKeeperSession({
      servers: options.address.servers,
      credentials: options.address.credentials,
      chroot: options.address.path,
      sessionTimeoutMs: options.sessionTimeoutMs,
      packetBytesMax: PACKET_BYTES_MAX,
      answerBytesMax: ANSWER_BYTES_MAX,
      requestsMax: REQUESTS_MAX,
      requestBytesMax: REQUEST_BYTES_MAX,
      watchesMax: WATCHES_MAX,
      random: options.random,
    });
    this.#ended = new Promise((resolve) => (this.#resolveEnded = resolve));
  }

  /** The number of the session; 0 while there is none. */
  get sessionId(): bigint {
    return this.#session.id;
  }

  /** How long the servers keep the session without hearing of it. */
  get timeoutMs(): number {
    return this.#session.timeoutMs;
  }

  /** Whether what is asked now is sent at once. */
  get isConnected(): boolean {
    return this.#session.isConnected;
  }

  /** When the last connection was opened, over which the session was begun or resumed. */
  get beganMs(): number {
    return this.#beganMs;
  }

  /** Leaves a server that is of no use; the session goes on elsewhere. */
  reconnect(reason: string): void {
    this.#handle({ kind: 'reconnect', reason });
  }

  /** Connects, and stays connected until `close`. Requests may be made at once; they wait. */
  start(): void {
    this.#handle({ kind: 'start' });
  }

  /** Calls back for every watch that fires and every change of the session, in order. */
  listen(listener: ZooKeeperListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Rejects with {@link ZooKeeperError}. After CONNECTIONLOSS it may have been done, or not. */
  async request<O extends Operation>(operation: O): Promise<ReplyOf[O['kind']]> {
    const id = ++this.#requestId;
    const reply = await new Promise<Reply>((resolve, reject) => {
      this.#pending.set(id, { operation, resolve, reject });
      this.#handle({ kind: 'request', id, operation });
    });
    // The session answers each operation with its own kind of reply.
    return reply as ReplyOf[O['kind']];
  }

  /** Ends the session, and with it what is ephemeral. Idempotent. */
  async close(): Promise<void> {
    this.#handle({ kind: 'close' });
    await this.#ended;
  }

  /** Hands an input to the session. Those that listeners cause meanwhile come after its effects. */
  #handle(input: SessionInput): void {
    this.#inputs.push(input);
    if (this.#inputs.length > 1) return;
    for (let next = this.#inputs[0]; next !== undefined; next = this.#inputs[0]) {
      const effects = this.#session.handle(next, this.#options.clock.monotonicMs());
      for (const effect of effects) this.#perform(effect);
      this.#inputs.shift();
    }
    this.#setTimer();
  }

  #setTimer(): void {
    const { clock } = this.#options;
    const dueMs = this.#session.nextTimerMs();
    if (dueMs === this.#timerMs) return;
    this.#cancelTimer();
    this.#timerMs = dueMs;
    if (dueMs === Infinity) return;
    // A whole millisecond at least, since timers may fire a fraction early.
    const afterMs = Math.max(1, Math.ceil(dueMs - clock.monotonicMs()));
    this.#cancelTimer = clock.setTimer(afterMs, () => {
      this.#timerMs = Infinity;
      this.#handle({ kind: 'timer' });
    });
  }

  #perform(effect: SessionEffect): void {
    switch (effect.kind) {
      case 'open':
        return this.#open(effect.connection, effect.server);
      case 'send':
        return this.#send(effect.connection, effect.bytes);
      case 'shut':
        return this.#shut(effect.connection);
      case 'answer': {
        const pending = this.#pending.get(effect.id);
        this.#pending.delete(effect.id);
        if (effect.result.ok) pending?.resolve(effect.result.value);
        else pending?.reject(errorOf(effect.result.error, pending.operation));
        return;
      }
      case 'event':
        for (const { onEvent } of this.#listeners) onEvent?.(effect.event);
        return;
      case 'state':
        this.#options.logger.info(
          { event: `zookeeper.${effect.state}`, reason: effect.reason },
          `ZooKeeper session: ${effect.state}`,
        );
        for (const { onState } of this.#listeners) onState?.(effect.state, effect.reason);
        if (effect.state === 'closed' || effect.state === 'authFailed') this.#resolveEnded();
    }
  }

  #open(connection: number, server: ServerAddress): void {
    const link = this.#transport(server, {
      opened: () => {
        this.#beganMs = this.#options.clock.monotonicMs();
        this.#handle({ kind: 'opened', connection });
      },
      received: (bytes) => this.#handle({ kind: 'received', connection, bytes }),
      broken: (reason) => this.#handle({ kind: 'broken', connection, reason }),
    });
    this.#link = { connection, link };
  }

  #send(connection: number, bytes: Uint8Array): void {
    if (this.#link?.connection === connection) this.#link.link.send(bytes);
  }

  #shut(connection: number): void {
    if (this.#link?.connection !== connection) return;
    this.#link.link.shut();
    this.#link = undefined;
  }
}

function errorOf(reason: ErrorName, operation: Operation): ZooKeeperError {
  const where = 'path' in operation ? ` ${operation.path}` : '';
  return new ZooKeeperError(reason, `ZooKeeper: ${operation.kind}${where}: ${reason}`);
}
