import { X509Certificate } from 'node:crypto';
import { inspect } from 'node:util';
import { Secret } from '@dcos/base';
import { expect, test } from 'vitest';
import { AUTHORITY_LIFE_MS, LEAF_LIFE_MS } from '../core/certificates.ts';
import {
  authorityText,
  firstAuthority,
  issueLeaf,
  nextStage,
  readAuthorityText,
} from './authority.ts';
import { readLeaf } from './read-certificate.ts';

const NOW = Date.UTC(2027, 0, 1);
const plan = { commonName: 'master-1', names: ['10.0.0.1', 'master-1', 'leader.mesos'] };

test('what it signs is for the names of a host, and for a year', async () => {
  const { current } = await firstAuthority('demo', NOW);
  const pem = (await issueLeaf(current, plan, NOW)).reveal();
  const leaf = readLeaf(pem, undefined, [current]);
  expect(leaf).toMatchObject({
    signedBy: current.fingerprint,
    names: plan.names,
    notAfterMs: NOW + LEAF_LIFE_MS,
    notAfterDay: '2028-01-01',
  });
  const certificate = new X509Certificate(pem.slice(pem.indexOf('-----BEGIN CERTIFICATE')));
  expect(certificate.ca).toBe(false);
  expect(certificate.checkIP('10.0.0.1')).toBe('10.0.0.1');
  expect(certificate.checkHost('leader.mesos')).toBe('leader.mesos');
  const authority = new X509Certificate(current.certificate);
  expect(certificate.checkIssued(authority)).toBe(true);
  expect(authority.ca).toBe(true);
  expect(current.notAfterMs).toBe(NOW + AUTHORITY_LIFE_MS);
});

test('nothing that it signs outlives it', async () => {
  const { current } = await firstAuthority('demo', NOW);
  const late = current.notAfterMs - 1_000_000;
  expect(readLeaf((await issueLeaf(current, plan, late)).reveal(), undefined, [])).toMatchObject({
    notAfterMs: current.notAfterMs,
  });
});

test('its text is read again, and an exchange goes through its stages', async () => {
  const first = await firstAuthority('demo', NOW);
  const introduced = await nextStage(first, 'demo', NOW);
  const adopted = await nextStage(introduced, 'demo', NOW);
  const done = await nextStage(adopted, 'demo', NOW);
  expect([first, introduced, adopted, done].map(({ stage }) => stage)).toEqual([
    'steady',
    'introduced',
    'adopted',
    'steady',
  ]);
  expect([introduced, adopted, done].map(({ generation }) => generation)).toEqual([2, 3, 4]);
  expect(introduced.current.fingerprint).toBe(first.current.fingerprint);
  expect(done.current.fingerprint).toBe(introduced.next?.fingerprint);
  for (const state of [first, introduced, adopted, done]) {
    const text = authorityText(state);
    expect(authorityText(readAuthorityText(text, 'x')).reveal()).toBe(text.reveal());
  }
});

test('keys are shown nowhere', async () => {
  const state = await firstAuthority('demo', NOW);
  const leaf = await issueLeaf(state.current, plan, NOW);
  const shown = [JSON.stringify({ state, leaf }), inspect({ state, leaf }), String(leaf)].join();
  expect(shown).not.toContain('PRIVATE KEY');
});

test.each(['', '{}', '{"version":1,"generation":1,"stage":"steady","current":"SECRET"}'])(
  'a text that is none is refused, and not quoted: %s',
  (text) => {
    expect(() => readAuthorityText(new Secret(text), '/x on m')).toThrow(
      expect.objectContaining({
        code: 'AUTHORITY_INVALID',
        message: expect.not.stringContaining('SECRET'),
      }),
    );
  },
);

test('a certificate that cannot be read is told as such', () => {
  expect(readLeaf('nothing', undefined, [])).toBeUndefined();
});
