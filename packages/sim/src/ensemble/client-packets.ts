/**
 * The server's end of ZooKeeper's protocol: reads what clients send, writes what servers answer.
 *
 * @see ZooKeeper's `zookeeper.jute`; operations that our clients never ask for are an error here
 */

import {
  codeOf,
  JuteReader,
  JuteWriter,
  OP,
  XID,
  type CreateMode,
  type ErrorName,
  type MultiOperation,
  type WatchEventKind,
} from '@dcos/store/protocol';
import type { NodeChange, NodeTree, TreeNode } from './node-tree.ts';

/** Paths that a client watches, and wants to watch on. */
export interface WatchedPaths {
  readonly zxid: bigint;
  readonly data: readonly string[];
  readonly exist: readonly string[];
  readonly children: readonly string[];
  readonly persistent: readonly string[];
  readonly recursive: readonly string[];
}

export type ClientRequest =
  | { readonly kind: 'ping' | 'auth' | 'closeSession' }
  | { readonly kind: 'sync'; readonly path: string }
  | {
      readonly kind: 'exists' | 'getData' | 'getChildren';
      readonly path: string;
      readonly watch: boolean;
    }
  | { readonly kind: 'multiRead'; readonly paths: readonly string[] }
  | { readonly kind: 'addWatch'; readonly path: string; readonly recursive: boolean }
  | { readonly kind: 'setWatches'; readonly watched: WatchedPaths }
  | {
      readonly kind: 'write';
      readonly operations: readonly MultiOperation[];
      /** Whether the answer has one result for each. */
      readonly isMulti: boolean;
    };

export interface ClientPacket {
  readonly xid: number;
  readonly request: ClientRequest;
}

export interface Hello {
  readonly lastZxid: bigint;
  readonly timeoutMs: number;
  readonly session: bigint;
}

/** The first packet of a connection. */
export function readHello(bytes: Uint8Array): Hello {
  const reader = new JuteReader(bytes);
  reader.int();
  return { lastZxid: reader.long(), timeoutMs: reader.int(), session: reader.long() };
}

const PASSWORD_BYTES = 16;

/** @param timeoutMs 0 says that the session is over. */
export function helloFrame(timeoutMs: number, session: bigint): Uint8Array {
  const password = new Uint8Array(PASSWORD_BYTES);
  return new JuteWriter().int(0).int(timeoutMs).long(session).buffer(password).bool(false).frame();
}

export function readPacket(bytes: Uint8Array): ClientPacket {
  const reader = new JuteReader(bytes);
  const xid = reader.int();
  return { xid, request: readRequest(reader, reader.int()) };
}

function readRequest(reader: JuteReader, type: number): ClientRequest {
  switch (type) {
    case OP.ping:
      return { kind: 'ping' };
    case OP.auth:
      return { kind: 'auth' };
    case OP.closeSession:
      return { kind: 'closeSession' };
    case OP.sync:
      return { kind: 'sync', path: reader.text() };
    case OP.exists:
      return { kind: 'exists', path: reader.text(), watch: reader.bool() };
    case OP.getData:
      return { kind: 'getData', path: reader.text(), watch: reader.bool() };
    case OP.getChildren:
      return { kind: 'getChildren', path: reader.text(), watch: reader.bool() };
    case OP.addWatch:
      return { kind: 'addWatch', path: reader.text(), recursive: reader.int() === 1 };
    case OP.setWatches:
    case OP.setWatches2:
      return { kind: 'setWatches', watched: readWatched(reader, type === OP.setWatches2) };
    case OP.multiRead:
      return { kind: 'multiRead', paths: readMulti(reader, readPath) };
    case OP.multi:
      return { kind: 'write', operations: readMulti(reader, readOperation), isMulti: true };
    default:
      return { kind: 'write', operations: [readOperation(reader, type)], isMulti: false };
  }
}

function readWatched(reader: JuteReader, hasPersistent: boolean): WatchedPaths {
  const zxid = reader.long();
  const paths = (): readonly string[] => reader.list(() => reader.text());
  return {
    zxid,
    data: paths(),
    exist: paths(),
    children: paths(),
    persistent: hasPersistent ? paths() : [],
    recursive: hasPersistent ? paths() : [],
  };
}

function readPath(reader: JuteReader, type: number): string {
  if (type !== OP.getData) throw new Error(`simulated servers do not read by operation ${type}`);
  const path = reader.text();
  reader.bool();
  return path;
}

function readMulti<T>(
  reader: JuteReader,
  read: (reader: JuteReader, type: number) => T,
): readonly T[] {
  const operations: T[] = [];
  for (;;) {
    const type = reader.int();
    const done = reader.bool();
    reader.int();
    if (done) return operations;
    operations.push(read(reader, type));
  }
}

const MODES: readonly CreateMode[] = [
  'persistent',
  'ephemeral',
  'persistentSequential',
  'ephemeralSequential',
];

function readOperation(reader: JuteReader, type: number): MultiOperation {
  switch (type) {
    case OP.create: {
      const path = reader.text();
      const data = reader.buffer();
      const acl = reader.list(() => ({
        permissions: reader.int(),
        scheme: reader.text(),
        id: reader.text(),
      }));
      const mode = MODES[reader.int()];
      if (mode === undefined) throw new Error('simulated servers do not make such nodes');
      return { kind: 'create', path, data, acl, mode };
    }
    case OP.delete:
      return { kind: 'delete', path: reader.text(), version: reader.int() };
    case OP.setData:
      return {
        kind: 'setData',
        path: reader.text(),
        data: reader.buffer(),
        version: reader.int(),
      };
    case OP.check:
      return { kind: 'check', path: reader.text(), version: reader.int() };
    default:
      throw new Error(`simulated servers do not know operation ${type}`);
  }
}

/** An answer: its number, the last transaction that the server saw, an error or none, and what was asked for. */
export function answerFrame(
  xid: number,
  zxid: bigint,
  error: ErrorName | undefined,
  body: JuteWriter = new JuteWriter(),
): Uint8Array {
  const header = new JuteWriter()
    .int(xid)
    .long(zxid)
    .int(error === undefined ? 0 : codeOf(error));
  const bytes = new Uint8Array(header.length + body.length);
  bytes.set(header.bytes());
  bytes.set(body.bytes(), header.length);
  return new JuteWriter().buffer(bytes).bytes();
}

const EVENT_TYPES: Readonly<Record<Exclude<WatchEventKind, 'watchRemoved'>, number>> = {
  created: 1,
  deleted: 2,
  dataChanged: 3,
  childrenChanged: 4,
};
const STATE_CONNECTED = 3;

export type FiredKind = keyof typeof EVENT_TYPES;

export function eventFrame(kind: FiredKind, path: string): Uint8Array {
  const body = new JuteWriter().int(EVENT_TYPES[kind]).int(STATE_CONNECTED).text(path);
  return answerFrame(XID.event, -1n, undefined, body);
}

/** The results of operations that were done, as the answer has them. */
export function doneBody(
  tree: NodeTree,
  operations: readonly MultiOperation[],
  { changes, isMulti }: { changes: readonly (NodeChange | undefined)[]; isMulti: boolean },
): JuteWriter {
  const writer = new JuteWriter();
  for (const [index, operation] of operations.entries()) {
    const change = changes[index];
    const path = change?.path ?? operation.path;
    const type = operation.kind === 'create' ? OP.create : OP[operation.kind];
    if (isMulti) writer.int(type).bool(false).int(0);
    if (operation.kind === 'create') writer.text(path);
    const node = tree.nodes.get(path);
    if (operation.kind === 'create' || operation.kind === 'setData') writeStat(writer, node);
  }
  return isMulti ? writer.int(-1).bool(true).int(-1) : writer;
}

/** What is at each of some paths, or that nothing is. */
export function multiReadBody(tree: NodeTree, paths: readonly string[]): JuteWriter {
  const writer = new JuteWriter();
  for (const path of paths) {
    const node = tree.nodes.get(path);
    writer.int(node === undefined ? OP.error : OP.getData).bool(false);
    if (node === undefined) writer.int(codeOf('NONODE')).int(codeOf('NONODE'));
    else writeStat(writer.int(0).buffer(node.data), node);
  }
  return writer.int(-1).bool(true).int(-1);
}

/** The results of a multi of which nothing was done. */
export function refusedBody(count: number, failed: number, error: ErrorName): JuteWriter {
  const writer = new JuteWriter();
  for (let index = 0; index < count; index++) {
    const own = index < failed ? 'OK' : index === failed ? error : 'RUNTIMEINCONSISTENCY';
    writer.int(OP.error).bool(false).int(codeOf(own)).int(codeOf(own));
  }
  return writer.int(-1).bool(true).int(-1);
}

/** A node that is gone again by the end of its transaction is shown as one that never changed. */
export function writeStat(writer: JuteWriter, node: TreeNode | undefined): JuteWriter {
  const { czxid = 0n, mzxid = 0n, pzxid = 0n, version = 0, owner = 0n } = node ?? {};
  return writer
    .long(czxid)
    .long(mzxid)
    .long(0n)
    .long(0n)
    .int(version)
    .int(node?.everBorn ?? 0)
    .int(0)
    .long(owner)
    .int(node?.data.length ?? 0)
    .int(node?.children.size ?? 0)
    .long(pzxid);
}
