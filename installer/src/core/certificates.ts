/**
 * Certificates of a cluster: which a host shall have, and whether those that it has will do. The cluster has an authority
 * of its own; its key lives on every master and nowhere else. What a host shows and its key are one file, so that they
 * always fit one another.
 *
 * The authority is exchanged in stages, so that all trust the next one before anybody shows what it signed:
 *
 * | Stage      | All trust        | Certificates are signed by |
 * | ---------- | ---------------- | -------------------------- |
 * | steady     | current          | current                    |
 * | introduced | current and next | current                    |
 * | adopted    | next and current | next                       |
 * | steady     | the former next  | the same                   |
 *
 * Invariant: a host whose trusted authorities change gets another certificate with them. So what a component shows tells
 * what it trusts, and a stage is over when everybody shows what its host has now.
 */

import { hostsOf, type Cluster, type HostPlace } from './cluster.ts';
import { fileState, type HostFacts } from './host-facts.ts';

export const TLS_FOLDER = '/etc/dcos/tls';
/** Whom everybody trusts; for everybody to read. */
export const AUTHORITIES_FILE = `${TLS_FOLDER}/ca.crt`;
/** The key of a host, and its certificate. */
export const NODE_FILE = `${TLS_FOLDER}/node.pem`;
/** On masters: the authority with its key. */
export const AUTHORITY_FILE = '/var/lib/dcos/pki/authority.json';
export const SECRET_MODE = 0o600;
export const PUBLIC_MODE = 0o644;

const DAY_MS = 86_400_000;
/** Life of what hosts show. */
export const LEAF_LIFE_MS = 365 * DAY_MS;
export const AUTHORITY_LIFE_MS = 10 * 365 * DAY_MS;
/** A deployment renews what has less than this part of its life left. */
const RENEWED_PART = 1 / 3;
/** Clocks of hosts differ; preflight bounds by how much. */
export const CLOCK_MARGIN_MS = 3_600_000;

export type AuthorityStage = 'steady' | 'introduced' | 'adopted';

/** An authority without its key. */
export interface AuthorityCertificate {
  /** PEM. */
  readonly certificate: string;
  /** SHA-256 of the certificate in hexadecimal. */
  readonly fingerprint: string;
  readonly notAfterMs: number;
  readonly notAfterDay: string;
}

export interface AuthorityView<Signer extends AuthorityCertificate = AuthorityCertificate> {
  /** Grows with every change. */
  readonly generation: number;
  readonly stage: AuthorityStage;
  readonly current: Signer;
  readonly next?: Signer;
}

/** A certificate that a host has, read by the shell. */
export interface LeafFacts {
  /** SHA-256 in hexadecimal. */
  readonly fingerprint: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** The same as people write it, such as `2027-11-28`. */
  readonly notBeforeDay: string;
  readonly notAfterDay: string;
  /** Fingerprint of the known authority that signed it; undefined for any other. */
  readonly signedBy?: string;
  /** Names and addresses that it is for. */
  readonly names: readonly string[];
  /** Whether the key beside it is its own; undefined when the host could not say. */
  readonly hasItsKey?: boolean;
}

/** The authority that signs. */
export function signer<Signer extends AuthorityCertificate>({
  stage,
  current,
  next,
}: AuthorityView<Signer>): Signer {
  return stage === 'adopted' ? (next ?? current) : current;
}

/** All that are trusted. The one that signs comes first: readers that take one only take that. */
export function trusted<Signer extends AuthorityCertificate>(
  authority: AuthorityView<Signer>,
): readonly Signer[] {
  const { current, next } = authority;
  const first = signer(authority);
  const all = next === undefined ? [current] : [current, next];
  return [first, ...all.filter((one) => one !== first)];
}

/** The text of {@link AUTHORITIES_FILE}. */
export function trustedText(authority: AuthorityView): string {
  return trusted(authority)
    .map(({ certificate }) => `${certificate.trim()}\n`)
    .join('');
}

/** A fingerprint as people compare it: `AB:CD:…`. */
export function fingerprintText(hexadecimal: string): string {
  return (hexadecimal.toUpperCase().match(/../g) ?? []).join(':');
}

/** Names and addresses under which the components of a host are asked. */
export function namesOf(cluster: Cluster, host: HostPlace): readonly string[] {
  const own = [host.address, host.name, 'localhost', '127.0.0.1'];
  if (host.role !== 'master') return [...new Set(own)];
  const leading = ['leader.mesos', 'master.mesos', 'marathon.mesos'];
  const count = hostsOf(cluster, 'master').length;
  const numbered = Array.from({ length: count }, (_, index) => `master${index}.mesos`);
  return [...new Set([...own, ...leading, ...numbered, ...cluster.routerNames])];
}

export interface LeafQuestion {
  readonly wantedNames: readonly string[];
  readonly leaf: LeafFacts | undefined;
  readonly facts: Pick<HostFacts, 'files'>;
  readonly authority: AuthorityView;
  /** SHA-256 of {@link trustedText} in hexadecimal. */
  readonly trustedSha256: string;
  readonly nowMs: number;
}

/** Why a host needs another certificate; undefined when it has what it should. */
export function leafReason(question: LeafQuestion): string | undefined {
  const { leaf, facts, authority, trustedSha256, nowMs } = question;
  if (!facts.files.has(NODE_FILE)) return 'it has none';
  const problem = leafProblem(question);
  if (problem !== undefined) return problem.reason;
  if (leaf?.signedBy !== signer(authority).fingerprint)
    return 'it is signed by another authority than the one that signs now';
  if (facts.files.get(AUTHORITIES_FILE) !== fileState(PUBLIC_MODE, trustedSha256))
    return 'other authorities are to be trusted';
  const life = leaf.notAfterMs - leaf.notBeforeMs;
  return leaf.notAfterMs - nowMs < life * RENEWED_PART
    ? `it ends on ${leaf.notAfterDay}`
    : undefined;
}

export interface LeafProblem {
  readonly reason: string;
  /** Whether nobody who looks accepts it. */
  readonly isRefused: boolean;
}

/** What is wrong with the certificate that a host has; undefined when it serves. */
export function leafProblem(question: LeafQuestion): LeafProblem | undefined {
  const { wantedNames, leaf, facts, authority, nowMs } = question;
  const refused = (reason: string): LeafProblem => ({ reason, isRefused: true });
  const accepted = (reason: string): LeafProblem => ({ reason, isRefused: false });
  const state = facts.files.get(NODE_FILE);
  if (state === undefined) return refused(`${NODE_FILE} is not there`);
  if (leaf === undefined) return refused(`${NODE_FILE} has no certificate that can be read`);
  if (leaf.hasItsKey !== true)
    return refused(`the key in ${NODE_FILE} is not that of its certificate, or cannot be read`);
  if (leaf.notAfterMs <= nowMs) return refused(`it expired on ${leaf.notAfterDay}`);
  if (leaf.notBeforeMs > nowMs) return refused(`it is not valid before ${leaf.notBeforeDay}`);
  const known = [authority.current, authority.next].map((one) => one?.fingerprint);
  if (leaf.signedBy === undefined || !known.includes(leaf.signedBy))
    return refused('it is signed by a stranger');
  const mode = state.split(' ')[0] ?? '';
  if (mode !== SECRET_MODE.toString(8))
    return accepted(`${NODE_FILE} has the permissions ${mode}: others may have read its key`);
  const missing = wantedNames.filter((name) => !leaf.names.includes(name));
  return missing.length > 0 ? accepted(`it is not for ${missing.join(', ')}`) : undefined;
}
