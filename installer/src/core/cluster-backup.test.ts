import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { endLine, headerLine, parseClusterBackup, workIn } from './cluster-backup.ts';

const digest = (part: Uint8Array | string): string =>
  createHash('sha256').update(part).digest('hex');
const HEADER = {
  createdAt: '2026-01-31T03:00:00.000Z',
  cluster: { name: 'demo', id: '8f3c0f62-0000-4000-8000-000000000000' },
  document: { name: 'demo', provider: 'docker' },
};
const STATE = '{"format":"dcos-backup"}\n{"key":"master/agents/S0","value":""}\n{"sha256":"…"}\n';
const WHOLE = headerLine(HEADER) + STATE;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (text: string) =>
  parseClusterBackup(bytes(text), {
    digest,
    decode: (part) => new TextDecoder().decode(part),
  });

describe('a backup', () => {
  test('has what was put into it', () => {
    const result = read(WHOLE + endLine(digest(WHOLE)));
    expect(result).toMatchObject({ ok: true, value: HEADER });
    expect(result.ok && new TextDecoder().decode(result.value.state)).toBe(STATE);
  });

  test.each([
    ['nothing', '', 'does not begin'],
    ['something else', 'name: demo\n', 'does not begin'],
    ['a state alone', STATE, 'does not begin'],
    ['the first line alone', headerLine(HEADER), 'checksum'],
    ['no end', WHOLE, 'checksum'],
    ['a byte that is another', WHOLE.replace('S0', 'S1') + endLine(digest(WHOLE)), 'checksum'],
    ['half of it', (WHOLE + endLine(digest(WHOLE))).slice(0, -80), 'checksum'],
    [
      'a newer format',
      (WHOLE + endLine(digest(WHOLE))).replace('"version":1', '"version":2'),
      'this installer reads 1',
    ],
  ])('is not: %s', (_name, text, words) => {
    const result = read(text);
    expect(result).toMatchObject({ ok: false });
    expect(!result.ok && result.error).toContain(words);
  });
});

test.each([
  ['a new cluster', { 'master/agents': 3, 'master/frameworks': 1, 'marathon/framework': 1 }, []],
  ['an app', { 'master/frameworks': 1, 'marathon/app': 2 }, ['2 of marathon/app']],
  ['a quota', { 'master/quotas': 1 }, ['1 of master/quotas']],
  ['frameworks of others', { 'master/frameworks': 3 }, ['2 of master/frameworks']],
])('work is told of: %s', (_name, counts, lines) => {
  expect(workIn(new Map(Object.entries(counts)))).toEqual(lines);
});
