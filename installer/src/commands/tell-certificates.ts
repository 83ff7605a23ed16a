/** Says which hosts get another certificate, and why. */

import { leafReason, NODE_FILE } from '../core/certificates.ts';
import type { ConnectedHost } from './converge.ts';
import type { Reporter } from './reporter.ts';

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
