import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  fingerprintOf,
  forgetKeys,
  judgeKey,
  keyTypeOf,
  knownKeysOf,
  pinKey,
  readKnownHosts,
} from './known-hosts.ts';

/** A key in the encoding of the protocol: its type, and here any bytes. */
function keyOf(type: string, rest: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.from(rest)]);
}

const KEY = keyOf('ssh-ed25519', 'right');
const OTHER = keyOf('ssh-ed25519', 'wrong');
const line = (names: string, key = KEY, marker = ''): string =>
  `${marker}${names} ssh-ed25519 ${key.toString('base64')} a comment`;

function hashed(name: string): string {
  const salt = Buffer.from('salt of twenty bytes');
  const hash = createHmac('sha1', salt).update(name).digest('base64');
  return `|1|${salt.toString('base64')}|${hash}`;
}

test.each<[what: string, text: string, port: number, verdict: object]>([
  ['nothing', '', 22, { kind: 'unknown' }],
  ['its name', line('10.0.0.1'), 22, { kind: 'known' }],
  ['one of several names', line('web,10.0.0.1'), 22, { kind: 'known' }],
  ['its name as a hash', line(hashed('10.0.0.1')), 22, { kind: 'known' }],
  ['its name with the port', line('[10.0.0.1]:2222'), 2222, { kind: 'known' }],
  ['its name at another port', line('10.0.0.1'), 2222, { kind: 'unknown' }],
  ['a name that begins like it', line('10.0.0.10'), 22, { kind: 'unknown' }],
  ['another key', line('10.0.0.1', OTHER), 22, { kind: 'changed', line: 1 }],
  [
    'another key before it',
    `${line('10.0.0.1', OTHER)}\n${line('10.0.0.1')}`,
    22,
    { kind: 'known' },
  ],
  [
    'another key below a comment',
    `# why\n\n${line('10.0.0.1', OTHER)}`,
    22,
    { kind: 'changed', line: 3 },
  ],
  ['its key as revoked', line('10.0.0.1', KEY, '@revoked '), 22, { kind: 'revoked', line: 1 }],
  ['another key as revoked', line('10.0.0.1', OTHER, '@revoked '), 22, { kind: 'unknown' }],
  ['an authority', line('10.0.0.1', OTHER, '@cert-authority '), 22, { kind: 'unknown' }],
  ['half a line', '10.0.0.1 ssh-ed25519', 22, { kind: 'unknown' }],
])('a file with %s', (_what, text, port, verdict) => {
  expect(judgeKey(knownKeysOf(text, '10.0.0.1', port), KEY)).toEqual(verdict);
});

test('a pinned key is known from then on, and is in a file for its owner alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'known-hosts-'));
  try {
    const file = join(folder, 'new', 'known_hosts');
    expect(await readKnownHosts(file)).toBe('');
    await pinKey(file, 'host', 2222, KEY);
    await pinKey(file, 'other', 22, OTHER);
    const text = await readFile(file, 'utf8');
    expect(text).toBe(
      `[host]:2222 ssh-ed25519 ${KEY.toString('base64')}\nother ssh-ed25519 ${OTHER.toString('base64')}\n`,
    );
    expect(judgeKey(knownKeysOf(text, 'host', 2222), KEY)).toEqual({ kind: 'known' });
    expect(judgeKey(knownKeysOf(text, 'host', 2222), OTHER)).toEqual({ kind: 'changed', line: 1 });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await expect(pinKey(file, 'host', 22, Buffer.from('x'))).rejects.toThrow('of no known kind');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.each([
  [KEY, 'ssh-ed25519'],
  [Buffer.alloc(0), undefined],
  [Buffer.from([0, 0, 0, 9, 65]), undefined],
  [keyOf('a b\n', ''), undefined],
])('the type of a key is only told when it is one', (key, type) => {
  expect(keyTypeOf(key)).toBe(type);
});

test('a fingerprint is shown as ssh-keygen shows it', () => {
  expect(fingerprintOf(KEY)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
});

test('a forgotten host is unknown, whatever its name looks like; others stay word by word', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'known-'));
  const path = join(folder, 'known_hosts');
  try {
    await forgetKeys(path, '10.0.0.1', 22);
    const others = ['# ours', line('10.0.0.10'), line('[10.0.0.1]:2222'), ''];
    const own = [line('10.0.0.1'), line(hashed('10.0.0.1')), line('web,10.0.0.1', OTHER)];
    await writeFile(path, [...own, ...others].join('\n'));
    await forgetKeys(path, '10.0.0.1', 22);
    expect(await readFile(path, 'utf8')).toBe(others.join('\n'));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  } finally {
    await rm(folder, { recursive: true });
  }
});
