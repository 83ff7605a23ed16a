import { createSecretKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { SignJWT, UnsecuredJWT } from 'jose';
import { temporaryDirectory } from '@dcos/testkit';
import { ExecutorTokens } from './executor-tokens.ts';

const scratch = temporaryDirectory('executor-tokens');
afterAll(() => scratch.remove());
const KEY = 'k'.repeat(32);
const CLAIMS = { fid: 'f', eid: 'e', cid: 'c' };

function byKey(text: string): ExecutorTokens {
  const path = join(scratch.path, 'key');
  writeFileSync(path, text);
  return ExecutorTokens.byKeyFile(path);
}

async function signed(key: string, claims: Record<string, unknown>): Promise<string> {
  const token = new SignJWT(claims).setProtectedHeader({ alg: 'HS256' });
  return await token.sign(createSecretKey(Buffer.from(key)));
}

test('a token names its executor, the same one each time', async () => {
  const token = await byKey(KEY).issue(CLAIMS);
  expect(await byKey(`${KEY}\n`).issue(CLAIMS)).toBe(token);
  expect(await byKey(KEY).claimsOf(`Bearer ${token}`)).toEqual(CLAIMS);
});

test.each([
  ['none', async () => await Promise.resolve(undefined)],
  ['no bearer', async () => `Basic ${await byKey(KEY).issue(CLAIMS)}`],
  ['one of another key', async () => `Bearer ${await signed('x'.repeat(32), CLAIMS)}`],
  ['one without a claim', async () => `Bearer ${await signed(KEY, { fid: 'f', eid: 'e' })}`],
  [
    'one that nobody signed',
    async () => await Promise.resolve(`Bearer ${new UnsecuredJWT(CLAIMS).encode()}`),
  ],
  [
    'one that has ended',
    async () =>
      `Bearer ${await signed(KEY, { ...CLAIMS, exp: Math.floor(Date.now() / 1000) - 60 })}`,
  ],
])('%s proves nothing', async (_what, header) => {
  expect(await byKey(KEY).claimsOf(await header())).toBeUndefined();
});

test('a key that is too short or not there is refused by its file', () => {
  expect(() => byKey('short\r\n')).toThrow(/key, cannot be used: it must have 32 bytes/);
  expect(() => ExecutorTokens.byKeyFile('/nowhere/key')).toThrow(/\/nowhere\/key, cannot be used/);
});
