/** The ZooKeeper server of a host: what it says of itself, and how it is slowed down. */

import { waitFor } from '@dcos/testkit';
import type { Host } from './host.ts';

export const ZOOKEEPER_UNIT = 'dcos-zookeeper';
const ASK_SERVER = `
import socket, sys
with socket.create_connection((sys.argv[1], 2181), 2) as server:
    server.settimeout(2)
    server.sendall(b"srvr")
    print(server.makefile().read())
`;

/** What it is in its ensemble; undefined while it serves nobody. */
export async function modeOf(host: Host): Promise<'leader' | 'follower' | undefined> {
  const { output } = await host.run('python3', '-c', ASK_SERVER, host.address);
  const mode = /^Mode: (leader|follower)$/m.exec(output)?.[1];
  return mode === 'leader' || mode === 'follower' ? mode : undefined;
}

/** The host whose server leads the ensemble. */
export async function leadingServer(hosts: readonly Host[], patienceMs: number): Promise<Host> {
  return await waitFor(
    'a leading ZooKeeper server',
    async () => {
      const modes = await Promise.all(hosts.map(modeOf));
      return hosts.find((_, index) => modes[index] === 'leader');
    },
    patienceMs,
  );
}
