import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { temporaryDirectory } from '@dcos/testkit';
import { publicKeyText, signingKey } from './signing-key.ts';

const scratch = temporaryDirectory('signing-key');
afterAll(() => scratch.remove());

describe('the key', () => {
  test('is made once for a checkout, for its owner only', () => {
    const root = join(scratch.path, 'checkout');
    mkdirSync(root);
    const key = signingKey(root, undefined);
    expect(signingKey(root, undefined).equals(key)).toBe(true);
    expect(statSync(join(root, '.release', 'signing-key.pem')).mode & 0o777).toBe(0o600);
    const bytes = Buffer.from('manifest');
    expect(verify(null, bytes, createPublicKey(publicKeyText(key)), sign(null, bytes, key))).toBe(
      true,
    );
  });

  test('may be given; another kind or no key at all is refused by its file', () => {
    const given = join(scratch.path, 'given.pem');
    const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(given, privateKey.export(pkcs8));
    expect(signingKey('/nowhere', given).equals(createPrivateKey(readFileSync(given)))).toBe(true);
    writeFileSync(
      given,
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(pkcs8),
    );
    expect(() => signingKey('/nowhere', given)).toThrow(
      `${given}: the key must be of Ed25519, not ec`,
    );
    writeFileSync(given, 'nothing');
    expect(() => signingKey('/nowhere', given)).toThrow(`${given} has no private key in PEM`);
  });
});
