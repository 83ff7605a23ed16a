/** Who leads among the masters and among the servers of ZooKeeper, asked on one of their hosts. */

import { z } from 'zod';
import { PORTS } from '../core/component-settings.ts';
import { ACTIVE, RELEASE_NODE } from '../core/cluster.ts';
import type { Leaders } from '../core/plan.ts';
import type { HostConnection } from './connection.ts';
import { hostProgram } from './host-programs.ts';

const schema = z.object({
  master: z.string().optional(),
  zooKeeper: z.string().optional(),
  zooKeeperAway: z.array(z.string()),
});

/**
 * @param connection of a host that has a release.
 * @param masters addresses of all masters.
 */
export async function askLeaders(
  connection: HostConnection,
  masters: readonly string[],
): Promise<Leaders> {
  const question = {
    hosts: masters,
    masterPort: PORTS.master,
    zooKeeperPort: PORTS.zooKeeper,
  };
  const words = ['--input-type=module', '-e', hostProgram('leaders.mjs'), JSON.stringify(question)];
  const { stdout } = await connection.run([`${ACTIVE}/${RELEASE_NODE}`, ...words]);
  return stdout.trim() === '' ? {} : schema.parse(JSON.parse(stdout));
}
