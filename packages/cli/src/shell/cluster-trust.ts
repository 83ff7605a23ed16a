/**
 * How the certificate of a cluster is checked that is being set up, as the classic client decides it: by what the flags
 * say; else by the authorities that the system knows; where those have not signed it, by the authority that the cluster
 * itself names, once its user has compared the fingerprint.
 */

import { operationErrorCode } from '@dcos/base';
import { cliError } from './errors.ts';
import { HttpClient } from './http-client.ts';
import type { HttpClientOptions } from './http-client.ts';
import type { TransportSecurity } from './http-transport.ts';
import { isConfirmed } from './prompts.ts';
import { securityOf, transportSecurity } from './session.ts';
import type { Terminal } from './terminal.ts';

export interface TrustFlags {
  readonly insecure?: boolean;
  readonly caCerts?: string;
  /** False to take the authority of the cluster without a question. */
  readonly check: boolean;
}

export interface FirstContact {
  /** Of the cluster, without a slash at its end. */
  readonly url: string;
  readonly flags: TrustFlags;
  readonly terminal: Terminal;
  readonly settings: Omit<HttpClientOptions, 'token' | 'security' | 'trustHint'>;
}

/** Two while they are exchanged. */
const authoritiesMax = 10;
const authoritiesCharactersMax = 100_000;
const certificatePattern = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Asks a cluster something for the first time.
 * @param ask is called again once the authority of the cluster is accepted.
 * @returns its answer, and how certificates are checked from then on.
 * @throws OperationError `CLI_UNTRUSTED`, `CLI_REFUSED`, and what `ask` throws
 */
export async function askTrusted<T>(
  contact: FirstContact,
  ask: (client: HttpClient) => Promise<T>,
): Promise<{ readonly answer: T; readonly security: TransportSecurity }> {
  const { flags, terminal } = contact;
  if (flags.insecure === true && flags.caCerts !== undefined)
    throw cliError('CLI_USAGE', '--insecure and --ca-certs exclude each other');
  const flag = flags.insecure === true ? 'false' : flags.caCerts;
  // What is said here and now counts more than a variable.
  const given = await (flag === undefined ? transportSecurity({}, terminal) : securityOf(flag));
  try {
    return { answer: await ask(anonymousClient(contact, given)), security: given };
  } catch (error) {
    // Whoever names authorities wants those and no others.
    if (operationErrorCode(error) !== 'CLI_UNTRUSTED' || given.authorities !== undefined)
      throw error;
    const authorities = await offeredAuthorities(contact);
    if (authorities === undefined) throw error;
    await accept(authorities, contact);
    const security = { verify: true, authorities: authorities.join('\n') };
    return { answer: await ask(anonymousClient(contact, security)), security };
  }
}

function anonymousClient({ url, settings }: FirstContact, security: TransportSecurity): HttpClient {
  return new HttpClient({ ...settings, token: '', security, trustHint: trustHint(url) });
}

/** Whoever sets up a cluster has no configuration of it yet. */
function trustHint(url: string): string {
  return (
    `Name a file with the certificate authority of the cluster; it is ${url}/ca/dcos-ca.crt, and its hosts have it, too:\n` +
    `    dcos cluster setup ${url} --ca-certs <file>\n` +
    'Or connect without verification, by --insecure.'
  );
}

/** The authorities that a cluster names, in PEM, from whoever answers at its address; undefined where it names none. */
async function offeredAuthorities(contact: FirstContact): Promise<readonly string[] | undefined> {
  const { url } = contact;
  const reply = await anonymousClient(contact, { verify: false }).request(`${url}/ca/dcos-ca.crt`, {
    accept: [401, 403, 404, 405, 500, 501, 502, 503, 504],
  });
  if (reply.status !== 200 || reply.body.length > authoritiesCharactersMax) return undefined;
  const found = reply.body.match(certificatePattern) ?? [];
  return found.length === 0 || found.length > authoritiesMax ? undefined : found;
}

/** @throws OperationError `CLI_REFUSED` */
async function accept(
  authorities: readonly string[],
  { url, flags, terminal }: FirstContact,
): Promise<void> {
  const lines = await Promise.all(authorities.map(describe));
  if (!flags.check) return;
  terminal.notice(
    `The certificate of ${url} is signed by an authority that this machine does not know:\n${lines.join('\n')}`,
  );
  if (await isConfirmed(terminal, 'Compare the fingerprint. Do you trust it?')) return;
  throw cliError(
    'CLI_REFUSED',
    `the certificate authority was not accepted, and nothing was changed.\n${trustHint(url)}`,
  );
}

/** @throws OperationError `CLI_BAD_REPLY` */
async function describe(pem: string): Promise<string> {
  const { X509Certificate } = await import('node:crypto');
  try {
    const { issuer, validFrom, validTo, fingerprint256 } = new X509Certificate(pem);
    return [
      `  Issuer:               ${issuer.replaceAll('\n', ', ')}`,
      `  Validity:             ${validFrom} to ${validTo}`,
      `  SHA-256 fingerprint:  ${fingerprint256}`,
    ].join('\n');
  } catch (error) {
    const text = 'the cluster names an authority whose certificate cannot be read';
    throw cliError('CLI_BAD_REPLY', text, { cause: error });
  }
}
