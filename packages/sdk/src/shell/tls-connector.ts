/** Connections of an HTTP client with the certificates of the moment: who renews them changes the object in its place. */

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
    connector(options, callback);
  };
}
