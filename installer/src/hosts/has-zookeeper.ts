/** Whether the release that a host uses has the ZooKeeper which this installer's units start. */

import { ACTIVE } from '../core/cluster.ts';
import { jarPath, parseJars } from '../release/index.ts';
import type { HostConnection } from './connection.ts';
import { zooKeeperList } from './host-programs.ts';

export async function hasZooKeeper(connection: HostConnection): Promise<boolean> {
  const lines = parseJars(zooKeeperList()).map((jar) => `${jar.sha256}  ${jarPath(jar)}\n`);
  const argv = ['sh', '-c', 'cd "$1" && sha256sum --check --status -', 'check', ACTIVE];
  return (await connection.run(argv, { input: lines.join('') })).code === 0;
}
