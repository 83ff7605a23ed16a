/**
 * Which keys hosts have: a file in the format of OpenSSH, so that `ssh` itself can be used with it and its files here.
 *
 * A host that no line names is either pinned by its first key or refused, as the configuration says; a host whose key
 * is another one than it was is always refused. Lines of certificate authorities are not understood and are skipped; a
 * revoked key is refused.
 * Source of the format: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT.
 */

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface KnownKey {
  readonly type: string;
  /** In base64. */
  readonly key: string;
  readonly isRevoked: boolean;
  /** From 1. */
  readonly line: number;
}

export type KeyVerdict =
  | { readonly kind: 'known' }
  /** No line names this host. */
  | { readonly kind: 'unknown' }
  /** A line names it, with another key. */
  | { readonly kind: 'changed'; readonly line: number }
  | { readonly kind: 'revoked'; readonly line: number };

const DEFAULT_PORT = 22;

/** How a host is named in the file. */
export function knownName(host: string, port: number): string {
  return port === DEFAULT_PORT ? host : `[${host}]:${port}`;
}

/** What the text of a file says about a host. */
export function knownKeysOf(text: string, host: string, port: number): readonly KnownKey[] {
  const name = knownName(host, port);
  return text.split('\n').flatMap((content, index) => {
    const words = content.trim().split(/\s+/);
    if (content.trim() === '' || content.trimStart().startsWith('#')) return [];
    const marker = words[0]?.startsWith('@') === true ? words.shift() : undefined;
    const [names = '', type = '', key = ''] = words;
    if (key === '' || (marker !== undefined && marker !== '@revoked')) return [];
    if (!names.split(',').some((pattern) => isNamed(pattern, name))) return [];
    return [{ type, key, isRevoked: marker === '@revoked', line: index + 1 }];
  });
}

/** Whether a key, in the encoding of the protocol, is one that these lines allow. */
export function judgeKey(known: readonly KnownKey[], key: Buffer): KeyVerdict {
  const text = key.toString('base64');
  const revoked = known.find((entry) => entry.isRevoked && entry.key === text);
  if (revoked !== undefined) return { kind: 'revoked', line: revoked.line };
  const trusted = known.filter((entry) => !entry.isRevoked);
  if (trusted.some((entry) => entry.key === text)) return { kind: 'known' };
  const [first] = trusted;
  return first === undefined ? { kind: 'unknown' } : { kind: 'changed', line: first.line };
}

/** The type of a key in the encoding of the protocol, such as `ssh-ed25519`; undefined for what is none. */
export function keyTypeOf(key: Buffer): string | undefined {
  if (key.length < 4) return undefined;
  const length = key.readUInt32BE(0);
  if (length > 64 || key.length < 4 + length) return undefined;
  const type = key.subarray(4, 4 + length).toString('latin1');
  return /^[a-z0-9@.-]+$/.test(type) ? type : undefined;
}

/** As `ssh-keygen -l` shows it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** Text of a file that may not be there. */
export async function readKnownHosts(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** Pins a key. One line at the end, written at once, so that several connections may do so at a time. */
export async function pinKey(path: string, host: string, port: number, key: Buffer): Promise<void> {
  const type = keyTypeOf(key);
  if (type === undefined) throw new TypeError(`${host} showed a key of no known kind`);
  await mkdir(dirname(path), { recursive: true });
  const line = `${knownName(host, port)} ${type} ${key.toString('base64')}\n`;
  await appendFile(path, line, { mode: 0o600 });
}

/** Forgets the keys of a host; the next one that it shows is its first. */
export async function forgetKeys(path: string, host: string, port: number): Promise<void> {
  const text = await readKnownHosts(path);
  const lines = new Set(knownKeysOf(text, host, port).map(({ line }) => line));
  if (lines.size === 0) return;
  const kept = text.split('\n').filter((_line, index) => !lines.has(index + 1));
  await writeFile(`${path}.new`, kept.join('\n'), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** A plain name, or one of which only a keyed hash is in the file: `|1|salt|hash`. Patterns are not followed. */
function isNamed(pattern: string, name: string): boolean {
  const hashed = /^\|1\|([^|]+)\|([^|]+)$/.exec(pattern);
  if (hashed === null) return pattern === name;
  const [, salt = '', expected = ''] = hashed;
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  const wanted = Buffer.from(expected, 'base64');
  return wanted.length === actual.length && timingSafeEqual(wanted, actual);
}
