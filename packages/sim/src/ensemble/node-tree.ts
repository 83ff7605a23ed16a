/**
 * What a ZooKeeper server keeps: nodes and sessions, changed by nothing but transactions, each of which has been
 * decided before it comes here. Two trees that saw the same transactions are the same.
 *
 * @see ZooKeeper's DataTree, as far as clients can tell
 */

import { assert } from '@dcos/base';

/** Replaced by another with every change, so that trees may share it. */
export interface TreeNode {
  readonly data: Uint8Array;
  readonly version: number;
  readonly czxid: bigint;
  readonly mzxid: bigint;
  /** The transaction that added or removed a child last. */
  readonly pzxid: bigint;
  /** The session that it goes with; 0 for none. */
  readonly owner: bigint;
  /** Children that it ever had: the number of the next sequential one. */
  readonly everBorn: number;
  readonly children: ReadonlySet<string>;
}

export type NodeChange =
  | {
      readonly kind: 'create';
      readonly path: string;
      readonly data: Uint8Array;
      readonly owner: bigint;
    }
  | { readonly kind: 'set'; readonly path: string; readonly data: Uint8Array }
  | { readonly kind: 'delete'; readonly path: string };

export type TreeChange =
  | NodeChange
  | { readonly kind: 'openSession'; readonly session: bigint; readonly timeoutMs: number }
  | { readonly kind: 'closeSession'; readonly session: bigint };

export interface Transaction {
  readonly zxid: bigint;
  /** Whose wish it was; of a session that ends, the session itself. */
  readonly session: bigint;
  readonly changes: readonly TreeChange[];
  /** Nodes that had to be there. */
  readonly checked: readonly string[];
}

export interface NodeTree {
  readonly nodes: ReadonlyMap<string, TreeNode>;
  /** Sessions that are open, and their time-outs. */
  readonly sessions: ReadonlyMap<bigint, number>;
  /** The last transaction that it saw. */
  readonly zxid: bigint;
  apply(transaction: Transaction): void;
  /** One that goes its own way from here on. */
  copy(): NodeTree;
}

const ROOT: TreeNode = {
  data: new Uint8Array(),
  version: 0,
  czxid: 0n,
  mzxid: 0n,
  pzxid: 0n,
  owner: 0n,
  everBorn: 0,
  children: new Set(),
};

export function createNodeTree(
  nodes: Map<string, TreeNode> = new Map([['/', ROOT]]),
  sessions: Map<bigint, number> = new Map(),
  lastZxid = 0n,
): NodeTree {
  let zxid = lastZxid;

  function node(path: string): TreeNode {
    const found = nodes.get(path);
    assert(found !== undefined, `a transaction needs ${path}`);
    return found;
  }

  function changeChildren(
    path: string,
    change: (children: Set<string>) => void,
    born: number,
  ): void {
    const parentPath = parentOf(path);
    const parent = node(parentPath);
    const children = new Set(parent.children);
    change(children);
    nodes.set(parentPath, { ...parent, children, pzxid: zxid, everBorn: parent.everBorn + born });
  }

  function change(one: TreeChange): void {
    switch (one.kind) {
      case 'create': {
        const { path, data, owner } = one;
        assert(!nodes.has(path), `${path} is made twice`);
        nodes.set(path, { ...ROOT, data, owner, czxid: zxid, mzxid: zxid, pzxid: zxid });
        changeChildren(path, (children) => children.add(nameOf(path)), 1);
        return;
      }
      case 'set': {
        const before = node(one.path);
        const version = before.version + 1;
        nodes.set(one.path, { ...before, data: one.data, version, mzxid: zxid });
        return;
      }
      case 'delete':
        assert(nodes.delete(one.path), `${one.path} is removed twice`);
        changeChildren(one.path, (children) => children.delete(nameOf(one.path)), 0);
        return;
      case 'openSession':
        sessions.set(one.session, one.timeoutMs);
        return;
      case 'closeSession':
        sessions.delete(one.session);
    }
  }

  return {
    nodes,
    sessions,
    get zxid() {
      return zxid;
    },
    apply(transaction) {
      assert(transaction.zxid > zxid, 'transactions come in order');
      zxid = transaction.zxid;
      for (const one of transaction.changes) change(one);
    },
    copy: () => createNodeTree(new Map(nodes), new Map(sessions), zxid),
  };
}

/** The path above. */
export function parentOf(path: string): string {
  const end = path.lastIndexOf('/');
  return end === 0 ? '/' : path.slice(0, end);
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
