import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { expect, test } from 'vitest';
import { parsePublicKeys, parseSecret, Tokens } from './tokens.ts';

const NOW_S = 1_800_000_000;
const clock = { now: () => NOW_S * 1000 };
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 });
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pemOf = ({ publicKey }: { readonly publicKey: KeyObject }): string =>
  publicKey.export({ type: 'spki', format: 'pem' });
const PEM = pemOf(rsa);
const SECRET = 'a secret that is long enough for it';
const set = (jwk: object): string => JSON.stringify({ keys: [jwk] });
const JWK = rsa.publicKey.export({ format: 'jwk' });

type Claims = Readonly<Record<string, unknown>>;
const sign = (
  claims: Claims,
  key: KeyObject | Uint8Array = rsa.privateKey,
  header: { readonly alg: string; readonly kid?: string } = { alg: 'RS256' },
): Promise<string> => new SignJWT({ ...claims }).setProtectedHeader(header).sign(key);

const byPem = new Tokens(parsePublicKeys(PEM), clock);
const bySet = new Tokens(parsePublicKeys(set({ ...JWK, kid: 'one' })), clock);
const bySecret = new Tokens([parseSecret(`${SECRET}\n`)], clock);
const byBoth = new Tokens([...parsePublicKeys(pemOf(foreign) + PEM), parseSecret(SECRET)], clock);
const ops = { uid: 'ops' };
const secret = Buffer.from(SECRET);
const HS = { alg: 'HS256' };

const rows: readonly [string, Tokens, () => Promise<string> | string, string | undefined][] = [
  ['a good token', byPem, () => sign(ops), 'ops'],
  ['one of a key of a set', bySet, () => sign(ops), 'ops'],
  [
    'one that names its key',
    bySet,
    () => sign(ops, rsa.privateKey, { alg: 'RS256', kid: 'one' }),
    'ops',
  ],
  [
    'one that names another key',
    bySet,
    () => sign(ops, rsa.privateKey, { alg: 'RS256', kid: 'two' }),
    undefined,
  ],
  ['one of the secret', bySecret, () => sign(ops, secret, HS), 'ops'],
  ['the second of several keys', byBoth, () => sign(ops), 'ops'],
  ['the secret beside keys', byBoth, () => sign(ops, secret, HS), 'ops'],
  ['uid before sub', byPem, () => sign({ uid: 'ops', sub: 'x' }), 'ops'],
  ['sub without uid', byPem, () => sign({ sub: 'ops' }), 'ops'],
  ['nobody', byPem, () => sign({}), undefined],
  ['an empty uid', byPem, () => sign({ uid: '' }), undefined],
  ['a uid that is no text', byPem, () => sign({ uid: 1 }), undefined],
  ['one that lasts', byPem, () => sign({ ...ops, exp: NOW_S + 1 }), 'ops'],
  ['one that has ended', byPem, () => sign({ ...ops, exp: NOW_S }), undefined],
  ['one that has not begun', byPem, () => sign({ ...ops, nbf: NOW_S + 1 }), undefined],
  ['a foreign key', byPem, () => sign(ops, foreign.privateKey), undefined],
  ['a foreign secret', bySecret, () => sign(ops, Buffer.from(`${SECRET}!`), HS), undefined],
  ['the public key as a secret', byPem, () => sign(ops, Buffer.from(PEM), HS), undefined],
  [
    'the public key as a secret beside a secret',
    byBoth,
    () => sign(ops, Buffer.from(PEM), HS),
    undefined,
  ],
  [
    'another algorithm of the same key',
    byPem,
    () => sign(ops, rsa.privateKey, { alg: 'RS512' }),
    undefined,
  ],
  ['no algorithm', byBoth, () => new UnsecuredJWT({ uid: 'ops' }).encode(), undefined],
  [
    'no algorithm, with a signature',
    byBoth,
    () => `${new UnsecuredJWT({ uid: 'ops' }).encode()}AAAA`,
    undefined,
  ],
  ['no token', byPem, () => 'a.b.c', undefined],
];

test.each(rows)('%s', async (_says, tokens, token, principal) => {
  const text = await token();
  expect(await tokens.principalOf(`Bearer ${text}`)).toBe(principal);
  expect(await tokens.principalOf(`token=${text}`)).toBe(principal);
});

test('a header that is no token, or too long, is nobody', async () => {
  const good = await sign(ops);
  for (const header of [undefined, '', good, `Basic ${good}`, `Bearer ${good} x`])
    expect(await byPem.principalOf(header), header).toBeUndefined();
  const long = await sign({ ...ops, more: 'x'.repeat(16 * 1024) });
  expect(await byPem.principalOf(`Bearer ${long}`)).toBeUndefined();
});

test('a token of which a character changed is nobody', async () => {
  const [header = '', , signature = ''] = (await sign(ops)).split('.');
  const payload = Buffer.from(JSON.stringify({ uid: 'root' })).toString('base64url');
  expect(await byPem.principalOf(`Bearer ${header}.${payload}.${signature}`)).toBeUndefined();
});

const privatePem = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' });

test.each([
  ['nothing', '', /no keys/],
  ['a text', 'hello', /no keys/],
  ['a private key', privatePem, /private key/],
  ['a private key in a set', set(rsa.privateKey.export({ format: 'jwk' })), /private key/],
  ['a weak key', pemOf(weak), /2048 bits/],
  ['another kind of key', pemOf(elliptic), /RSA key/],
  ['another kind of key in a set', set(elliptic.publicKey.export({ format: 'jwk' })), /RSA key/],
  ['another algorithm in a set', set({ ...JWK, alg: 'RS512' }), /RSA key/],
  ['a secret in a set', set({ kty: 'oct', k: 'c2VjcmV0' }), /RSA key/],
  ['broken JSON', '{"keys":', /not JSON/],
  ['no set', '{}', /array 'keys'/],
  [
    'a broken block',
    '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
    /cannot be read/,
  ],
  ['too many', PEM.repeat(101), /more than 100/],
])('keys that are %s keep the master from starting', (_says, text, message) => {
  expect(() => parsePublicKeys(text)).toThrow(message);
});

test('a short secret is refused without showing it', () => {
  expect(() => parseSecret('short-secret\n')).toThrow(/^(?!.*short-secret).*32 bytes/);
});
