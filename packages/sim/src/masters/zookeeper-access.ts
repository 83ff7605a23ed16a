/** How a process of the world reaches the ensemble: by the real client, over connections of the world. */

import type { ZooKeeperAddress, ZooKeeperTransport } from '@dcos/store';
import type { Ensemble } from '../ensemble/ensemble.ts';
import type { ProcessGate } from '../process-gate.ts';

/** As `--zk` names it; hosts are names of servers. */
export const SERVERS = ['zk1', 'zk2', 'zk3'] as const;
export const ZK_PATH = '/mesos';
export const ZK_ADDRESS: ZooKeeperAddress = {
  servers: SERVERS.map((host) => ({ host, port: 2181 })),
  path: ZK_PATH,
  credentials: undefined,
};
export const ZK_SETTING = `zk://${SERVERS.map((host) => `${host}:2181`).join(',')}${ZK_PATH}`;

/** What the connections of a process tell waits while that is frozen. */
export function transportOf(
  ensemble: Ensemble,
  host: string,
  gate: ProcessGate,
): ZooKeeperTransport {
  return (server, { opened, received, broken }) =>
    ensemble.connect(host, server.host, {
      opened: () => gate.run(opened),
      received: (bytes) => gate.run(() => received(bytes)),
      broken: (reason) => gate.run(() => broken(reason)),
    });
}
