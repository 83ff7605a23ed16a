// Asks masters who leads, until one says it. Arguments: addresses as host:port. Prints the leader's host, or
// nothing. In a cluster with certificates it asks by TLS.
import { existsSync, readFileSync } from 'node:fs';
import { setDefaultCACertificates } from 'node:tls';

const ANSWER_MS = 5_000;
const AUTHORITIES = '/etc/dcos/tls/ca.crt';

const hasTls = existsSync(AUTHORITIES);
if (hasTls) setDefaultCACertificates([readFileSync(AUTHORITIES, 'utf8')]);
for (const address of process.argv.slice(1)) {
  try {
    const answer = await fetch(`${hasTls ? 'https' : 'http'}://${address}/redirect`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const leader = /^(?:https?:)?\/\/([^:/]+)/.exec(answer.headers.get('location') ?? '')?.[1];
    if (leader === undefined) continue;
    process.stdout.write(leader);
    break;
  } catch {
    // The next one may know.
  }
}
