/**
 * The authority of a cluster with its key, and what it signs. ECDSA over P-256; serial numbers are random; keys are made
 * here and leave this process only to the hosts that they are for.
 *
 * The state of the authority is one file on every master, so that a lost laptop loses nothing and no combination of files
 * is ever half of one state and half of another.
 */

import { randomBytes, X509Certificate } from 'node:crypto';
import { OperationError, Secret } from '@dcos/base';
import type * as X509 from '@peculiar/x509';
import { z } from 'zod';
import {
  AUTHORITY_LIFE_MS,
  CLOCK_MARGIN_MS,
  LEAF_LIFE_MS,
  type AuthorityCertificate,
  type AuthorityStage,
  type AuthorityView,
} from '../core/certificates.ts';

/** An authority that can sign. */
export interface Authority extends AuthorityCertificate {
  /** PEM (PKCS #8). */
  readonly key: Secret<string>;
}

export type AuthorityState = AuthorityView<Authority>;

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const SERIAL_BYTES = 16;

const pairSchema = z.strictObject({ certificate: z.string(), key: z.string() });
const stateSchema = z.strictObject({
  version: z.literal(1),
  generation: z.int().min(1),
  stage: z.enum(['steady', 'introduced', 'adopted']),
  current: pairSchema,
  next: pairSchema.optional(),
});

/** The library is large; only those who sign load it. */
async function x509(): Promise<typeof X509> {
  await import('reflect-metadata');
  return await import('@peculiar/x509');
}

/** A cluster's first authority. */
export async function firstAuthority(cluster: string, nowMs: number): Promise<AuthorityState> {
  return { generation: 1, stage: 'steady', current: await createAuthority(cluster, nowMs) };
}

/** The state that follows in an exchange of the authority. */
export async function nextStage(
  state: AuthorityState,
  cluster: string,
  nowMs: number,
): Promise<AuthorityState> {
  const { current, next } = state;
  const generation = state.generation + 1;
  if (next === undefined) {
    return {
      generation,
      stage: 'introduced',
      current,
      next: await createAuthority(cluster, nowMs),
    };
  }
  if (state.stage === 'introduced') return { generation, stage: 'adopted', current, next };
  return { generation, stage: 'steady', current: next };
}

async function createAuthority(cluster: string, nowMs: number): Promise<Authority> {
  const library = await x509();
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const serialNumber = newSerial();
  const certificate = await library.X509CertificateGenerator.createSelfSigned({
    serialNumber,
    // Two of one cluster are told apart by their names, too.
    name: [{ CN: [`${cluster} authority ${serialNumber.slice(0, 8)}`] }, { O: ['DC/OS'] }],
    notBefore: new Date(nowMs - CLOCK_MARGIN_MS),
    notAfter: new Date(nowMs + AUTHORITY_LIFE_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new library.BasicConstraintsExtension(true, 0, true),
      new library.KeyUsagesExtension(
        library.KeyUsageFlags.keyCertSign | library.KeyUsageFlags.cRLSign,
        true,
      ),
      await library.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return readAuthority(certificate.toString('pem'), await keyText(keys.privateKey));
}

export interface LeafPlan {
  readonly commonName: string;
  /** Names and IPv4 addresses that it is for. */
  readonly names: readonly string[];
}

/** A key and its certificate, as one text in PEM. */
export async function issueLeaf(
  authority: Authority,
  { commonName, names }: LeafPlan,
  nowMs: number,
): Promise<Secret<string>> {
  const library = await x509();
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const issuer = new library.X509Certificate(authority.certificate);
  const signingKey = await crypto.subtle.importKey(
    'pkcs8',
    library.PemConverter.decodeFirst(authority.key.reveal()),
    ALGORITHM,
    false,
    ['sign'],
  );
  const certificate = await library.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: [{ CN: [commonName] }, { O: ['DC/OS'] }],
    issuer: issuer.subject,
    notBefore: new Date(nowMs - CLOCK_MARGIN_MS),
    // It cannot outlive whoever vouches for it.
    notAfter: new Date(Math.min(nowMs + LEAF_LIFE_MS, authority.notAfterMs)),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new library.BasicConstraintsExtension(false, undefined, true),
      new library.KeyUsagesExtension(library.KeyUsageFlags.digitalSignature, true),
      new library.ExtendedKeyUsageExtension([
        library.ExtendedKeyUsage.serverAuth,
        library.ExtendedKeyUsage.clientAuth,
      ]),
      new library.SubjectAlternativeNameExtension(
        names.map((value) => ({
          type: isAddress(value) ? ('ip' as const) : ('dns' as const),
          value,
        })),
      ),
      await library.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await library.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return new Secret(
    `${(await keyText(keys.privateKey)).trim()}\n${certificate.toString('pem').trim()}\n`,
  );
}

function isAddress(name: string): boolean {
  return /^\d+(\.\d+){3}$/.test(name);
}

/** Positive, and never with a zero byte in front. */
function newSerial(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

async function keyText(key: CryptoKey): Promise<string> {
  const { PemConverter } = await x509();
  return PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

/** The text of its file on masters. */
export function authorityText({
  generation,
  stage,
  current,
  next,
}: AuthorityState): Secret<string> {
  const pair = ({ certificate, key }: Authority): object => ({ certificate, key: key.reveal() });
  const document = {
    version: 1,
    generation,
    stage,
    current: pair(current),
    ...(next !== undefined && { next: pair(next) }),
  };
  return new Secret(`${JSON.stringify(document, null, 2)}\n`);
}

/**
 * Reads such a text.
 * @param where for messages; nothing of the text gets into them.
 * @throws OperationError `AUTHORITY_INVALID`
 */
export function readAuthorityText(text: Secret<string>, where: string): AuthorityState {
  try {
    const { generation, stage, current, next } = stateSchema.parse(JSON.parse(text.reveal()));
    if ((next === undefined) !== (stage === 'steady')) throw new Error('its stage does not fit');
    return {
      generation,
      stage: stage satisfies AuthorityStage,
      current: readAuthority(current.certificate, current.key),
      ...(next !== undefined && { next: readAuthority(next.certificate, next.key) }),
    };
  } catch {
    // The cause might quote what it could not read.
    throw new OperationError(
      'AUTHORITY_INVALID',
      `${where} is no authority that can be used; restore it from another master or a backup, or remove it there when another master has it`,
    );
  }
}

function readAuthority(certificate: string, key: string): Authority {
  const read = new X509Certificate(certificate);
  return {
    certificate,
    fingerprint: fingerprintOf(read),
    notAfterMs: Date.parse(read.validTo),
    notAfterDay: dayText(Date.parse(read.validTo)),
    key: new Secret(key),
  };
}

/** SHA-256 in hexadecimal. */
export function fingerprintOf({ fingerprint256 }: X509Certificate): string {
  return fingerprint256.replaceAll(':', '').toLowerCase();
}

/** Such as `2027-11-28`. */
export function dayText(instantMs: number): string {
  return new Date(instantMs).toISOString().slice(0, 10);
}
