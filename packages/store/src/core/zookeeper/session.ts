/**
 * The state machine of a ZooKeeper session: sockets' bytes, requests and instants in, effects out.
 *
 * Invariants:
 * - The session counts as over here before it is over for the servers ({@link Liveness}), unless the one that
 *   answers is cut off from the others: whoever leads by a session asks further.
 * - A request that was sent on a connection that broke fails with CONNECTIONLOSS, whatever it was: only the
 *   caller knows whether it may be done twice. One that was not sent yet waits for the next connection, and
 *   fails with OPERATIONTIMEOUT or SESSIONEXPIRED when that takes too long: it was not done.
 * - Requests are sent, and answers taken, in the order in which they came.
 * - After a change of server the watches are set again before any further request.
 * - Every queue has a bound.
 *
 * @see ZooKeeper programmer's guide, "ZooKeeper Sessions"; time-outs as its Java client has them
 */

import { assert, type Result } from '@dcos/base';
import { errorName, type ErrorName } from './errors.ts';
import { FrameReader, JuteError, JuteReader } from './jute.ts';
import { Liveness } from './liveness.ts';
import { readReply, type Operation, type PathMapping, type Reply } from './operations.ts';
import { chrooted, type ServerAddress } from './paths.ts';
import * as protocol from './protocol.ts';
import { RequestQueue, type Request } from './request-queue.ts';
import { ServerList } from './server-list.ts';
import type { SessionEffect, SessionInput, SessionOptions, SessionState } from './session-types.ts';
import { WatchTable } from './watch-table.ts';

/** Part of the time-out that the servers have to confirm the end of a session. */
const CLOSE_PART = 1 / 3;
/** Watched paths in one packet; paths are far shorter than the packets that servers take. */
const WATCHES_PER_PACKET = 1_000;
const XID_MAX = 2 ** 31 - 1;

type Phase = 'waiting' | 'opening' | 'handshake' | 'connected' | 'closing' | 'ended';

export class ZooKeeperSession {
  readonly #options: SessionOptions;
  readonly #paths: PathMapping;
  readonly #servers: ServerList;
  readonly #requests = new RequestQueue();
  readonly #watches = new WatchTable();
  #effects: SessionEffect[] = [];
  #phase: Phase = 'waiting';
  #session = protocol.NO_SESSION;
  readonly #liveness: Liveness;
  #lastZxid = 0n;
  #xid = 0;
  #connection = 0;
  #frames: FrameReader;
  #server: ServerAddress | undefined;
  /** When the phase ends by itself; only in those that have an end. */
  #phaseEndsMs = Infinity;
  #closeXid: number | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#paths = chrooted(options.chroot);
    this.#servers = new ServerList(options.servers, options.random);
    this.#liveness = new Liveness(options.sessionTimeoutMs);
    this.#frames = new FrameReader(options.answerBytesMax);
  }

  /** The session's number; 0 for none. */
  get id(): bigint {
    return this.#session.id;
  }

  /** How long the servers keep it without hearing of it. */
  get timeoutMs(): number {
    return this.#liveness.timeoutMs;
  }

  /** Whether a server has taken the session up, and answers it. */
  get isConnected(): boolean {
    return this.#phase === 'connected';
  }

  /**
   * Whether no server may have ended the session yet, as long as the one that answers here has the others with it.
   * Whoever must be certain needs a {@link LeaseProof}.
   */
  isAliveAt(nowMs: number): boolean {
    return this.#session.id !== 0n && nowMs < this.#liveness.expiresMs();
  }

  /** When `timer` is due; infinite for never. */
  nextTimerMs(): number {
    const alive = this.#session.id === 0n ? Infinity : this.#liveness.expiresMs();
    return Math.min(alive, this.#phaseEndsMs, this.#waitingEndsMs(), this.#connectedEndsMs());
  }

  handle(input: SessionInput, nowMs: number): readonly SessionEffect[] {
    this.#effects = [];
    this.#expireWhenDue(nowMs);
    switch (input.kind) {
      case 'start':
        this.#open(nowMs);
        break;
      case 'opened':
        if (this.#isCurrent(input.connection)) this.#onOpened(nowMs);
        break;
      case 'received':
        if (this.#isCurrent(input.connection)) this.#onReceived(input.bytes, nowMs);
        break;
      case 'broken':
        if (this.#isCurrent(input.connection)) this.#onBroken(input.reason, nowMs);
        break;
      case 'request':
        this.#onRequest(input.id, input.operation, nowMs);
        break;
      case 'timer':
        this.#onTimer(nowMs);
        break;
      case 'reconnect':
        if (this.#phase === 'connected') this.#drop(input.reason, nowMs);
        break;
      case 'close':
        this.#onClose(nowMs);
        break;
    }
    return this.#effects;
  }

  #isCurrent(connection: number): boolean {
    return connection === this.#connection && this.#phase !== 'waiting' && this.#phase !== 'ended';
  }

  // Connections

  #open(nowMs: number): void {
    this.#connection += 1;
    this.#frames = new FrameReader(this.#options.answerBytesMax);
    this.#server = this.#servers.next();
    this.#phase = 'opening';
    this.#phaseEndsMs = nowMs + this.#liveness.timeoutMs / this.#servers.count;
    this.#effects.push({ kind: 'open', connection: this.#connection, server: this.#server });
  }

  #onOpened(nowMs: number): void {
    if (this.#phase !== 'opening') return;
    this.#phase = 'handshake';
    const { sessionTimeoutMs } = this.#options;
    this.#send(protocol.connectFrame(this.#lastZxid, sessionTimeoutMs, this.#session), nowMs);
  }

  #onHandshake(reader: JuteReader, nowMs: number): void {
    const { timeoutMs, session } = protocol.readConnectAnswer(reader);
    if (timeoutMs <= 0) {
      this.#effects.push({ kind: 'shut', connection: this.#connection });
      if (this.#session.id === 0n) return this.#retry(nowMs);
      this.#expire('the server says that the session is over');
      return this.#open(nowMs);
    }
    this.#session = session;
    this.#liveness.begin(timeoutMs);
    this.#phase = 'connected';
    this.#phaseEndsMs = Infinity;
    this.#servers.worked();
    const { credentials } = this.#options;
    if (credentials !== undefined) this.#send(protocol.authFrame(credentials), nowMs);
    for (const watched of this.#watches.batches(WATCHES_PER_PACKET)) {
      this.#send(protocol.setWatchesFrame(this.#lastZxid, watched, this.#paths), nowMs);
    }
    this.#state('connected', `server ${this.#serverName()}`);
    this.#sendWaiting(nowMs);
  }

  /** The connection is of no use; the session may well be. */
  #drop(reason: string, nowMs: number): void {
    this.#effects.push({ kind: 'shut', connection: this.#connection });
    this.#onBroken(reason, nowMs);
  }

  #onBroken(reason: string, nowMs: number): void {
    if (this.#phase === 'closing') return this.#end('closed', reason);
    const wasConnected = this.#phase === 'connected';
    this.#fail(this.#requests.takeSent(), 'CONNECTIONLOSS');
    if (wasConnected) this.#state('suspended', `server ${this.#serverName()}: ${reason}`);
    this.#retry(nowMs);
  }

  #retry(nowMs: number): void {
    this.#phase = 'waiting';
    this.#phaseEndsMs = nowMs + this.#servers.failed();
    if (this.#phaseEndsMs <= nowMs) this.#open(nowMs);
  }

  #serverName(): string {
    return this.#server === undefined ? 'none' : `${this.#server.host}:${this.#server.port}`;
  }

  // Packets

  #onReceived(bytes: Uint8Array, nowMs: number): void {
    this.#frames.push(bytes);
    const connection = this.#connection;
    try {
      // What one packet causes may end the connection; those behind it are of no interest then.
      while (this.#isCurrent(connection)) {
        const packet = this.#frames.next();
        if (packet === undefined) return;
        this.#liveness.received(nowMs);
        this.#onPacket(new JuteReader(packet), nowMs);
      }
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      if (this.#isCurrent(connection)) this.#drop(`not understood: ${error.message}`, nowMs);
    }
  }

  #onPacket(reader: JuteReader, nowMs: number): void {
    if (this.#phase === 'handshake') return this.#onHandshake(reader, nowMs);
    if (this.#phase === 'opening') throw new JuteError('a packet before the handshake');
    const { xid, zxid, errorCode } = protocol.readReplyHeader(reader);
    if (zxid > this.#lastZxid) this.#lastZxid = zxid;
    switch (xid) {
      case protocol.XID.ping:
        return this.#liveness.pingAnswered();
      case protocol.XID.event:
        return this.#onEvent(reader);
      case protocol.XID.auth:
        if (errorCode !== 0) this.#end('authFailed', 'the server refuses the credentials');
        return;
      case protocol.XID.setWatches:
        if (errorCode !== 0) this.#drop(`watches: ${errorName(errorCode)}`, nowMs);
        return;
      case this.#closeXid:
        return this.#end('closed', 'the server closed the session');
      default:
        return this.#onAnswer(xid, errorCode, reader);
    }
  }

  #onAnswer(xid: number, errorCode: number, reader: JuteReader): void {
    const { id, operation, sentMs } = this.#requests.answered(xid);
    const error = errorCode === 0 ? undefined : errorName(errorCode);
    let result: Result<Reply, ErrorName>;
    try {
      result =
        error === undefined
          ? { ok: true, value: readReply(reader, operation, this.#paths) }
          : { ok: false, error };
    } catch (failure) {
      // It was answered, in a way that says nothing: done or not, who knows.
      this.#effects.push({ kind: 'answer', id, result: { ok: false, error: 'CONNECTIONLOSS' } });
      throw failure;
    }
    this.#liveness.answered(sentMs);
    this.#watches.answered(operation, error);
    this.#effects.push({ kind: 'answer', id, result });
  }

  #onEvent(reader: JuteReader): void {
    const event = protocol.readWatchEvent(reader, this.#paths);
    if (event === undefined) return;
    this.#watches.fired(event);
    this.#effects.push({ kind: 'event', event });
  }

  // Requests

  #onRequest(id: number, operation: Operation, nowMs: number): void {
    const { packetBytesMax, requestBytesMax, requestsMax, watchesMax } = this.#options;
    const refuse = (error: ErrorName): void => {
      this.#effects.push({ kind: 'answer', id, result: { ok: false, error } });
    };
    if (this.#phase === 'closing' || this.#phase === 'ended') return refuse('CLOSED');
    if (this.#requests.size >= requestsMax) return refuse('QUEUEFULL');
    const setsWatch = operation.kind === 'addWatch' || ('watch' in operation && operation.watch);
    if (setsWatch && this.#watches.size >= watchesMax) return refuse('QUEUEFULL');
    const xid = (this.#xid % XID_MAX) + 1;
    const frame = protocol.requestFrame(xid, operation, this.#paths);
    if (frame.length > packetBytesMax) return refuse('PACKETTOOLARGE');
    if (this.#requests.bytes + frame.length > requestBytesMax) return refuse('QUEUEFULL');
    this.#xid = xid;
    this.#requests.push({ id, xid, operation, frame, submittedMs: nowMs });
    if (this.#phase === 'connected') this.#sendWaiting(nowMs);
  }

  #sendWaiting(nowMs: number): void {
    for (const { frame } of this.#requests.send(nowMs)) this.#send(frame, nowMs);
  }

  #send(bytes: Uint8Array, nowMs: number): void {
    this.#liveness.sent(nowMs);
    this.#effects.push({ kind: 'send', connection: this.#connection, bytes });
  }

  #fail(requests: readonly Request[], error: ErrorName): void {
    for (const { id } of requests) {
      this.#effects.push({ kind: 'answer', id, result: { ok: false, error } });
    }
  }

  // Time

  #onTimer(nowMs: number): void {
    if (this.#phase === 'ended') return;
    const { timeoutMs } = this.#liveness;
    const late = this.#requests.takeWaiting((sinceMs) => nowMs >= sinceMs + timeoutMs);
    this.#fail(late, 'OPERATIONTIMEOUT');
    if (nowMs >= this.#phaseEndsMs) {
      if (this.#phase === 'waiting') this.#open(nowMs);
      else this.#drop('no answer', nowMs);
      return;
    }
    if (this.#phase !== 'connected') return;
    if (nowMs >= this.#liveness.readEndsMs()) return this.#drop('silent for too long', nowMs);
    if (nowMs >= this.#liveness.pingDueMs()) {
      this.#liveness.pingSent(nowMs);
      this.#send(protocol.pingFrame(), nowMs);
    }
  }

  #waitingEndsMs(): number {
    const sinceMs = this.#requests.waitingSinceMs;
    return sinceMs === undefined ? Infinity : sinceMs + this.#liveness.timeoutMs;
  }

  #connectedEndsMs(): number {
    return this.#phase === 'connected'
      ? Math.min(this.#liveness.readEndsMs(), this.#liveness.pingDueMs())
      : Infinity;
  }

  #expireWhenDue(nowMs: number): void {
    if (this.#session.id === 0n || this.isAliveAt(nowMs) || this.#phase === 'ended') return;
    if (this.#phase === 'closing') return this.#end('closed', 'the session is over');
    // Requests fail before the session does: what was sent may have been done.
    if (this.#phase === 'connected') this.#drop('silent for too long', nowMs);
    this.#expire('no server answered in time');
    // An attempt under way would offer the old session.
    if (this.#phase === 'handshake') this.#drop('the session is over', nowMs);
  }

  #expire(reason: string): void {
    assert(this.#session.id !== 0n, 'a session ends once');
    this.#session = protocol.NO_SESSION;
    this.#liveness.reset(this.#options.sessionTimeoutMs);
    this.#watches.clear();
    this.#fail(this.#requests.takeWaiting(), 'SESSIONEXPIRED');
    this.#state('expired', reason);
  }

  // The end

  #onClose(nowMs: number): void {
    if (this.#phase === 'closing' || this.#phase === 'ended') return;
    this.#fail(this.#requests.takeWaiting(), 'CLOSED');
    if (this.#phase !== 'connected') {
      this.#effects.push({ kind: 'shut', connection: this.#connection });
      return this.#end('closed', 'closed while not connected');
    }
    this.#phase = 'closing';
    this.#phaseEndsMs = nowMs + this.#liveness.timeoutMs * CLOSE_PART;
    this.#closeXid = (this.#xid % XID_MAX) + 1;
    this.#send(protocol.closeFrame(this.#closeXid), nowMs);
  }

  #end(state: 'closed' | 'authFailed', reason: string): void {
    this.#effects.push({ kind: 'shut', connection: this.#connection });
    this.#fail(this.#requests.takeSent(), 'CONNECTIONLOSS');
    this.#fail(this.#requests.takeWaiting(), state === 'closed' ? 'CLOSED' : 'AUTHFAILED');
    this.#phase = 'ended';
    this.#phaseEndsMs = Infinity;
    this.#session = protocol.NO_SESSION;
    this.#watches.clear();
    this.#state(state, reason);
  }

  #state(state: SessionState, reason: string): void {
    this.#effects.push({ kind: 'state', state, reason });
  }
}
