/** Looks whether the ports that the flags fix are free, before anything is touched. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { OperationError } from '@dcos/base';

interface WantedPort {
  readonly port: number;
  /** The flag that chooses another one. */
  readonly flag: string;
  readonly udp: boolean;
}

/** Throws `PORT_IN_USE` or `PORT_FORBIDDEN`, naming port and flag. Port 0 is always free. */
export async function checkPorts(host: string, wanted: readonly WantedPort[]): Promise<void> {
  for (const { port, flag, udp } of wanted) {
    if (port === 0) continue;
    try {
      await tryTcp(host, port);
      if (udp) await tryUdp(host, port);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EADDRINUSE') {
        throw new OperationError(
          'PORT_IN_USE',
          `port ${port} on ${host} is in use; choose another one with ${flag}`,
          {
            details: { host, port },
            cause: error,
          },
        );
      }
      if (code === 'EACCES') {
        throw new OperationError(
          'PORT_FORBIDDEN',
          `port ${port} may not be opened by this user; choose one above 1023 with ${flag}`,
          {
            details: { host, port },
            cause: error,
          },
        );
      }
      throw error;
    }
  }
}

async function tryTcp(host: string, port: number): Promise<void> {
  const server = createServer();
  server.listen(port, host);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

async function tryUdp(host: string, port: number): Promise<void> {
  const socket = createSocket('udp4');
  socket.bind(port, host);
  await once(socket, 'listening');
  socket.close();
  await once(socket, 'close');
}
