/** The store of masters of which several stand for election: what `--zk` names. */

import { OperationError, type Logger } from '@dcos/base';
import type { ClientTls } from '@dcos/http';
import { awaitZooKeeperStore, parseZooKeeperAddress, type Store } from '@dcos/store';
import { readSetting } from '@dcos/telemetry';
import { masterElectionLayouts } from './election.ts';
import { createSystemRandom, systemClock } from './system-ports.ts';

export interface ZooKeeperCluster {
  /** The address without what one logs in with. */
  readonly shown: string;
  /** Connects; waits for servers, however long they are away. */
  connect(logger: Logger, tls: ClientTls): ClusterStore;
}

export interface ClusterStore {
  readonly store: Store;
  /** Why nobody can be elected yet; undefined when somebody can. */
  waitsFor(): string | undefined;
}

/** Reads the setting. Throws `ZK_INVALID` or `ZK_UNREADABLE`. */
export function clusterOf(
  setting: string,
  settings: {
    readonly zkSessionTimeoutMs: number;
    readonly zkTickMs: number | undefined;
    readonly zkTls: boolean;
    readonly registry: string;
  },
): ZooKeeperCluster {
  if (settings.registry === 'in_memory') {
    throw new OperationError('ZK_INVALID', 'with --zk the registry is in ZooKeeper, not in memory');
  }
  const text = setting.startsWith('zk://') ? setting : readSetting('ZK_UNREADABLE', setting).trim();
  const address = parseZooKeeperAddress(text);
  if (!address.ok) throw new OperationError('ZK_INVALID', `--zk: ${address.error}`);
  const { path, servers } = address.value;
  const hosts = servers.map(({ host, port }) => `${host}:${port}`).join(',');
  if (path === '/') {
    throw new OperationError('ZK_INVALID', 'Expecting a (chroot) path for ZooKeeper (--zk)');
  }
  return {
    shown: `zk://${hosts}${path}`,
    connect(logger, tls) {
      const { store, opened } = awaitZooKeeperStore(
        {
          address: address.value,
          sessionTimeoutMs: settings.zkSessionTimeoutMs,
          tickMs: settings.zkTickMs,
          clock: systemClock,
          random: createSystemRandom(),
          logger,
          layouts: masterElectionLayouts(path),
          tls: settings.zkTls ? tls : undefined,
        },
        () => logger.warn({ event: 'zookeeper.away' }, 'no ZooKeeper server answers; trying on'),
      );
      let waitsFor: string | undefined = `Waiting for ZooKeeper at ${hosts}: no server answers`;
      opened.then(
        () => (waitsFor = undefined),
        // The election fails with it, and the master ends.
        () => undefined,
      );
      return { store, waitsFor: () => waitsFor };
    },
  };
}
