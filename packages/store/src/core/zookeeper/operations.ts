/**
 * The operations of ZooKeeper's protocol as data: what a client may ask, how it is written, and what comes
 * back. `create2` stands for `create` as well, since it answers more; servers have it from 3.5 on.
 *
 * @see ZooKeeper's `ZooDefs.OpCode` and `zookeeper.jute`
 */

import { unreachable } from '@dcos/base';
import { errorName, type ErrorName } from './errors.ts';
import { JuteError, type JuteReader, type JuteWriter } from './jute.ts';

/** Numbers of the operations on the wire. */
export const OP = {
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getAcl: 6,
  setAcl: 7,
  sync: 9,
  ping: 11,
  getChildren: 12,
  check: 13,
  multi: 14,
  create: 15,
  createContainer: 19,
  createTtl: 21,
  multiRead: 22,
  auth: 100,
  setWatches: 101,
  setWatches2: 105,
  addWatch: 106,
  closeSession: -11,
  error: -1,
} as const;

const OP_PLAIN_CREATE = 1;

/** Operations of one `multi` at most. */
export const MULTI_OPERATIONS_MAX = 20_000;

export const PERMISSION = { read: 1, write: 2, create: 4, delete: 8, admin: 16, all: 31 } as const;

export interface Acl {
  /** Bits of {@link PERMISSION}. */
  readonly permissions: number;
  readonly scheme: string;
  readonly id: string;
}

export interface Stat {
  readonly czxid: bigint;
  readonly mzxid: bigint;
  readonly ctimeMs: bigint;
  readonly mtimeMs: bigint;
  readonly version: number;
  readonly childrenVersion: number;
  readonly aclVersion: number;
  /** The session that the node goes with; 0 for a lasting one. */
  readonly ephemeralOwner: bigint;
  readonly dataBytes: number;
  readonly childrenCount: number;
  readonly pzxid: bigint;
}

const CREATE_MODES = {
  persistent: 0,
  ephemeral: 1,
  persistentSequential: 2,
  ephemeralSequential: 3,
  container: 4,
  persistentTtl: 5,
  persistentSequentialTtl: 6,
} as const;

export type CreateMode = keyof typeof CREATE_MODES;

interface Create {
  readonly kind: 'create';
  readonly path: string;
  readonly data: Uint8Array;
  readonly acl: readonly Acl[];
  readonly mode: CreateMode;
  /** Of the two modes with a time to live: how long the node stays without children and changes. */
  readonly ttlMs?: number;
}

interface Delete {
  readonly kind: 'delete';
  readonly path: string;
  /** The version that the node must have; -1 for any. The same in all other operations. */
  readonly version: number;
}

interface SetData {
  readonly kind: 'setData';
  readonly path: string;
  readonly data: Uint8Array;
  readonly version: number;
}

interface Check {
  readonly kind: 'check';
  readonly path: string;
  readonly version: number;
}

export type MultiOperation = Create | Delete | SetData | Check;

export type Operation =
  | Create
  | Delete
  | SetData
  | { readonly kind: 'exists'; readonly path: string; readonly watch: boolean }
  | { readonly kind: 'getData'; readonly path: string; readonly watch: boolean }
  | { readonly kind: 'getChildren'; readonly path: string; readonly watch: boolean }
  | { readonly kind: 'getAcl'; readonly path: string }
  | {
      readonly kind: 'setAcl';
      readonly path: string;
      readonly acl: readonly Acl[];
      /** The version that the ACL must have; -1 for any. */
      readonly version: number;
    }
  | { readonly kind: 'sync'; readonly path: string }
  | { readonly kind: 'multi'; readonly operations: readonly MultiOperation[] }
  /** `getData` of many nodes in one packet; servers have it from 3.6 on. */
  | { readonly kind: 'multiRead'; readonly paths: readonly string[] }
  /** A watch that stays after it fired; a recursive one sees the whole tree below the path. */
  | { readonly kind: 'addWatch'; readonly path: string; readonly recursive: boolean };

export type MultiResult =
  | { readonly kind: 'created'; readonly path: string }
  | { readonly kind: 'set'; readonly stat: Stat }
  | { readonly kind: 'done' }
  | { readonly kind: 'error'; readonly error: ErrorName };

/** One that failed says nothing about the others. */
export type MultiReadResult =
  | { readonly kind: 'data'; readonly data: Uint8Array; readonly stat: Stat }
  | { readonly kind: 'error'; readonly error: ErrorName };

/** What each operation is answered with. */
export interface ReplyOf {
  readonly create: { readonly path: string; readonly stat: Stat };
  readonly delete: null;
  readonly setData: Stat;
  readonly exists: Stat;
  readonly getData: { readonly data: Uint8Array; readonly stat: Stat };
  readonly getChildren: { readonly children: readonly string[]; readonly stat: Stat };
  readonly getAcl: { readonly acl: readonly Acl[]; readonly stat: Stat };
  readonly setAcl: Stat;
  readonly sync: { readonly path: string };
  /** One result for each operation. When one failed, none was done: {@link failedOperation}. */
  readonly multi: readonly MultiResult[];
  /** One result for each path, in their order. */
  readonly multiRead: readonly MultiReadResult[];
  readonly addWatch: null;
}

export type Reply = ReplyOf[keyof ReplyOf];

/** How paths of a client turn into those of the server, and back. */
export interface PathMapping {
  readonly toServer: (path: string) => string;
  /** Throws {@link JuteError} for a path that lies outside. */
  readonly toClient: (path: string) => string;
}

/** The number of an operation on the wire. */
export function opCodeOf(operation: Operation | MultiOperation): number {
  if (operation.kind !== 'create') return OP[operation.kind];
  if (operation.mode === 'container') return OP.createContainer;
  return operation.ttlMs === undefined ? OP.create : OP.createTtl;
}

/** Writes an operation's record behind its header. */
export function writeOperation(
  writer: JuteWriter,
  operation: Operation | MultiOperation,
  paths: PathMapping,
): void {
  const { toServer } = paths;
  switch (operation.kind) {
    case 'create': {
      writer.text(toServer(operation.path)).buffer(operation.data);
      writeAcl(writer, operation.acl).int(CREATE_MODES[operation.mode]);
      if (operation.ttlMs !== undefined) writer.long(BigInt(operation.ttlMs));
      return;
    }
    case 'setData':
      writer.text(toServer(operation.path)).buffer(operation.data).int(operation.version);
      return;
    case 'delete':
    case 'check':
      writer.text(toServer(operation.path)).int(operation.version);
      return;
    case 'exists':
    case 'getData':
    case 'getChildren':
      writer.text(toServer(operation.path)).bool(operation.watch);
      return;
    case 'getAcl':
    case 'sync':
      writer.text(toServer(operation.path));
      return;
    case 'setAcl':
      writeAcl(writer.text(toServer(operation.path)), operation.acl).int(operation.version);
      return;
    case 'addWatch':
      writer.text(toServer(operation.path)).int(operation.recursive ? 1 : 0);
      return;
    case 'multi':
      for (const part of operation.operations) {
        writer.int(opCodeOf(part)).bool(false).int(-1);
        writeOperation(writer, part, paths);
      }
      writer.int(-1).bool(true).int(-1);
      return;
    case 'multiRead':
      for (const path of operation.paths) {
        writer.int(OP.getData).bool(false).int(-1).text(toServer(path)).bool(false);
      }
      writer.int(-1).bool(true).int(-1);
      return;
    default:
      unreachable(operation);
  }
}

/** Reads the answer to an operation that did not fail. Throws {@link JuteError}. */
export function readReply(reader: JuteReader, operation: Operation, paths: PathMapping): Reply {
  switch (operation.kind) {
    case 'create':
      return { path: paths.toClient(reader.text()), stat: readStat(reader) };
    case 'setData':
    case 'exists':
    case 'setAcl':
      return readStat(reader);
    case 'getData':
      return { data: reader.buffer(), stat: readStat(reader) };
    case 'getChildren':
      return { children: reader.list(() => reader.text()), stat: readStat(reader) };
    case 'getAcl':
      return { acl: readAcl(reader), stat: readStat(reader) };
    case 'sync':
      return { path: paths.toClient(reader.text()) };
    case 'multi':
      return readResults(reader, (type) => readMultiResult(reader, type, paths));
    case 'multiRead':
      return readResults(reader, (type) => readMultiReadResult(reader, type));
    case 'delete':
    case 'addWatch':
      return null;
    default:
      return unreachable(operation);
  }
}

/** Why nothing of a `multi` was done: the operation that failed; undefined when all was done. */
export function failedOperation(
  results: readonly MultiResult[],
): { readonly index: number; readonly error: ErrorName } | undefined {
  // Those before it answer OK, those behind it that another one failed.
  for (const [index, result] of results.entries()) {
    if (result.kind === 'error' && !FOLLOWING.has(result.error)) {
      return { index, error: result.error };
    }
  }
  const index = results.findIndex(({ kind }) => kind === 'error');
  return index === -1 ? undefined : { index, error: 'RUNTIMEINCONSISTENCY' };
}

const FOLLOWING: ReadonlySet<ErrorName> = new Set(['RUNTIMEINCONSISTENCY', 'OK']);

function readResults<T>(reader: JuteReader, read: (type: number) => T): readonly T[] {
  const results: T[] = [];
  for (;;) {
    const type = reader.int();
    const done = reader.bool();
    reader.int();
    if (done) return results;
    if (results.length >= MULTI_OPERATIONS_MAX) throw new JuteError('a multi without end');
    results.push(read(type));
  }
}

function readMultiResult(reader: JuteReader, type: number, paths: PathMapping): MultiResult {
  switch (type) {
    // Servers up to 3.8 answer every creation in a multi as the first of its kind: without what is known of it.
    case OP_PLAIN_CREATE:
      return { kind: 'created', path: paths.toClient(reader.text()) };
    case OP.create:
    case OP.createContainer:
    case OP.createTtl: {
      const path = paths.toClient(reader.text());
      readStat(reader);
      return { kind: 'created', path };
    }
    case OP.setData:
      return { kind: 'set', stat: readStat(reader) };
    case OP.delete:
    case OP.check:
      return { kind: 'done' };
    case OP.error:
      return { kind: 'error', error: errorName(reader.int()) };
    default:
      throw new JuteError(`a result of operation ${type} in a multi`);
  }
}

function readMultiReadResult(reader: JuteReader, type: number): MultiReadResult {
  if (type === OP.getData) return { kind: 'data', data: reader.buffer(), stat: readStat(reader) };
  if (type === OP.error) return { kind: 'error', error: errorName(reader.int()) };
  throw new JuteError(`a result of operation ${type} in a multiRead`);
}

function writeAcl(writer: JuteWriter, acl: readonly Acl[]): JuteWriter {
  return writer.list(acl, ({ permissions, scheme, id }) => {
    writer.int(permissions).text(scheme).text(id);
  });
}

function readAcl(reader: JuteReader): readonly Acl[] {
  return reader.list(() => ({
    permissions: reader.int(),
    scheme: reader.text(),
    id: reader.text(),
  }));
}

function readStat(reader: JuteReader): Stat {
  return {
    czxid: reader.long(),
    mzxid: reader.long(),
    ctimeMs: reader.long(),
    mtimeMs: reader.long(),
    version: reader.int(),
    childrenVersion: reader.int(),
    aclVersion: reader.int(),
    ephemeralOwner: reader.long(),
    dataBytes: reader.int(),
    childrenCount: reader.int(),
    pzxid: reader.long(),
  };
}
