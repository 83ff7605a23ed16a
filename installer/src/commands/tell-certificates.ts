/** Says which hosts get another certificate, and why, and by which authority a cluster is known. */

import {
  fingerprintText,
  leafReason,
  NODE_FILE,
  trusted,
  type AuthorityView,
} from '../core/certificates.ts';
import type { ConnectedHost } from './converge.ts';
import type { Reporter } from './reporter.ts';

/** What `dcos cluster setup` asks people to compare; nothing of a cluster without TLS. */
export function tellAuthority(authority: AuthorityView | undefined, reporter: Reporter): void {
  for (const { fingerprint: sha256, notAfterDay } of authority ? trusted(authority) : []) {
    const fingerprint = fingerprintText(sha256);
    reporter.tell(
      { event: 'authority.status', fingerprint, notAfter: notAfterDay },
      `  ${'authority'.padEnd(12)} until ${notAfterDay}, SHA-256 ${fingerprint}`,
    );
  }
}

export function tellCertificates(hosts: readonly ConnectedHost[], reporter: Reporter): void {
  for (const { place, leaf, facts } of hosts) {
    // A host that is new is no news.
    if (leaf === undefined || !facts.files.has(NODE_FILE)) continue;
    const reason = leafReason(leaf);
    if (reason === undefined) continue;
    reporter.tell(
      { event: 'certificate.due', host: place.name, reason },
      `  ${place.name.padEnd(12)} new certificate: ${reason}`,
    );
  }
}
