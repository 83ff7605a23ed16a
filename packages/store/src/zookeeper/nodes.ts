/** Small dealings with nodes that several parts need. */

import type { Acl, ErrorName, ReplyOf } from '../core/zookeeper/index.ts';
import { PERMISSION } from '../core/zookeeper/index.ts';
import { ZooKeeperError, type ZooKeeperClient } from './client.ts';

/** Anybody may do anything: what a client without credentials can do at best. */
export const OPEN_ACL: readonly Acl[] = [
  { permissions: PERMISSION.all, scheme: 'world', id: 'anyone' },
];
/** Only who logged in as its maker. */
export const CREATOR_ACL: readonly Acl[] = [
  { permissions: PERMISSION.all, scheme: 'auth', id: '' },
];
/** Others may read, as those do who look for the leader. */
export const CREATOR_WRITES_ACL: readonly Acl[] = [
  { permissions: PERMISSION.read, scheme: 'world', id: 'anyone' },
  ...CREATOR_ACL,
];

/** Whether an error of the client is one of these. */
export function isReason(error: unknown, ...reasons: readonly ErrorName[]): boolean {
  return error instanceof ZooKeeperError && reasons.includes(error.reason);
}

/** Makes a lasting node and those above it, where they are missing. */
export async function ensurePath(
  client: ZooKeeperClient,
  path: string,
  acl: readonly Acl[],
): Promise<void> {
  const parts = path.split('/').slice(1).filter(Boolean);
  for (let depth = 1; depth <= parts.length; depth++) {
    const part = `/${parts.slice(0, depth).join('/')}`;
    try {
      await retried(() =>
        client.request({
          kind: 'create',
          path: part,
          data: new Uint8Array(),
          acl,
          mode: 'persistent',
        }),
      );
    } catch (error) {
      // One that may not make it may still find it there.
      if (isReason(error, 'NODEEXISTS')) continue;
      if (isReason(error, 'NOAUTH') && (await exists(client, part))) continue;
      throw error;
    }
  }
}

/** The data of a node; undefined when there is none. */
export async function readNode(
  client: ZooKeeperClient,
  path: string,
): Promise<ReplyOf['getData'] | undefined> {
  try {
    return await client.request({ kind: 'getData', path, watch: false });
  } catch (error) {
    if (isReason(error, 'NONODE')) return undefined;
    throw error;
  }
}

/** The data of many nodes in one exchange; undefined for those that are not there. */
export async function readNodes(
  client: ZooKeeperClient,
  paths: readonly string[],
): Promise<readonly (ReplyOf['getData'] | undefined)[]> {
  const results = await client.request({ kind: 'multiRead', paths });
  return paths.map((path, index) => {
    const result = results[index];
    if (result?.kind === 'data') return result;
    const reason = result?.error ?? 'RUNTIMEINCONSISTENCY';
    if (reason === 'NONODE') return undefined;
    throw new ZooKeeperError(reason, `ZooKeeper: multiRead ${path}: ${reason}`);
  });
}

/** Nobody needs a permission to ask this. */
async function exists(client: ZooKeeperClient, path: string): Promise<boolean> {
  try {
    await retried(() => client.request({ kind: 'exists', path, watch: false }));
    return true;
  } catch (error) {
    if (isReason(error, 'NONODE')) return false;
    throw error;
  }
}

/** How often something that may be done twice is tried when connections are lost. */
const ATTEMPTS_MAX = 10;

/** Does what may be done twice again when the connection was lost under it. */
export async function retried<T>(act: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act();
    } catch (error) {
      if (attempt === ATTEMPTS_MAX || !isReason(error, 'CONNECTIONLOSS')) throw error;
    }
  }
}
