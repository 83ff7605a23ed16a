/**
 * The watches of one connection at a simulated ZooKeeper server. Plain ones fire once; persistent ones stay. They are
 * the connection's: a client sets them again elsewhere, and hears at once what it missed, except through persistent
 * ones.
 *
 * @see ZooKeeper's WatchManager and `DataTree.setWatches`
 */

import { eventFrame, type FiredKind, type WatchedPaths } from './client-packets.ts';
import { parentOf, type TreeChange, type TreeNode } from './node-tree.ts';

type PersistentKind = 'persistent' | 'recursive';

export interface Watches {
  add(kind: PersistentKind, path: string): void;
  /** The watch that a read sets. */
  addOf(read: 'exists' | 'getData' | 'getChildren', path: string, isThere: boolean): void;
  /** Packets for what the changes are news of. */
  fire(changes: readonly TreeChange[]): readonly Uint8Array[];
  /** Sets watches of a client that comes from another server. */
  setAgain(watched: WatchedPaths, nodes: ReadonlyMap<string, TreeNode>): readonly Uint8Array[];
}

export function createWatches(): Watches {
  /** On a node, there or not. */
  const data = new Set<string>();
  const children = new Set<string>();
  const persistent = new Set<string>();
  const recursive = new Set<string>();

  function isWithin(path: string): boolean {
    for (let at = path; ; at = parentOf(at)) {
      if (recursive.has(at)) return true;
      if (at === '/') return false;
    }
  }

  function fireOne(change: TreeChange, tell: (kind: FiredKind, path: string) => void): void {
    if (change.kind !== 'create' && change.kind !== 'set' && change.kind !== 'delete') return;
    const { path } = change;
    const kind = ({ create: 'created', set: 'dataChanged', delete: 'deleted' } as const)[
      change.kind
    ];
    const wasChild = change.kind === 'delete' && children.delete(path);
    if (data.delete(path) || wasChild || persistent.has(path) || isWithin(path)) tell(kind, path);
    if (change.kind === 'set') return;
    const parent = parentOf(path);
    if (children.delete(parent) || persistent.has(parent)) tell('childrenChanged', parent);
  }

  return {
    add: (kind, path) => void (kind === 'recursive' ? recursive : persistent).add(path),
    addOf(read, path, isThere) {
      if (read === 'getChildren') {
        if (isThere) children.add(path);
      } else if (isThere || read === 'exists') data.add(path);
    },
    fire(changes) {
      if (data.size + children.size + persistent.size + recursive.size === 0) return [];
      const events: Uint8Array[] = [];
      for (const change of changes)
        fireOne(change, (kind, path) => events.push(eventFrame(kind, path)));
      return events;
    },
    setAgain(watched, nodes) {
      const events: Uint8Array[] = [];
      const { zxid } = watched;
      for (const path of watched.data) {
        const node = nodes.get(path);
        if (node === undefined) events.push(eventFrame('deleted', path));
        else if (node.mzxid > zxid) events.push(eventFrame('dataChanged', path));
        else data.add(path);
      }
      for (const path of watched.exist) {
        if (nodes.has(path)) events.push(eventFrame('created', path));
        else data.add(path);
      }
      for (const path of watched.children) {
        const node = nodes.get(path);
        if (node === undefined) events.push(eventFrame('deleted', path));
        else if (node.pzxid > zxid) events.push(eventFrame('childrenChanged', path));
        else children.add(path);
      }
      for (const path of watched.persistent) persistent.add(path);
      for (const path of watched.recursive) recursive.add(path);
      return events;
    },
  };
}
