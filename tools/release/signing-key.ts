/**
 * The key that releases are signed with: the one of `--signing-key`, or one that is made once for the checkout, in
 * `.release/`, where only its owner can read it and git does not see it.
 */

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @throws Error for a file that has no private Ed25519 key in PEM */
export function signingKey(root: string, given: string | undefined): KeyObject {
  const file = given ?? ownKey(root);
  let key: KeyObject;
  try {
    key = createPrivateKey(readFileSync(file));
  } catch (error) {
    throw new Error(`${file} has no private key in PEM`, { cause: error });
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new Error(`${file}: the key must be of Ed25519, not ${key.asymmetricKeyType}`);
  return key;
}

/** What readers trust, in PEM. */
export function publicKeyText(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'pem' });
}

function ownKey(root: string): string {
  const folder = join(root, '.release');
  const file = join(folder, 'signing-key.pem');
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o600,
    flag: 'wx',
  });
  return file;
}
