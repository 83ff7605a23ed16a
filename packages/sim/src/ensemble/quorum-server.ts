/**
 * One server of a simulated ensemble: a log that outlives it, a tree of what is committed of it, and its part in the
 * agreement with the others. A leader proposes; what a majority has in its log is committed; followers forward
 * what they cannot decide. Whoever hears nothing for too long sends its clients away and looks for a leader.
 *
 * Sessions are the leader's business: it learns with the answers to its pings who was heard, so what a follower
 * heard just before it was cut off is never known to it.
 *
 * @see ZooKeeper's Zab, Leader, Follower and SessionTracker, as far as clients can tell
 */

import { assert } from '@dcos/base';
import type { Connection, Side } from '../connection.ts';
import type { World } from '../world.ts';
import { createClientDesk, type ClientDesk } from './client-desk.ts';
import { createNodeTree, type NodeTree, type TreeChange } from './node-tree.ts';
import type { Outcome, Proposal, ToFollower, ToLeader, Wish } from './proposals.ts';
import { planOperations, planSessionEnd } from './wishes.ts';

export type ServerLink = Connection<ToLeader, ToFollower>;

/** ZooKeeper's tickTime; sessions last two of them at least. */
export const TICK_MS = 2_000;
const SESSION_TICKS_MIN = 2;
const SESSION_TICKS_MAX = 20;

export type ServerState = 'down' | 'looking' | 'following' | 'leading';

interface Follower {
  readonly name: string;
  readonly link: ServerLink;
  heardAt: number;
  /** Entries in its log. */
  logged: number;
}

interface Term {
  readonly epoch: bigint;
  /** What will be when all is committed that was proposed. */
  readonly draft: NodeTree;
  readonly followers: Map<string, Follower>;
  readonly sessions: Map<bigint, { expiresAt: number; owner: string | undefined }>;
  counter: bigint;
}

interface Proposed {
  readonly session: bigint;
  readonly changes: readonly TreeChange[];
  readonly wish: Wish | undefined;
  readonly planned?: Proposal['planned'];
}

export interface QuorumServerOptions {
  readonly name: string;
  /** Servers that make a majority. */
  readonly majority: number;
  /** Ticks of silence after which another server is given up. */
  readonly syncLimit: number;
  /** Numbers wishes and sessions; never the same twice. */
  readonly nextNumber: () => number;
  /** The server has applied the entry with that index; others may have before. */
  readonly committed: (index: number, proposal: Proposal) => void;
}

export interface QuorumServer {
  readonly name: string;
  readonly desk: ClientDesk;
  readonly state: ServerState;
  /** Of its log: the last entry's number; decides who may lead. */
  readonly lastZxid: bigint;
  readonly epoch: bigint;
  /** The log, in which others replace what they have. */
  log(): readonly Proposal[];
  lead(epoch: bigint): void;
  /** Takes a follower; its side of the connection is returned by `follow`. */
  take(name: string, link: ServerLink): Side<ToLeader>;
  follow(link: ServerLink, log: readonly Proposal[]): Side<ToFollower>;
  /** Time passes: half a tick. */
  pulse(): void;
  crash(): void;
  restart(): void;
}

export function createQuorumServer(world: World, options: QuorumServerOptions): QuorumServer {
  const { name, majority } = options;
  const patienceMs = options.syncLimit * TICK_MS;
  const tree = createNodeTree();
  let state: ServerState = 'looking';
  let log: Proposal[] = [];
  let applied = 0;
  let term: Term | undefined;
  let leader: { readonly link: ServerLink; heardAt: number } | undefined;
  let touched = new Set<bigint>();

  const desk = createClientDesk({
    name,
    tree: () => tree,
    isServing: () => state === 'following' || state === 'leading',
    forward: (wish) => {
      if (term !== undefined) decide(term, wish);
      else leader?.link.sendToLeft({ kind: 'wish', wish });
    },
    touched: (session) => {
      if (term !== undefined) touch(term, session);
      else touched.add(session);
    },
    nextNumber: options.nextNumber,
  });

  function lookAgain(next: 'looking' | 'down'): void {
    state = next;
    const links = [...(term?.followers.values() ?? [])].map(({ link }) => link);
    if (leader !== undefined) links.push(leader.link);
    term = undefined;
    leader = undefined;
    touched = new Set();
    for (const link of links) link.break();
    desk.closeAll();
  }

  function apply(count: number): void {
    while (applied < count) {
      const proposal = log[applied];
      assert(proposal !== undefined, 'what is committed is in the log');
      tree.apply(proposal.transaction);
      options.committed(applied, proposal);
      applied += 1;
      desk.applied(proposal);
    }
  }

  // As leader

  function propose(to: Term, { session, changes, wish, planned = [] }: Proposed): void {
    const zxid = (to.epoch << 32n) | (to.counter += 1n);
    const operations = wish?.what.kind === 'write' ? wish.what.operations : [];
    const checked = operations.flatMap(({ kind, path }) => (kind === 'check' ? [path] : []));
    const transaction = { zxid, session, changes, checked };
    const proposal: Proposal = { transaction, wish, planned };
    to.draft.apply(proposal.transaction);
    log.push(proposal);
    for (const { link } of to.followers.values()) link.sendToRight({ kind: 'propose', proposal });
    commit(to);
  }

  function commit(to: Term): void {
    const counts = [log.length, ...[...to.followers.values()].map(({ logged }) => logged)];
    const agreed = counts.sort((left, right) => right - left)[majority - 1] ?? 0;
    if (agreed <= applied) return;
    apply(agreed);
    for (const { link } of to.followers.values())
      link.sendToRight({ kind: 'commit', count: applied });
  }

  function touch({ draft, sessions }: Term, session: bigint): void {
    const known = sessions.get(session);
    const timeoutMs = draft.sessions.get(session);
    if (known === undefined || timeoutMs === undefined) return;
    known.expiresAt = Math.ceil((world.now() + timeoutMs) / TICK_MS) * TICK_MS;
  }

  function decide(to: Term, wish: Wish): void {
    const { what, session } = wish;
    const known = to.sessions.get(session);
    if (what.kind === 'open') {
      const timeoutMs = Math.min(
        Math.max(what.timeoutMs, SESSION_TICKS_MIN * TICK_MS),
        SESSION_TICKS_MAX * TICK_MS,
      );
      const id = BigInt(options.nextNumber());
      to.sessions.set(id, { expiresAt: 0, owner: wish.server });
      const changes = [{ kind: 'openSession', session: id, timeoutMs } as const];
      propose(to, { session: id, changes, wish });
      return touch(to, id);
    }
    if (what.kind === 'reopen') {
      if (known !== undefined) known.owner = wish.server;
      touch(to, session);
      const timeoutMs = known === undefined ? 0 : (to.draft.sessions.get(session) ?? 0);
      return answer(to, wish, { kind: 'reopened', timeoutMs });
    }
    if (known?.owner !== wish.server) return answer(to, wish, { kind: 'moved' });
    if (what.kind === 'sync') return answer(to, wish, { kind: 'synced' });
    if (what.kind === 'close') {
      to.sessions.delete(session);
      return propose(to, { session, changes: planSessionEnd(to.draft, session), wish });
    }
    const planned = planOperations(to.draft, what.operations, session);
    if (!planned.ok) return answer(to, wish, { kind: 'refused', ...planned.error });
    const changes = planned.value.filter((change) => change !== undefined);
    propose(to, { session, changes, wish, planned: planned.value });
  }

  function answer(to: Term, wish: Wish, outcome: Outcome): void {
    if (wish.server === name) return desk.answered(wish, outcome);
    to.followers.get(wish.server)?.link.sendToRight({ kind: 'answer', wish, outcome });
  }

  function endSessions(to: Term): void {
    for (const [session, { expiresAt }] of to.sessions) {
      if (expiresAt > world.now()) continue;
      world.trace(`${name} ends session ${session}`);
      to.sessions.delete(session);
      propose(to, { session, changes: planSessionEnd(to.draft, session), wish: undefined });
    }
  }

  // As follower

  function onLeader(message: ToFollower): void {
    if (leader === undefined) return;
    leader.heardAt = world.now();
    switch (message.kind) {
      case 'ping':
        leader.link.sendToLeft({ kind: 'pong', touched: [...touched] });
        touched = new Set();
        return;
      case 'propose':
        log.push(message.proposal);
        leader.link.sendToLeft({ kind: 'ack', count: log.length });
        return;
      case 'commit':
        return apply(message.count);
      case 'answer':
        return desk.answered(message.wish, message.outcome);
    }
  }

  return {
    name,
    desk,
    get state() {
      return state;
    },
    get lastZxid() {
      return log.at(-1)?.transaction.zxid ?? 0n;
    },
    get epoch() {
      return term?.epoch ?? 0n;
    },
    log: () => log,
    lead(epoch) {
      state = 'leading';
      // Everything in its log will be committed: a majority is about to have it.
      const draft = tree.copy();
      for (const { transaction } of log.slice(applied)) draft.apply(transaction);
      term = { epoch, draft, followers: new Map(), sessions: new Map(), counter: 0n };
      for (const session of draft.sessions.keys()) {
        term.sessions.set(session, { expiresAt: 0, owner: undefined });
        touch(term, session);
      }
    },
    take(followerName, link) {
      const mine = term;
      assert(mine !== undefined, 'only a leader takes followers');
      const follower = { name: followerName, link, heardAt: world.now(), logged: log.length };
      mine.followers.set(followerName, follower);
      link.sendToRight({ kind: 'commit', count: applied });
      commit(mine);
      return {
        receive(message) {
          if (term !== mine || mine.followers.get(followerName) !== follower) return;
          follower.heardAt = world.now();
          if (message.kind === 'wish') return decide(mine, message.wish);
          if (message.kind === 'pong') {
            for (const session of message.touched) touch(mine, session);
            return;
          }
          follower.logged = message.count;
          commit(mine);
        },
        closed() {
          if (mine.followers.get(followerName) === follower) mine.followers.delete(followerName);
        },
      };
    },
    follow(link, leaderLog) {
      state = 'following';
      log = [...leaderLog];
      leader = { link, heardAt: world.now() };
      return {
        receive(message) {
          if (leader?.link === link) onLeader(message);
        },
        closed() {
          if (leader?.link === link) lookAgain('looking');
        },
      };
    },
    pulse() {
      const isFresh = ({ heardAt }: { readonly heardAt: number }): boolean =>
        world.now() - heardAt <= patienceMs;
      if (leader !== undefined && !isFresh(leader)) return lookAgain('looking');
      if (term === undefined) return;
      const fresh = [...term.followers.values()].filter(isFresh);
      if (fresh.length + 1 < majority) return lookAgain('looking');
      for (const { link } of term.followers.values()) link.sendToRight({ kind: 'ping' });
      commit(term);
      endSessions(term);
    },
    crash: () => lookAgain('down'),
    restart: () => void (state = 'looking'),
  };
}
