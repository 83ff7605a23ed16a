/**
 * A ZooKeeper ensemble in the world, for clients that speak its protocol: servers that agree by majority, crash, lag
 * and are cut off from one another and from clients. What is committed is known outside, for the checkers: the one
 * history that all servers follow, each in its own time.
 */

import { assert } from '@dcos/base';
import { connect } from '../connection.ts';
import { createPartition, type Partition } from '../partition.ts';
import type { World } from '../world.ts';
import type { ToClient, ToServer } from './client-desk.ts';
import { createNodeTree, type NodeTree, type Transaction } from './node-tree.ts';
import type { Proposal, ToFollower, ToLeader } from './proposals.ts';
import {
  createQuorumServer,
  TICK_MS,
  type QuorumServer,
  type ServerLink,
} from './quorum-server.ts';

/** How long servers without a leader take to agree on one, or to find the one there is. */
const ELECTION_MIN_MS = 100;
const ELECTION_MAX_MS = 1_000;

export interface EnsemblePlan {
  readonly servers: readonly string[];
  /** Ticks of silence after which a server gives up another one. */
  readonly syncLimit: number;
  /** A transaction is committed; the truth is about to take it. */
  readonly onCommit: (transaction: Transaction) => void;
}

/** What a client's connection tells it. */
export interface ClientEnd {
  opened(): void;
  received(bytes: Uint8Array): void;
  broken(reason: string): void;
}

export interface Ensemble {
  readonly servers: readonly QuorumServer[];
  /** All that is committed. */
  readonly truth: NodeTree;
  start(): void;
  /** Connects a client; what is between it and the server can be cut by `networkOf`. */
  connect(
    client: string,
    server: string,
    end: ClientEnd,
  ): { send(bytes: Uint8Array): void; shut(): void };
  /** Between a client and a server, or two servers. */
  networkOf(one: string, other: string): Partition;
  /** Kills a server for that long. */
  crash(server: string, forMs: number): void;
}

export function createEnsemble(world: World, plan: EnsemblePlan): Ensemble {
  const truth = createNodeTree();
  const history: Proposal[] = [];
  const networks = new Map<string, Partition>();
  const seeking = new Set<string>();
  let numbers = 0;
  let links = 0;
  let epoch = 0n;
  const nextNumber = (): number => (numbers += 1);
  const majority = Math.floor(plan.servers.length / 2) + 1;

  function committed(index: number, proposal: Proposal): void {
    const known = history[index];
    if (known !== undefined) {
      assert(known === proposal, 'servers never disagree on what is committed');
      return;
    }
    history.push(proposal);
    plan.onCommit(proposal.transaction);
    truth.apply(proposal.transaction);
  }

  const servers = plan.servers.map((name) =>
    createQuorumServer(world, {
      name,
      majority,
      syncLimit: plan.syncLimit,
      nextNumber,
      committed,
    }),
  );

  function networkOf(one: string, other: string): Partition {
    const key = one < other ? `${one} ${other}` : `${other} ${one}`;
    const known = networks.get(key) ?? createPartition();
    networks.set(key, known);
    return known;
  }

  function reaches(one: QuorumServer, other: QuorumServer): boolean {
    if (other.state === 'down') return false;
    const network = networkOf(one.name, other.name);
    return one === other || (!network.isCut('left') && !network.isCut('right'));
  }

  /** A server without a leader looks for one, or makes one together with others. */
  function seek(server: QuorumServer): void {
    if (server.state !== 'looking') return;
    const near = servers.filter((other) => reaches(server, other));
    const newest = near
      .filter(({ state }) => state === 'leading')
      .sort((left, right) => Number(right.epoch - left.epoch))[0];
    if (newest !== undefined) return join(newest, server);
    const voters = near.filter(({ state }) => state === 'looking');
    if (voters.length < majority) return;
    const best = voters.reduce((one, other) => (other.lastZxid > one.lastZxid ? other : one));
    if (!voters.every((voter) => reaches(best, voter))) return;
    epoch += 1n;
    world.trace(`${best.name} leads the ensemble, epoch ${epoch}`);
    best.lead(epoch);
    for (const voter of voters) if (voter !== best) join(best, voter);
    best.pulse();
  }

  function join(leader: QuorumServer, follower: QuorumServer): void {
    const name = `${follower.name}>${leader.name}#${(links += 1)}`;
    const link: ServerLink = connect<ToLeader, ToFollower>(
      world,
      name,
      { receive: (message) => left.receive(message), closed: () => left.closed() },
      { receive: (message) => right.receive(message), closed: () => right.closed() },
    );
    const right = follower.follow(link, leader.log());
    const left = leader.take(follower.name, link);
    networkOf(leader.name, follower.name).adopt(link);
  }

  function beat(server: QuorumServer): void {
    world.after(TICK_MS / 2, `${server.name}: tick`, () => {
      server.pulse();
      if (server.state === 'looking') seekLater(server);
      beat(server);
    });
  }

  function seekLater(server: QuorumServer): void {
    if (seeking.has(server.name)) return;
    seeking.add(server.name);
    world.after(world.between(ELECTION_MIN_MS, ELECTION_MAX_MS), `${server.name}: election`, () => {
      seeking.delete(server.name);
      seek(server);
    });
  }

  return {
    servers,
    truth,
    start() {
      for (const server of servers) {
        beat(server);
        seekLater(server);
      }
    },
    connect(client, serverName, end) {
      const server = servers.find(({ name }) => name === serverName);
      assert(server !== undefined, `there is no server ${serverName}`);
      const link = connect<ToServer, ToClient>(
        world,
        `${client}>${serverName}#${(links += 1)}`,
        { receive: (message) => left.receive(message), closed: () => left.closed() },
        {
          receive: (message) => (message === 'accepted' ? end.opened() : end.received(message)),
          closed: () => end.broken('the connection was closed'),
        },
      );
      const left = server.desk.accept(link);
      networkOf(client, serverName).adopt(link);
      link.sendToLeft('syn');
      return { send: (bytes) => link.sendToLeft(bytes), shut: () => link.break() };
    },
    networkOf,
    crash(serverName, forMs) {
      const server = servers.find(({ name }) => name === serverName);
      if (server === undefined || server.state === 'down') return;
      world.trace(`${serverName} dies for ${forMs}`);
      server.crash();
      world.after(forMs, `${serverName} restarts`, () => {
        world.trace(`${serverName} is back`);
        server.restart();
        seekLater(server);
      });
    },
  };
}
