/** Waits for the end of a node, or of the session on whose behalf it is watched. */

import type { WatchEvent } from '../core/zookeeper/index.ts';
import type { ZooKeeperClient } from './client.ts';
import { isReason, retried } from './nodes.ts';

export interface Gone {
  /** Whether it was there when it was looked at. */
  readonly isThere: Promise<boolean>;
  readonly happened: Promise<void>;
  cancel(): void;
}

/**
 * Watches a node.
 * @param sessionId of whoever wants to know: once the client has another one, nobody does.
 */
export function untilGone(client: ZooKeeperClient, path: string, sessionId: bigint): Gone {
  let happen = (): void => undefined;
  const happened = new Promise<void>((resolve) => (happen = resolve));
  // Fires for every change; only the end of the node is of interest.
  const look = async (): Promise<boolean> => {
    try {
      await retried(() => client.request({ kind: 'exists', path, watch: true }));
      return true;
    } catch (error) {
      happen();
      if (isReason(error, 'NONODE')) return false;
      throw error;
    }
  };
  const again = (): void => void look().catch(() => happen());
  const cancel = client.listen({
    onEvent: (event: WatchEvent) => {
      if (event.path !== path) return;
      if (event.kind === 'deleted') happen();
      else again();
    },
    onState: (state) => {
      if (state === 'expired' || state === 'closed' || state === 'authFailed') happen();
      // The node may be gone with a session that this client does not know to be over.
      else if (state === 'connected' && client.sessionId !== sessionId) happen();
    },
  });
  return { isThere: look(), happened, cancel };
}
