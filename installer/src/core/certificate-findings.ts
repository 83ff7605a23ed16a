/** What `doctor` finds about certificates: what nobody accepts, what soon ends, an exchange that is not at its end. */

import { leafProblem, leafReason, type AuthorityView, type LeafQuestion } from './certificates.ts';
import type { Finding } from './doctor.ts';

const DAY_MS = 86_400_000;
/** An authority that ends within this is to be exchanged. */
const AUTHORITY_LEFT_MS_MIN = 400 * DAY_MS;

const REMEDY =
  '"installer deploy" gives it another one, which components take up within ten seconds';
const EXCHANGE = 'installer rotate-certificates --authority';

/** @param hosts questions about their certificates, by name. */
export function certificateFindings(
  hosts: readonly { readonly host: string; readonly leaf: LeafQuestion | undefined }[],
  authority: AuthorityView | undefined,
  nowMs: number,
): readonly Finding[] {
  if (authority === undefined) return [];
  return [
    ...hosts.flatMap(({ host, leaf }) => {
      // What is not installed is found as such.
      if (leaf === undefined || leaf.facts.files.size === 0) return [];
      const reason = leafProblem(leaf)?.reason ?? leafReason(leaf);
      if (reason === undefined) return [];
      return [{ host, severity: 'error' as const, check: 'certificate', reason, remedy: REMEDY }];
    }),
    ...authorityFindings(authority, nowMs),
  ];
}

function authorityFindings(authority: AuthorityView, nowMs: number): readonly Finding[] {
  const finding = (reason: string): Finding => ({
    host: 'cluster',
    severity: 'error',
    check: 'authority',
    reason,
    remedy: EXCHANGE,
  });
  const { current, next } = authority;
  if (next !== undefined) return [finding('it is being exchanged, and that is not at its end')];
  if (current.notAfterMs <= nowMs)
    return [finding(`it expired on ${current.notAfterDay}, and with it all certificates`)];
  return current.notAfterMs - nowMs < AUTHORITY_LEFT_MS_MIN
    ? [finding(`it ends on ${current.notAfterDay}, and nothing that it signs lives longer`)]
    : [];
}
