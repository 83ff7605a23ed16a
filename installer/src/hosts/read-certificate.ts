/** What is said of a certificate that a host has, from its text. */

import { X509Certificate } from 'node:crypto';
import type { AuthorityCertificate, LeafFacts } from '../core/certificates.ts';
import { dayText, fingerprintOf } from './authority.ts';

/**
 * Undefined when it cannot be read.
 * @param publicKey of the key beside it: SPKI in base64, empty when that key cannot be used, undefined when nobody knows.
 */
export function readLeaf(
  pem: string,
  publicKey: string | undefined,
  authorities: readonly AuthorityCertificate[],
): LeafFacts | undefined {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    return undefined;
  }
  const signedBy = authorities.find((authority) =>
    certificate.verify(new X509Certificate(authority.certificate).publicKey),
  );
  const own = certificate.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  const notBeforeMs = Date.parse(certificate.validFrom);
  const notAfterMs = Date.parse(certificate.validTo);
  return {
    fingerprint: fingerprintOf(certificate),
    notBeforeMs,
    notAfterMs,
    notBeforeDay: dayText(notBeforeMs),
    notAfterDay: dayText(notAfterMs),
    ...(signedBy !== undefined && { signedBy: signedBy.fingerprint }),
    names: namesIn(certificate.subjectAltName ?? ''),
    ...(publicKey !== undefined && { hasItsKey: publicKey === own }),
  };
}

function namesIn(text: string): readonly string[] {
  return text.split(', ').flatMap((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1] ?? []);
}
