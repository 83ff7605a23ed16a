/**
 * The files of certificates that each host of a cluster shall have: what it has, where that will do; new ones, where it
 * will not. Those who change nothing ask with `issues: false`, and get files without a text that only differ.
 */

import { createHash } from 'node:crypto';
import { OperationError, Secret } from '@dcos/base';
import {
  AUTHORITIES_FILE,
  AUTHORITY_FILE,
  leafProblem,
  leafReason,
  namesOf,
  NODE_FILE,
  PUBLIC_MODE,
  SECRET_MODE,
  signer,
  trustedText,
  type AuthorityView,
  type LeafQuestion,
} from '../core/certificates.ts';
import type { Cluster, HostPlace } from '../core/cluster.ts';
import type { HostFacts } from '../core/host-facts.ts';
import type { HostCertificates, WantedFile } from '../core/wanted-host.ts';
import {
  authorityText,
  firstAuthority,
  issueLeaf,
  readAuthorityText,
  type AuthorityState,
} from '../hosts/authority.ts';
import type { HostConnection } from '../hosts/connection.ts';
import { readLeaf } from '../hosts/read-certificate.ts';

export interface ProbedHost {
  readonly host: HostPlace;
  readonly facts: HostFacts;
  readonly connection: HostConnection;
}

/** What a cluster has in certificates. */
export interface ClusterCertificates {
  readonly authority: AuthorityState;
  /** Whether no master had one. */
  readonly isNew: boolean;
}

/**
 * The authority of a cluster: from the master that has its latest state, or a new one.
 * @throws OperationError `AUTHORITY_INVALID`, or `TLS_SWITCHED` for a cluster that was made otherwise.
 */
export async function clusterCertificates(
  cluster: Cluster,
  probed: readonly ProbedHost[],
  nowMs: number,
): Promise<ClusterCertificates | undefined> {
  const masters = probed.filter(({ host }) => host.role === 'master');
  const holders = masters.filter(({ facts }) => facts.files.has(AUTHORITY_FILE));
  refuseSwitch(cluster, { masters, holders });
  if (!cluster.settings.tls) return undefined;
  const states = await Promise.all(holders.map(readAuthority));
  const [latest] = states.toSorted((a, b) => b.generation - a.generation);
  return latest === undefined
    ? { authority: await firstAuthority(cluster.settings.name, nowMs), isNew: true }
    : { authority: latest, isNew: false };
}

/** All would have to change at the same moment: who speaks TLS and who does not cannot hear one another. */
function refuseSwitch(
  { settings }: Cluster,
  found: { readonly masters: readonly ProbedHost[]; readonly holders: readonly ProbedHost[] },
): void {
  const isPlain =
    found.holders.length === 0 &&
    found.masters.some(({ facts }) => facts.units.has('dcos-mesos-master'));
  if (settings.tls ? !isPlain : found.holders.length === 0) return;
  throw new OperationError(
    'TLS_SWITCHED',
    settings.tls
      ? 'the cluster runs without TLS, and cannot be switched while it is there: set tls: false, or destroy it and deploy it anew'
      : 'the cluster runs with TLS, and cannot be switched while it is there: set tls: true, or destroy it and deploy it anew',
  );
}

async function readAuthority({ host, connection }: ProbedHost): Promise<AuthorityState> {
  const { code, stdout, stderr } = await connection.run(['cat', AUTHORITY_FILE]);
  if (code !== 0)
    throw new OperationError(
      'AUTHORITY_INVALID',
      `${AUTHORITY_FILE} of ${host.name} cannot be read: ${stderr.trim()}`,
    );
  return readAuthorityText(new Secret(stdout), `${AUTHORITY_FILE} of ${host.name}`);
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What to ask about the certificate of a host. */
export function leafQuestion(
  cluster: Cluster,
  { host, facts }: Pick<ProbedHost, 'host' | 'facts'>,
  authority: AuthorityView,
  nowMs: number,
): LeafQuestion {
  const pem = facts.certificates.get(NODE_FILE);
  const { current, next } = authority;
  const authorities = next === undefined ? [current] : [current, next];
  return {
    wantedNames: namesOf(cluster, host),
    leaf: pem === undefined ? undefined : readLeaf(pem, facts.publicKey, authorities),
    facts,
    authority,
    trustedSha256: sha256(trustedText(authority)),
    nowMs,
  };
}

export interface CertificateOptions {
  readonly nowMs: number;
  /** Whether certificates that are due are made. */
  readonly issues: boolean;
  /** Whether all are made anew, whatever there is. */
  readonly isForced?: boolean;
}

/** What a host shall have, authorities first: they have to be there before what they vouch for. */
export async function hostCertificates(
  host: HostPlace,
  question: LeafQuestion,
  authority: AuthorityState,
  options: CertificateOptions,
): Promise<HostCertificates> {
  const isDue = options.isForced === true || leafReason(question) !== undefined;
  const text = trustedText(authority);
  const files = [
    ...(host.role === 'master' ? [secretFile(AUTHORITY_FILE, authorityText(authority))] : []),
    { path: AUTHORITIES_FILE, text, mode: PUBLIC_MODE, sha256: sha256(text) },
    isDue ? await newLeaf(host, question, authority, options) : keptLeaf(question),
  ];
  return { files, isRefused: leafProblem(question)?.isRefused === true };
}

/** What a host has stays; what it has not is missing. */
export function foundCertificates({ role }: HostPlace, { files }: HostFacts): HostCertificates {
  const paths = [...(role === 'master' ? [AUTHORITY_FILE] : []), AUTHORITIES_FILE, NODE_FILE];
  const found = paths.map((path): WantedFile => {
    const [mode = '', digest = ''] = (files.get(path) ?? '').split(' ');
    const text = digest === '' ? '' : undefined;
    return { path, text, mode: Number.parseInt(mode, 8) || SECRET_MODE, sha256: digest };
  });
  return { files: found, isRefused: false };
}

async function newLeaf(
  { name }: HostPlace,
  { wantedNames }: LeafQuestion,
  authority: AuthorityState,
  { issues, nowMs }: CertificateOptions,
): Promise<WantedFile> {
  const leaf = { commonName: name, names: wantedNames };
  const text = issues ? await issueLeaf(signer(authority), leaf, nowMs) : new Secret('');
  return secretFile(NODE_FILE, text);
}

function keptLeaf({ facts }: LeafQuestion): WantedFile {
  const [, found = ''] = (facts.files.get(NODE_FILE) ?? '').split(' ');
  return { path: NODE_FILE, text: undefined, mode: SECRET_MODE, sha256: found };
}

function secretFile(path: string, text: Secret<string>): WantedFile {
  return { path, text, mode: SECRET_MODE, sha256: sha256(text.reveal()) };
}
