/**
 * Packets that are no operations: the handshake of a session, headers, watch events, log-in.
 *
 * @see ZooKeeper's `zookeeper.jute`, `proto` module
 */

import { toUtf8 } from '@dcos/base';
import { JuteError, JuteWriter, type JuteReader } from './jute.ts';
import { OP, opCodeOf, writeOperation, type Operation, type PathMapping } from './operations.ts';

/** Request numbers with a meaning of their own. */
export const XID = { event: -1, ping: -2, auth: -4, setWatches: -8 } as const;

/** Bytes of a session's password. */
const PASSWORD_BYTES = 16;

export interface SessionId {
  readonly id: bigint;
  readonly password: Uint8Array;
}

/** What a client without a session shows. */
export const NO_SESSION: SessionId = { id: 0n, password: new Uint8Array(PASSWORD_BYTES) };

/** Who a client is, for nodes whose ACL asks. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface ConnectAnswer {
  /** 0 when the session is over. */
  readonly timeoutMs: number;
  readonly session: SessionId;
}

export type WatchEventKind =
  | 'created'
  | 'deleted'
  | 'dataChanged'
  | 'childrenChanged'
  | 'watchRemoved';

export interface WatchEvent {
  readonly kind: WatchEventKind;
  readonly path: string;
}

/** Paths that are watched, by what is watched there. */
export interface WatchedPaths {
  readonly data: readonly string[];
  readonly exist: readonly string[];
  readonly children: readonly string[];
  readonly persistent: readonly string[];
  readonly recursive: readonly string[];
}

export interface ReplyHeader {
  readonly xid: number;
  readonly zxid: bigint;
  /** 0 for none. */
  readonly errorCode: number;
}

/** The first packet of a connection. `lastZxid` keeps it off servers that know less than the client saw. */
export function connectFrame(lastZxid: bigint, timeoutMs: number, session: SessionId): Uint8Array {
  return new JuteWriter()
    .int(0)
    .long(lastZxid)
    .int(timeoutMs)
    .long(session.id)
    .buffer(session.password)
    .bool(false)
    .frame();
}

/** The server's first packet. Whether it takes writes stands behind it, in some versions, and is not needed. */
export function readConnectAnswer(reader: JuteReader): ConnectAnswer {
  reader.int();
  const timeoutMs = reader.int();
  return { timeoutMs, session: { id: reader.long(), password: reader.buffer() } };
}

export function readReplyHeader(reader: JuteReader): ReplyHeader {
  return { xid: reader.int(), zxid: reader.long(), errorCode: reader.int() };
}

/** The body of a packet with the number {@link XID.event}; undefined for news of the connection itself. */
export function readWatchEvent(reader: JuteReader, paths: PathMapping): WatchEvent | undefined {
  const type = reader.int();
  reader.int();
  const path = reader.text();
  const kind = EVENT_KINDS.get(type);
  if (type === NO_NODE_EVENT) return undefined;
  if (kind === undefined) throw new JuteError(`a watch event of type ${type}`);
  return { kind, path: paths.toClient(path) };
}

const NO_NODE_EVENT = -1;
const EVENT_KINDS: ReadonlyMap<number, WatchEventKind> = new Map([
  [1, 'created'],
  [2, 'deleted'],
  [3, 'dataChanged'],
  [4, 'childrenChanged'],
  [5, 'watchRemoved'],
  [6, 'watchRemoved'],
  [7, 'watchRemoved'],
]);

export function requestFrame(xid: number, operation: Operation, paths: PathMapping): Uint8Array {
  const writer = new JuteWriter().int(xid).int(opCodeOf(operation));
  writeOperation(writer, operation, paths);
  return writer.frame();
}

export function pingFrame(): Uint8Array {
  return new JuteWriter().int(XID.ping).int(OP.ping).frame();
}

export function closeFrame(xid: number): Uint8Array {
  return new JuteWriter().int(xid).int(OP.closeSession).frame();
}

/** Logs in by name and password; the server keeps a digest of them in ACLs. */
export function authFrame({ user, password }: Credentials): Uint8Array {
  return new JuteWriter()
    .int(XID.auth)
    .int(OP.auth)
    .int(0)
    .text('digest')
    .buffer(toUtf8(`${user}:${password}`))
    .frame();
}

/**
 * Sets watches again after a change of server. The server fires at once for what changed since `zxid`, but
 * for persistent watches, which only see what comes after.
 */
export function setWatchesFrame(
  zxid: bigint,
  watched: WatchedPaths,
  paths: PathMapping,
): Uint8Array {
  const withPersistent = watched.persistent.length > 0 || watched.recursive.length > 0;
  const writer = new JuteWriter()
    .int(XID.setWatches)
    .int(withPersistent ? OP.setWatches2 : OP.setWatches)
    .long(zxid);
  const lists = [watched.data, watched.exist, watched.children];
  if (withPersistent) lists.push(watched.persistent, watched.recursive);
  for (const list of lists) writer.list(list, (path) => writer.text(paths.toServer(path)));
  return writer.frame();
}
