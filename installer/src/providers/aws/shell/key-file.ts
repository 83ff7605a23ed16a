/**
 * The private key of the hosts: the only thing of a cluster that is not in EC2. It is made here, so that it never
 * travels, and kept in OpenSSH's own form (`openssh-key-v1`, its PROTOCOL.key), readable by its owner alone.
 */

import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { awsError } from '../errors.ts';

const MAGIC = 'openssh-key-v1\0';
const TYPE = 'ssh-ed25519';
const BEGIN = '-----BEGIN OPENSSH PRIVATE KEY-----';
const END = '-----END OPENSSH PRIVATE KEY-----';
const LINE_CHARACTERS = 70;
/** Without a cipher, the private part fills blocks of eight bytes. */
const BLOCK_BYTES = 8;

export interface KeyFile {
  readonly path: string;
  /** As in `authorized_keys`. */
  readonly publicKey: string;
  /** `SHA256:…`, as ssh shows it. */
  readonly fingerprint: string;
}

/** The key in a file; undefined when there is no file. */
export function readKeyFile(path: string): KeyFile | undefined {
  if (!existsSync(path)) return undefined;
  const blob = publicBlobOf(readFileSync(path, 'utf8'));
  if (blob === undefined) {
    throw awsError('AWS_KEY', `${path} is no private key of OpenSSH without a passphrase`);
  }
  return describeKey(path, blob);
}

/** Makes a key and keeps it; a file that is there is never overwritten. */
export function makeKeyFile(path: string, comment: string): KeyFile {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { d = '', x = '' } = privateKey.export({ format: 'jwk' });
  const publicBytes = Buffer.from(x, 'base64url');
  const blob = Buffer.concat([field(TYPE), field(publicBytes)]);
  const check = randomBytes(4);
  const secret = Buffer.concat([
    check,
    check,
    blob,
    field(Buffer.concat([Buffer.from(d, 'base64url'), publicBytes])),
    field(comment),
  ]);
  const paddingBytes = (BLOCK_BYTES - (secret.length % BLOCK_BYTES)) % BLOCK_BYTES;
  const padding = Buffer.from(Array.from({ length: paddingBytes }, (_, index) => index + 1));
  const count = Buffer.from([0, 0, 0, 1]);
  const whole = Buffer.concat([
    Buffer.from(MAGIC),
    field('none'),
    field('none'),
    field(''),
    count,
    field(blob),
    field(Buffer.concat([secret, padding])),
  ]);
  const lines = whole.toString('base64').match(new RegExp(`.{1,${LINE_CHARACTERS}}`, 'g')) ?? [];
  writeWhole(path, `${[BEGIN, ...lines, END].join('\n')}\n`);
  return describeKey(path, blob);
}

/** As a whole or not at all, and only where nothing is: half a key would be no key, another one would be lost. */
function writeWhole(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.new`;
  rmSync(temporary, { force: true });
  try {
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx', flush: true });
    chmodSync(temporary, 0o600);
    linkSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function describeKey(path: string, blob: Buffer): KeyFile {
  const digest = createHash('sha256').update(blob).digest('base64').replaceAll('=', '');
  return {
    path,
    publicKey: `${TYPE} ${blob.toString('base64')}`,
    fingerprint: `SHA256:${digest}`,
  };
}

function field(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** The public part stands in the clear before the private one. */
function publicBlobOf(text: string): Buffer | undefined {
  const start = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (start < 0 || end < start) return undefined;
  const bytes = Buffer.from(text.slice(start + BEGIN.length, end), 'base64');
  if (bytes.subarray(0, MAGIC.length).toString('latin1') !== MAGIC) return undefined;
  let at = MAGIC.length;
  const next = (): Buffer | undefined => {
    if (at + 4 > bytes.length) return undefined;
    const length = bytes.readUInt32BE(at);
    const content = bytes.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    return content.length === length ? content : undefined;
  };
  const cipher = next()?.toString();
  next();
  next();
  at += 4;
  const blob = next();
  const isOurs = cipher === 'none' && blob?.subarray(4, 4 + TYPE.length).toString() === TYPE;
  return isOurs ? blob : undefined;
}
