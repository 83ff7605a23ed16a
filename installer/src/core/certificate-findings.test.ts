import { expect, test } from 'vitest';
import { certificateFindings } from './certificate-findings.ts';
import {
  AUTHORITIES_FILE,
  NODE_FILE,
  type AuthorityView,
  type LeafFacts,
  type LeafQuestion,
} from './certificates.ts';
import { fileState } from './host-facts.ts';

const DAY_MS = 86_400_000;
const authorityUntil = (days: number): AuthorityView => ({
  generation: 1,
  stage: 'steady',
  current: {
    certificate: '',
    fingerprint: 'a',
    notAfterMs: days * DAY_MS,
    notAfterDay: `day ${days}`,
  },
});
const leafUntil = (days: number, files: readonly string[] = [NODE_FILE]): LeafQuestion => {
  const leaf: LeafFacts = {
    fingerprint: 'leaf',
    notBeforeMs: 0,
    notAfterMs: days * DAY_MS,
    notBeforeDay: 'day 0',
    notAfterDay: `day ${days}`,
    signedBy: 'a',
    names: [],
    hasItsKey: true,
  };
  const modes = new Map(files.map((path) => [path, fileState(0o600, 'x')]));
  return {
    wantedNames: [],
    leaf,
    facts: { files: modes.set(AUTHORITIES_FILE, fileState(0o644, 'trusted')) },
    authority: authorityUntil(3_650),
    trustedSha256: 'trusted',
    nowMs: 100 * DAY_MS,
  };
};

test.each<[string, LeafQuestion | undefined, string | undefined]>([
  ['good', leafUntil(200), undefined],
  ['soon over', leafUntil(120), 'it ends on day 120'],
  ['over', leafUntil(99), 'it expired on day 99'],
  ['away', leafUntil(200, []), `${NODE_FILE} is not there`],
  ['of a host without TLS', undefined, undefined],
])('a certificate that is %s', (_name, leaf, reason) => {
  const findings = certificateFindings([{ host: 'h', leaf }], authorityUntil(3_650), 100 * DAY_MS);
  expect(findings.map((finding) => finding.reason)).toEqual(reason === undefined ? [] : [reason]);
  for (const { host, check, remedy } of findings)
    expect([host, check, remedy]).toEqual([
      'h',
      'certificate',
      '"installer deploy" gives it another one, which components take up within ten seconds',
    ]);
});

test.each<[string, AuthorityView | undefined, readonly string[]]>([
  ['of years', authorityUntil(3_650), []],
  [
    'of another year',
    authorityUntil(465),
    ['it ends on day 465, and nothing that it signs lives longer'],
  ],
  ['of the past', authorityUntil(50), ['it expired on day 50, and with it all certificates']],
  [
    'in exchange',
    { ...authorityUntil(3_650), stage: 'adopted', next: authorityUntil(9_000).current },
    ['it is being exchanged, and that is not at its end'],
  ],
  ['that nobody can read', undefined, []],
])('an authority %s', (_name, authority, reasons) => {
  const findings = certificateFindings([], authority, 100 * DAY_MS);
  expect(findings.map(({ reason }) => reason)).toEqual(reasons);
  for (const { remedy } of findings) expect(remedy).toMatch(/^installer rotate-certificates --aut/);
});
