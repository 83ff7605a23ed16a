/** A client that knows nothing of a cluster but its address, and takes its authorities from there, as `dcos cluster setup` does. */

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { setDefaultCACertificates } from 'node:tls';

/**
 * What this process asks from now on, it asks as one that trusts the authorities of that cluster and nobody else.
 * @param url of a router.
 */
export async function trustCluster(url: string): Promise<void> {
  const outgoing = request(new URL('/ca/dcos-ca.crt', url), {
    agent: false,
    // Nobody stands between in a network of tests.
    rejectUnauthorized: false,
  });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  setDefaultCACertificates([text]);
}
