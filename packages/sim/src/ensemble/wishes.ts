/**
 * What a ZooKeeper leader makes of the wish of a client: changes that all servers then apply, or an error. Decided
 * against everything that was proposed before, committed or not.
 *
 * @see ZooKeeper's PrepRequestProcessor, as far as clients can tell
 */

import { err, ok, unreachable, type Result } from '@dcos/base';
import type { ErrorName, MultiOperation } from '@dcos/store/protocol';
import { parentOf, type NodeChange, type NodeTree, type TreeChange } from './node-tree.ts';

const SEQUENCE_DIGITS = 10;

/** Why nothing of some operations was done. */
export interface Refusal {
  readonly index: number;
  readonly error: ErrorName;
}

/** Changes that do all operations, one for each; undefined stands for a check, which changes nothing. */
export function planOperations(
  draft: NodeTree,
  operations: readonly MultiOperation[],
  session: bigint,
): Result<readonly (NodeChange | undefined)[], Refusal> {
  // Each operation sees what those before it did; a copy can be thrown away.
  const tree = draft.copy();
  const changes: (NodeChange | undefined)[] = [];
  for (const [index, operation] of operations.entries()) {
    const planned = plan(tree, operation, session);
    if (!planned.ok) return err({ index, error: planned.error });
    changes.push(planned.value);
    if (planned.value === undefined) continue;
    tree.apply({ zxid: tree.zxid + 1n, session, changes: [planned.value], checked: [] });
  }
  return ok(changes);
}

function plan(
  tree: NodeTree,
  operation: MultiOperation,
  session: bigint,
): Result<NodeChange | undefined, ErrorName> {
  if (operation.kind === 'create') return planCreate(tree, operation, session);
  const node = tree.nodes.get(operation.path);
  if (node === undefined) return err('NONODE');
  const { path, version } = operation;
  if (version !== -1 && version !== node.version) return err('BADVERSION');
  switch (operation.kind) {
    case 'check':
      return ok(undefined);
    case 'setData':
      return ok({ kind: 'set', path, data: operation.data });
    case 'delete':
      return node.children.size > 0 ? err('NOTEMPTY') : ok({ kind: 'delete', path });
    default:
      return unreachable(operation);
  }
}

function planCreate(
  tree: NodeTree,
  { path: wanted, data, mode }: Extract<MultiOperation, { kind: 'create' }>,
  session: bigint,
): Result<NodeChange, ErrorName> {
  const parent = tree.nodes.get(parentOf(wanted));
  if (parent === undefined) return err('NONODE');
  if (parent.owner !== 0n) return err('NOCHILDRENFOREPHEMERALS');
  const isSequential = mode === 'ephemeralSequential' || mode === 'persistentSequential';
  const number = String(parent.everBorn).padStart(SEQUENCE_DIGITS, '0');
  const path = isSequential ? `${wanted}${number}` : wanted;
  if (tree.nodes.has(path)) return err('NODEEXISTS');
  const isEphemeral = mode === 'ephemeral' || mode === 'ephemeralSequential';
  return ok({ kind: 'create', path, data, owner: isEphemeral ? session : 0n });
}

/** The end of a session, and of all nodes that go with it. */
export function planSessionEnd(draft: NodeTree, session: bigint): readonly TreeChange[] {
  const owned = [...draft.nodes].filter(([, { owner }]) => owner === session);
  return [
    ...owned.map(([path]) => ({ kind: 'delete', path }) as const),
    { kind: 'closeSession', session },
  ];
}
