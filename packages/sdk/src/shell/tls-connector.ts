/**
 * Connections of an HTTP client with the certificates of the moment: who renews them changes the object in its place.
 *
 * Invariant: a server has to show a certificate for the address that was connected to. Undici would take the name from the
 * header `Host`, which is what the client of a proxy wrote there.
 */

import { isIP } from 'node:net';
import { buildConnector } from 'undici';
import type { TlsOptions } from '../tls.ts';

/** Sessions can be resumed as long as the certificates stay the same. */
export function tlsConnector(tls: TlsOptions, timeoutMs?: number): buildConnector.connector {
  let used: TlsOptions = {};
  let connector: buildConnector.connector | undefined;
  return (options, callback) => {
    const { ca, cert, key } = tls;
    if (connector === undefined || ca !== used.ca || cert !== used.cert || key !== used.key) {
      used = { ...tls };
      connector = buildConnector({
        ...tls,
        ...(timeoutMs !== undefined && { timeout: timeoutMs }),
      });
    }
    const servername = isIP(options.hostname) === 0 ? options.hostname : '';
    connector({ ...options, servername }, callback);
  };
}
