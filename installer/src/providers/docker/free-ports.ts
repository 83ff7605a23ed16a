/** Ports of 127.0.0.1 on which nobody listens. */

import { createServer } from 'node:net';
import { OperationError } from '@dcos/base';

/** How many ports are tried from the first on. */
const TRIES = 200;

/**
 * @param isFixed whether it must be the first ones.
 * @throws OperationError `PORT_IN_USE`
 */
export async function freePorts(
  first: number,
  count: number,
  isFixed: boolean,
): Promise<readonly number[]> {
  const found: number[] = [];
  for (let port = first; found.length < count && port < first + TRIES && port < 65_536; port++) {
    if (await isFree(port)) found.push(port);
    else if (isFixed)
      throw new OperationError(
        'PORT_IN_USE',
        `port ${port} of 127.0.0.1 is in use; give docker.uiPort another number`,
      );
  }
  if (found.length === count) return found;
  throw new OperationError('PORT_IN_USE', `no ${count} ports are free from ${first} on`);
}

async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
