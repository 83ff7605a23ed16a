/**
 * ZooKeeper servers of a simulation, as far as a client's session machine can tell: sessions that end when
 * nothing is heard, a tree of nodes that all servers share, watches that fire once, answers in order.
 */

import { JuteReader, JuteWriter, FrameReader } from '../core/zookeeper/jute.ts';
import { OP } from '../core/zookeeper/operations.ts';
import { XID } from '../core/zookeeper/protocol.ts';

interface Session {
  readonly id: bigint;
  readonly password: Uint8Array;
  readonly timeoutMs: number;
  heardMs: number;
  connection: number;
}

interface Connection {
  readonly frames: FrameReader;
  readonly watches: Set<string>;
  session: Session | undefined;
}

/** Bytes for the client of a connection; `shut` when the server closes it behind them. */
export interface Output {
  readonly connection: number;
  readonly bytes: Uint8Array;
  readonly shut: boolean;
}

const PACKET_BYTES_MAX = 1 << 20;
const NO_NODE = -101;

export class FakeEnsemble {
  readonly nodes = new Map<string, { version: number; mzxid: bigint }>();
  /** How often each node was set: every execution counts. */
  readonly executions = new Map<string, number>();
  readonly #sessions = new Map<bigint, Session>();
  readonly #connections = new Map<number, Connection>();
  #zxid = 0n;
  #nextSession = 1n;
  #outputs: Output[] = [];

  /** Whether a session lives at that time, for the servers. */
  hasSession(id: bigint, nowMs: number): boolean {
    this.#endSessions(nowMs);
    return this.#sessions.has(id);
  }

  /** Bytes of a client arrive. */
  receive(connection: number, bytes: Uint8Array, nowMs: number): readonly Output[] {
    this.#endSessions(nowMs);
    this.#outputs = [];
    const state = this.#connections.get(connection) ?? {
      frames: new FrameReader(PACKET_BYTES_MAX),
      watches: new Set(),
      session: undefined,
    };
    this.#connections.set(connection, state);
    state.frames.push(bytes);
    for (let packet = state.frames.next(); packet !== undefined; packet = state.frames.next()) {
      this.#onPacket(connection, state, new JuteReader(packet), nowMs);
    }
    return this.#outputs;
  }

  lost(connection: number): void {
    this.#connections.delete(connection);
  }

  /** Another client sets a node. */
  set(path: string): readonly Output[] {
    this.#outputs = [];
    this.#change(path);
    return this.#outputs;
  }

  #onPacket(connection: number, state: Connection, reader: JuteReader, nowMs: number): void {
    if (state.session === undefined) return this.#onConnect(connection, state, reader, nowMs);
    // The session ended or went to another connection: whatever comes here has no effect.
    const isOwner = this.#sessions.get(state.session.id)?.connection === connection;
    if (!isOwner) return void this.#outputs.push(shut(connection));
    state.session.heardMs = nowMs;
    const xid = reader.int();
    const type = reader.int();
    const answer = (error: number, body = new JuteWriter()): void =>
      this.#answer(connection, { xid, error, body });
    switch (type) {
      case OP.ping:
        return answer(0);
      case OP.closeSession:
        this.#sessions.delete(state.session.id);
        return answer(0);
      case OP.setWatches: {
        const zxid = reader.long();
        const paths = [...reader.list(() => reader.text()), ...reader.list(() => reader.text())];
        for (const path of paths) {
          if ((this.nodes.get(path)?.mzxid ?? 0n) > zxid) this.#fire(connection, path);
          else state.watches.add(path);
        }
        return answer(0);
      }
      case OP.exists: {
        const path = reader.text();
        if (reader.bool()) state.watches.add(path);
        const node = this.nodes.get(path);
        return node === undefined ? answer(NO_NODE) : answer(0, statOf(node));
      }
      case OP.setData: {
        const path = reader.text();
        this.executions.set(path, (this.executions.get(path) ?? 0) + 1);
        return answer(0, statOf(this.#change(path)));
      }
      default:
        throw new Error(`the fake ensemble does not know operation ${type}`);
    }
  }

  #onConnect(connection: number, state: Connection, reader: JuteReader, nowMs: number): void {
    reader.int();
    reader.long();
    const timeoutMs = reader.int();
    const id = reader.long();
    const password = reader.buffer();
    const known = this.#sessions.get(id);
    if (id !== 0n && (known === undefined || known.password[0] !== password[0])) {
      this.#write(connection, connectAnswer(0, 0n, new Uint8Array(16)));
      return void this.#outputs.push(shut(connection));
    }
    const session = known ?? {
      id: this.#nextSession,
      password: new Uint8Array(16).fill(Number(this.#nextSession)),
      timeoutMs,
      heardMs: nowMs,
      connection,
    };
    if (known === undefined) this.#nextSession += 1n;
    this.#sessions.set(session.id, session);
    session.heardMs = nowMs;
    session.connection = connection;
    state.session = session;
    this.#write(connection, connectAnswer(session.timeoutMs, session.id, session.password));
  }

  #change(path: string): { version: number; mzxid: bigint } {
    this.#zxid += 1n;
    const node = { version: (this.nodes.get(path)?.version ?? -1) + 1, mzxid: this.#zxid };
    this.nodes.set(path, node);
    for (const [connection, { watches }] of this.#connections) {
      if (watches.delete(path)) this.#fire(connection, path);
    }
    return node;
  }

  #fire(connection: number, path: string): void {
    const body = new JuteWriter().int(3).int(3).text(path);
    this.#answer(connection, { xid: XID.event, error: 0, body });
  }

  #answer(
    connection: number,
    { xid, error, body }: { xid: number; error: number; body: JuteWriter },
  ): void {
    const header = new JuteWriter()
      .int(xid)
      .long(xid === XID.event ? -1n : this.#zxid)
      .int(error);
    const bytes = Uint8Array.from([...header.bytes(), ...body.bytes()]);
    this.#write(connection, new JuteWriter().buffer(bytes).bytes());
  }

  #write(connection: number, bytes: Uint8Array): void {
    this.#outputs.push({ connection, bytes, shut: false });
  }

  #endSessions(nowMs: number): void {
    for (const { id, heardMs, timeoutMs } of this.#sessions.values()) {
      if (nowMs >= heardMs + timeoutMs) this.#sessions.delete(id);
    }
  }
}

function shut(connection: number): Output {
  return { connection, bytes: new Uint8Array(), shut: true };
}

function connectAnswer(timeoutMs: number, id: bigint, password: Uint8Array): Uint8Array {
  return new JuteWriter().int(0).int(timeoutMs).long(id).buffer(password).bool(false).frame();
}

function statOf({ version, mzxid }: { version: number; mzxid: bigint }): JuteWriter {
  const writer = new JuteWriter().long(1n).long(mzxid).long(0n).long(0n).int(version);
  return writer.int(0).int(0).long(0n).int(0).int(0).long(0n);
}
