/**
 * Several masters as clients and checkers see them. Clients try any master and are sent on to whom that believes to
 * lead; checkers look at the one that leads in truth, by what the ensemble has agreed on.
 */

import { fromUtf8, type JsonValue } from '@dcos/base';
import { keyOf } from '@dcos/store/protocol';
import type { NodeTree, Transaction } from '../ensemble/node-tree.ts';
import type { MasterProcess } from '../master-process.ts';
import type { AcceptAgent, AgentLink, MasterView } from '../simulated-master.ts';
import type { World } from '../world.ts';
import type { Leading, MasterHost } from './master-host.ts';
import { ZK_PATH } from './zookeeper-access.ts';

/** Redirects that are followed in one attempt. */
const REDIRECTS_MAX = 4;
const STORE_PREFIX = `${ZK_PATH}/store/`;
const CANDIDATE_PREFIX = 'json.info_';

/** What the ensemble has agreed on, in the words of masters. */
export interface AgreedHistory {
  readonly registry: ReadonlyMap<string, JsonValue>;
  /** Takes what the ensemble commits. */
  onCommit(transaction: Transaction): void;
}

export function createAgreedHistory(): AgreedHistory {
  const registry = new Map<string, JsonValue>();
  return {
    registry,
    onCommit({ changes }) {
      for (const change of changes) {
        const key = 'path' in change ? keyOfPath(change.path) : undefined;
        if (key === undefined || !('path' in change)) continue;
        if (change.kind === 'delete') registry.delete(key);
        else registry.set(key, JSON.parse(fromUtf8(change.data) ?? '') as JsonValue);
      }
    },
  };
}

function keyOfPath(path: string): string | undefined {
  return path.startsWith(STORE_PREFIX) ? keyOf(path.slice(STORE_PREFIX.length)) : undefined;
}

export interface TrueLeader {
  /** Its node. */
  readonly path: string;
  readonly epoch: number;
  readonly session: bigint;
}

/** Who leads by what a tree holds, looked up once for each of its states. */
export function createLeaderFinder(tree: () => NodeTree): () => TrueLeader | undefined {
  let known: { readonly zxid: bigint; readonly leader: TrueLeader | undefined } | undefined;
  return () => {
    const { zxid } = tree();
    if (known?.zxid !== zxid) known = { zxid, leader: leaderIn(tree()) };
    return known.leader;
  };
}

/** The candidate that leads: the first. */
function leaderIn(tree: NodeTree): TrueLeader | undefined {
  const names = [...(tree.nodes.get(ZK_PATH)?.children ?? [])].filter((name) =>
    name.startsWith(CANDIDATE_PREFIX),
  );
  const first = names.sort()[0];
  const path = `${ZK_PATH}/${first ?? ''}`;
  const node = tree.nodes.get(path);
  return node && { path, epoch: Number(node.czxid), session: node.owner };
}

export interface MasterGroup extends MasterView {
  readonly touched: () => void;
  /** Whoever listens at that host, or at the one that it sends to. */
  acceptAt(host: MasterHost): AcceptAgent;
  /** Of the leader that an agent's connection ends at. */
  epochOf(link: AgentLink): number;
}

export function createMasterGroup(
  world: World,
  hosts: readonly MasterHost[],
  {
    leaderNow,
    history,
  }: { readonly leaderNow: () => TrueLeader | undefined; readonly history: AgreedHistory },
): MasterGroup {
  const epochs = new WeakMap<AgentLink, number>();
  let changes = 0;

  /** Who leads in truth, and is awake. */
  function leader(): MasterProcess | undefined {
    const epoch = leaderNow()?.epoch;
    for (const host of hosts) {
      const leading = host.leading();
      if (leading !== undefined && leading.epoch === epoch && !host.isFrozen())
        return leading.process;
    }
    return undefined;
  }

  /** The process that answers, after redirects. */
  function answering(first: MasterHost | undefined): Leading | undefined {
    let host = first;
    for (let redirects = 0; redirects <= REDIRECTS_MAX && host !== undefined; redirects++) {
      const leading = host.leading();
      if (leading !== undefined) return leading;
      if (host.isFrozen()) return undefined;
      const known = host.knownLeader();
      host = known === undefined ? undefined : hosts.find((other) => other.id() === known);
    }
    return undefined;
  }

  const any = (): MasterProcess | undefined => answering(world.pick(hosts))?.process;
  return {
    touched: () => void (changes += 1),
    core: () => leader()?.core,
    books: () => leader()?.allocator.snapshot(),
    get changes() {
      return changes;
    },
    registry: () => history.registry,
    acceptAt: (host) => (link) => {
      const leading = answering(host);
      if (leading === undefined) return undefined;
      epochs.set(link, leading.epoch);
      return leading.process.acceptAgent(link);
    },
    epochOf: (link) => epochs.get(link) ?? 0,
    call(call, streamId, caller) {
      const process = any();
      if (process === undefined) caller.reply({ status: 503 });
      else process.call(call, streamId, caller);
    },
    operatorCall(call, reply) {
      const process = any();
      if (process === undefined) reply({ status: 503 });
      else process.operatorCall(call, reply);
    },
    operatorSubscribe: (openStream) => any()?.operatorSubscribe(openStream),
    stateAsTold(link) {
      const process = leader();
      return process?.hasToldAll(link) === true ? process.core.state : undefined;
    },
  };
}
