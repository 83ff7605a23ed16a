/** The store of masters of which several stand for election: what `--zk` names. */

import { OperationError, type Logger } from '@dcos/base';
import { openZooKeeperStore, parseZooKeeperAddress, type Store } from '@dcos/store';
import { readSetting } from '@dcos/telemetry';
import { masterElectionLayouts } from './election.ts';
import { createSystemRandom, systemClock } from './system-ports.ts';

export interface ZooKeeperCluster {
  /** The address without what one logs in with. */
  readonly shown: string;
  /** Waits for servers, however long they are away. */
  open(logger: Logger): Promise<Store>;
}

/** Reads the setting. Throws `ZK_INVALID` or `ZK_UNREADABLE`. */
export function clusterOf(
  setting: string,
  settings: { readonly zkSessionTimeoutMs: number; readonly registry: string },
): ZooKeeperCluster {
  if (settings.registry === 'in_memory') {
    throw new OperationError('ZK_INVALID', 'with --zk the registry is in ZooKeeper, not in memory');
  }
  const text = setting.startsWith('zk://') ? setting : readSetting('ZK_UNREADABLE', setting).trim();
  const address = parseZooKeeperAddress(text);
  if (!address.ok) throw new OperationError('ZK_INVALID', `--zk: ${address.error}`);
  const { path, servers } = address.value;
  if (path === '/') {
    throw new OperationError('ZK_INVALID', 'Expecting a (chroot) path for ZooKeeper (--zk)');
  }
  return {
    shown: `zk://${servers.map(({ host, port }) => `${host}:${port}`).join(',')}${path}`,
    async open(logger) {
      for (;;) {
        try {
          return await openZooKeeperStore({
            address: address.value,
            sessionTimeoutMs: settings.zkSessionTimeoutMs,
            clock: systemClock,
            random: createSystemRandom(),
            logger,
            layouts: masterElectionLayouts(path),
          });
        } catch (error) {
          // Each attempt has waited for as long as a session lasts.
          if (!(error instanceof OperationError) || error.code !== 'STORE_UNAVAILABLE') throw error;
          logger.warn({ event: 'zookeeper.away' }, 'no ZooKeeper server answers; trying on');
        }
      }
    },
  };
}
