/**
 * Elections as the original holds them: every candidate has an ephemeral, sequential node, the lowest
 * leads, each waits for the one before it. The epoch is the transaction that made the leader's node, which
 * no later leader can have below.
 *
 * Invariant: `isHeld` is asked of the clock and of what is proven ({@link LeaseKeeper}), not of news that may come late: a
 * process that was frozen knows as soon as it runs again, and one whose server is cut off from the others in time.
 */

import { errorText, type Clock, type Logger } from '@dcos/base';
import type { Acl } from '../core/zookeeper/index.ts';
import { nodeNameOf } from '../core/zookeeper/index.ts';
import { storeClosed, withdrawn } from '../elections.ts';
import type { ElectOptions, Leader, Lease, Unwatch } from '../store.ts';
import {
  allOf,
  candidatesOf,
  epochOf,
  leaderOf,
  sequenceOf,
  type Candidate,
  type ElectionLayout,
} from './candidates.ts';
import { storeError } from './commit-queue.ts';
import type { ZooKeeperClient } from './client.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { watchLeader } from './leader-watch.ts';
import { untilGone, type Gone } from './node-end.ts';
import { ensurePath, isReason, readNode, retried } from './nodes.ts';

export interface ZooKeeperLease extends Lease {
  /** The leader's node: as long as it is there, the lease is. */
  readonly path: string;
}

export interface ZooKeeperElectionsOptions {
  readonly client: ZooKeeperClient;
  /** The directory of elections that `layouts` does not name. */
  readonly directory: string;
  readonly layouts: Readonly<Record<string, ElectionLayout>>;
  readonly acl: readonly Acl[];
  readonly logger: Logger;
  readonly clock: Clock;
  readonly tickMs: number | undefined;
}

interface Own extends Candidate {
  readonly sessionId: bigint;
  readonly czxid: bigint;
}

export class ZooKeeperElections {
  readonly #options: ZooKeeperElectionsOptions;
  readonly #leases = new Set<{ readonly end: () => void }>();
  /** Nodes of this store's own candidates, so that none is taken for another. */
  readonly #ownPaths = new Set<string>();
  readonly #closed: Promise<void>;
  #resolveClosed: () => void = () => undefined;
  #isClosed = false;

  constructor(options: ZooKeeperElectionsOptions) {
    this.#options = options;
    this.#closed = new Promise((resolve) => (this.#resolveClosed = resolve));
  }

  /** Resolves when this candidate leads, however long the servers are away meanwhile. */
  async elect(
    election: string,
    candidate: string,
    { guard = NO_GUARD, signal }: ElectOptions = {},
  ): Promise<ZooKeeperLease> {
    const layout = this.#layoutOf(election);
    const isWithdrawn = (): boolean => signal?.aborted === true;
    const ended = Promise.race([this.#closed, aborted(signal)]);
    try {
      // A candidacy that goes with its session begins anew in the next one.
      for (;;) {
        if (isWithdrawn()) throw withdrawn();
        const own = await this.#enter(layout, candidate);
        const lease = own && (await this.#wait(layout, own, { guard, isWithdrawn, ended }));
        if (lease !== undefined) return lease;
        if (this.#isClosed) throw storeClosed();
      }
    } catch (error) {
      throw storeError(error);
    }
  }

  async leader(election: string): Promise<Leader | undefined> {
    const { client } = this.#options;
    const layout = this.#layoutOf(election);
    try {
      return await retried(async () => {
        await client.request({ kind: 'sync', path: layout.directory });
        const found = await leaderOf(client, layout, false);
        return found && { candidate: found.candidate, epoch: found.epoch };
      });
    } catch (error) {
      throw storeError(error);
    }
  }

  async candidates(election: string): Promise<readonly string[]> {
    const { client } = this.#options;
    const layout = this.#layoutOf(election);
    try {
      return await retried(async () => {
        await client.request({ kind: 'sync', path: layout.directory });
        return (await allOf(client, layout, false)).map(({ candidate }) => candidate);
      });
    } catch (error) {
      throw storeError(error);
    }
  }

  watchLeader(election: string, listener: (leader: Leader | undefined) => void): Unwatch {
    const { client, logger } = this.#options;
    return watchLeader({ client, logger, listener, layout: this.#layoutOf(election) });
  }

  /** Ends all leases and candidacies; their nodes go with the session. */
  close(): void {
    this.#isClosed = true;
    for (const { end } of this.#leases) end();
    this.#resolveClosed();
  }

  /** Until the candidate leads, or its node is of no use any more. */
  async #wait(
    layout: ElectionLayout,
    own: Own,
    { guard, isWithdrawn, ended }: Waiting,
  ): Promise<ZooKeeperLease | undefined> {
    const { client, clock, tickMs } = this.#options;
    const keeper = new LeaseKeeper({ client, clock, tickMs, path: own.path });
    let leads = false;
    try {
      for (;;) {
        const before = (await retried(() => this.#candidates(layout))).findLast(
          ({ sequence }) => sequence < own.sequence,
        );
        // Watched before it is believed in: a node that goes now is seen.
        const gone = untilGone(client, before?.path ?? own.path, own.sessionId);
        if (!(await gone.isThere)) {
          gone.cancel();
          if (before === undefined) return undefined;
          continue;
        }
        if (before === undefined) {
          await Promise.race([keeper.lead(), gone.happened, ended]);
          leads = this.#isAlive(own) && !isWithdrawn() && keeper.isProven();
          if (leads) return this.#lead(own, gone, keeper);
          gone.cancel();
          return undefined;
        }
        const unguard = await this.#guard(before, guard);
        await Promise.race([gone.happened, ended]);
        unguard();
        gone.cancel();
        if (!this.#isAlive(own) || isWithdrawn()) return undefined;
      }
    } catch (error) {
      if (isReason(error, ...PASSING)) return undefined;
      throw error;
    } finally {
      if (!leads) {
        keeper.stop();
        await this.#withdraw(own);
      }
    }
  }

  /** Whether the session that the candidate's node goes with is this store's. */
  #isAlive({ sessionId }: Own): boolean {
    return !this.#isClosed && this.#options.client.sessionId === sessionId;
  }

  /** Has the process of another candidate watched, and removes its node when it has ended. */
  async #guard({ path }: Candidate, guard: Guard): Promise<() => void> {
    const { client, logger } = this.#options;
    const node = await retried(() => readNode(client, path));
    if (node === undefined) return () => undefined;
    return guard(new TextDecoder().decode(node.data), () => {
      logger.info({ event: 'election.ended-candidate', path }, 'a candidate has ended');
      retried(() => client.request({ kind: 'delete', path, version: -1 })).catch(
        (error: unknown) => {
          // Its session is waited for then.
          const fields = { event: 'election.candidate-stays', path, error: errorText(error) };
          if (!isReason(error, ...GONE)) logger.warn(fields, 'its node cannot be removed');
        },
      );
    });
  }

  /** Nobody must be elected by a node that nobody stands behind any more. */
  async #withdraw({ path, sessionId }: Own): Promise<void> {
    const { client } = this.#options;
    this.#ownPaths.delete(path);
    if (client.sessionId !== sessionId) return;
    try {
      await retried(() => client.request({ kind: 'delete', path, version: -1 }));
    } catch (error) {
      // Gone already, or it goes with the session.
      if (!isReason(error, ...GONE)) throw error;
    }
  }

  /** Makes the candidate's node, or finds it where the answer to that was lost. */
  async #enter(layout: ElectionLayout, candidate: string): Promise<Own | undefined> {
    const { client, acl } = this.#options;
    const data = new TextEncoder().encode(candidate);
    const path = `${layout.directory}/${layout.prefix}`;
    for (;;) {
      try {
        await ensurePath(client, layout.directory, acl);
        const { path: made, stat } = await client.request({
          kind: 'create',
          path,
          data,
          acl,
          mode: 'ephemeralSequential',
        });
        return this.#own(made, { sessionId: stat.ephemeralOwner, czxid: stat.czxid });
      } catch (error) {
        if (isReason(error, ...PASSING)) return undefined;
        if (!isReason(error, 'CONNECTIONLOSS')) throw error;
      }
      try {
        const found = await retried(() => this.#findOwn(layout, candidate));
        if (found !== undefined) return found;
      } catch (error) {
        if (isReason(error, ...PASSING)) return undefined;
        throw error;
      }
      if (this.#isClosed) return undefined;
    }
  }

  async #findOwn(layout: ElectionLayout, candidate: string): Promise<Own | undefined> {
    const { client } = this.#options;
    await client.request({ kind: 'sync', path: layout.directory });
    for (const { path } of await this.#candidates(layout)) {
      if (this.#ownPaths.has(path)) continue;
      const node = await readNode(client, path);
      if (node?.stat.ephemeralOwner !== client.sessionId) continue;
      if (new TextDecoder().decode(node.data) !== candidate) continue;
      return this.#own(path, { sessionId: node.stat.ephemeralOwner, czxid: node.stat.czxid });
    }
    return undefined;
  }

  #own(path: string, node: { readonly sessionId: bigint; readonly czxid: bigint }): Own {
    this.#ownPaths.add(path);
    return { ...node, path, sequence: sequenceOf(path) };
  }

  #candidates(layout: ElectionLayout): Promise<readonly Candidate[]> {
    return candidatesOf(this.#options.client, layout, false);
  }

  #lead(own: Own, gone: Gone, keeper: LeaseKeeper): ZooKeeperLease {
    const { client } = this.#options;
    let isOver = false;
    let resolveLost = (): void => undefined;
    const lost = new Promise<void>((resolve) => (resolveLost = resolve));
    const entry = {
      end: (): void => {
        isOver = true;
        gone.cancel();
        keeper.stop();
        this.#leases.delete(entry);
        this.#ownPaths.delete(own.path);
        resolveLost();
      },
    };
    this.#leases.add(entry);
    void gone.happened.then(entry.end);
    keeper.onLapse(entry.end);
    const withdraw = (): Promise<void> => this.#withdraw(own);
    return {
      path: own.path,
      epoch: epochOf(own.czxid),
      isHeld: () => {
        if (isOver || client.sessionId !== own.sessionId) return false;
        // Once it was not held it never is again.
        if (!keeper.isProven()) entry.end();
        return !isOver;
      },
      lost,
      async release() {
        entry.end();
        try {
          await withdraw();
        } catch (error) {
          throw storeError(error);
        }
      },
    };
  }

  #layoutOf(election: string): ElectionLayout {
    return (
      this.#options.layouts[election] ?? {
        directory: `${this.#options.directory}/${nodeNameOf(election)}`,
        prefix: 'candidate_',
      }
    );
  }
}

type Guard = NonNullable<ElectOptions['guard']>;
const NO_GUARD: Guard = () => () => undefined;

interface Waiting {
  readonly guard: Guard;
  readonly isWithdrawn: () => boolean;
  /** Resolves when it is of no use to wait any more: the store is closed, or the candidacy taken back. */
  readonly ended: Promise<void>;
}

async function aborted(signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal?.aborted === true) resolve();
    else signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Errors of a session that is over, or of servers that are away: the next session begins anew. */
const PASSING = ['SESSIONEXPIRED', 'SESSIONMOVED', 'OPERATIONTIMEOUT'] as const;
/** Errors after which a node is there no more, or not for long. */
const GONE = ['NONODE', 'SESSIONEXPIRED', 'CLOSED', 'AUTHFAILED'] as const;
