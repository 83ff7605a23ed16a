/**
 * TLS from the files that an operator names: what a server shows, and what a client trusts and shows. TLS 1.2 at least.
 *
 * Files are looked at before anything listens: what cannot work keeps a program from starting, with the setting and
 * the file in the message; see `watch-tls.ts` for files that change later. Nothing of a key gets into messages.
 */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket } from 'node:tls';
import { OperationError } from '@dcos/base';

const MIN_VERSION = 'TLSv1.2';
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** The settings of a component, by their names there. */
export interface TlsSettings {
  /** PEM: the component's certificate, and those between it and its authority. */
  readonly sslCertFile?: string | undefined;
  /** PEM: the private key of the certificate, without a passphrase. */
  readonly sslKeyFile?: string | undefined;
  /** PEM: the authorities whose certificates are trusted, in place of the system's. */
  readonly sslCaFile?: string | undefined;
  /** Whether clients must show a certificate of these authorities. */
  readonly sslRequireClientCert?: boolean | undefined;
  /** Whether clients are asked for one and may go without; a component refuses those by itself where it must. */
  readonly sslRequireAgentCert?: boolean | undefined;
}

/** What a client trusts, and shows when it is asked. Kept up to date by `watchTls`: read it for each connection. */
export interface ClientTls {
  readonly minVersion: typeof MIN_VERSION;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** What a server shows, and whether it asks. */
export interface ServerTls extends ClientTls {
  readonly cert: string;
  readonly key: string;
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
}

/** Reads the files. `server` is undefined for a component without a certificate. Throws `TLS_INVALID`. */
export function readTls(settings: TlsSettings): {
  readonly server: ServerTls | undefined;
  readonly client: ClientTls;
} {
  const { sslCertFile, sslKeyFile, sslCaFile } = settings;
  const { sslRequireClientCert = false, sslRequireAgentCert = false } = settings;
  if ((sslCertFile === undefined) !== (sslKeyFile === undefined)) {
    throw invalid('sslCertFile and sslKeyFile', 'one is of no use without the other');
  }
  const asks = sslRequireClientCert || sslRequireAgentCert;
  if (asks && (sslCertFile === undefined || sslCaFile === undefined)) {
    const name = sslRequireClientCert ? 'sslRequireClientCert' : 'sslRequireAgentCert';
    throw invalid(name, 'it needs sslCertFile, sslKeyFile and sslCaFile');
  }
  // Whoever renews both writes the authorities first: who shows the new certificate trusts the new authorities.
  const pair =
    sslCertFile === undefined || sslKeyFile === undefined
      ? undefined
      : pairIn(sslCertFile, sslKeyFile);
  const ca = sslCaFile === undefined ? {} : { ca: certificatesIn('sslCaFile', sslCaFile).text };
  if (pair === undefined) return { server: undefined, client: { minVersion: MIN_VERSION, ...ca } };
  const client = { minVersion: MIN_VERSION, ...ca, ...pair } as const;
  const demands = { requestCert: asks, rejectUnauthorized: sslRequireClientCert };
  return { server: { ...client, ...demands }, client };
}

/** Whether the peer of a connection showed a certificate of the authorities that are trusted here. */
export function hasShownCertificate(socket: Duplex): boolean {
  return socket instanceof TLSSocket && socket.authorized;
}

/** A certificate and the key that belongs to it. */
function pairIn(
  certFile: string,
  keyFile: string,
): { readonly cert: string; readonly key: string } {
  const { text: cert, first } = certificatesIn('sslCertFile', certFile);
  const key = textOf('sslKeyFile', keyFile);
  const isItsKey = attempt(`sslKeyFile ${keyFile}`, 'it has no private key that can be used', () =>
    first.checkPrivateKey(createPrivateKey(key)),
  );
  if (!isItsKey) throw invalid(`sslKeyFile ${keyFile}`, `it is not the key of ${certFile}`);
  attempt(`sslCertFile ${certFile}`, 'TLS cannot use it', () =>
    createSecureContext({ cert, key, minVersion: MIN_VERSION }),
  );
  return { cert, key };
}

function certificatesIn(
  setting: string,
  file: string,
): { readonly text: string; readonly first: X509Certificate } {
  const text = textOf(setting, file);
  const [first] = attempt(`${setting} ${file}`, 'a certificate in it cannot be read', () =>
    certificatesOf(text),
  );
  if (first === undefined) throw invalid(`${setting} ${file}`, 'it has no certificate in PEM');
  return { text, first };
}

/** All certificates in a text. Throws when one cannot be read. */
export function certificatesOf(pem: string): readonly X509Certificate[] {
  return (pem.match(CERTIFICATE) ?? []).map((block) => new X509Certificate(block));
}

function textOf(setting: string, file: string): string {
  return attempt(`${setting} ${file}`, 'it cannot be read', () => readFileSync(file, 'utf8'));
}

function attempt<T>(what: string, problem: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw invalid(what, problem, error);
  }
}

function invalid(what: string, problem: string, cause?: unknown): OperationError {
  return new OperationError('TLS_INVALID', `${what}: ${problem}`, { cause });
}
