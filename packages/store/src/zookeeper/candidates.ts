/** Where the candidates of an election have their nodes, and who of them leads. */

import { assert } from '@dcos/base';
import type { Leader } from '../store.ts';
import type { ZooKeeperClient } from './client.ts';
import { isReason, readNode } from './nodes.ts';

export interface ElectionLayout {
  readonly directory: string;
  /** What the names of the nodes begin with; ten digits follow. */
  readonly prefix: string;
}

export interface Candidate {
  readonly path: string;
  readonly sequence: number;
}

export interface FoundLeader extends Leader {
  readonly path: string;
}

const SEQUENCE_DIGITS = 10;
const SEQUENCE = /^\d{10}$/;

/** The number at the end of a node's name. */
export function sequenceOf(path: string): number {
  return Number(path.slice(-SEQUENCE_DIGITS));
}

/** The number of a leadership: no later leader's is below. */
export function epochOf(czxid: bigint): number {
  assert(czxid <= BigInt(Number.MAX_SAFE_INTEGER), 'ZooKeeper has had two million leaders');
  return Number(czxid);
}

/** Candidates, the leader first; `watch` asks for an event when there are others. */
export async function candidatesOf(
  client: ZooKeeperClient,
  { directory, prefix }: ElectionLayout,
  watch: boolean,
): Promise<readonly Candidate[]> {
  const request = { kind: 'getChildren', path: directory, watch } as const;
  const { children } = await client.request(request).catch((error: unknown) => {
    if (isReason(error, 'NONODE')) return { children: [] };
    throw error;
  });
  return children
    .filter((name) => name.startsWith(prefix) && SEQUENCE.test(name.slice(prefix.length)))
    .map((name) => ({ path: `${directory}/${name}`, sequence: sequenceOf(name) }))
    .sort((left, right) => left.sequence - right.sequence);
}

/** Who leads by what this server knows. */
export async function leaderOf(
  client: ZooKeeperClient,
  layout: ElectionLayout,
  watch: boolean,
): Promise<FoundLeader | undefined> {
  for (const { path } of await candidatesOf(client, layout, watch)) {
    const found = await readCandidate(client, path);
    // One that went meanwhile makes way for the next.
    if (found !== undefined) return found;
  }
  return undefined;
}

/** All candidates by what this server knows, the leader first. */
export async function allOf(
  client: ZooKeeperClient,
  layout: ElectionLayout,
  watch: boolean,
): Promise<readonly FoundLeader[]> {
  const candidates = await candidatesOf(client, layout, watch);
  const found = await Promise.all(candidates.map(({ path }) => readCandidate(client, path)));
  return found.filter((candidate) => candidate !== undefined);
}

async function readCandidate(
  client: ZooKeeperClient,
  path: string,
): Promise<FoundLeader | undefined> {
  const node = await readNode(client, path);
  if (node === undefined) return undefined;
  const candidate = new TextDecoder().decode(node.data);
  return { path, candidate, epoch: epochOf(node.stat.czxid) };
}
