/**
 * Tokens of people and services: JSON web tokens in `Authorization: Bearer <jwt>` or, as DC/OS writes it,
 * `Authorization: token=<jwt>`. RS256 by public keys, HS256 by a secret.
 *
 * Invariants: a key verifies one algorithm only, whatever the token says of itself, so a public key never
 * serves as a secret, and `alg: none` never passes; a token that has ended is none; nothing of keys or tokens
 * gets into messages. `exp` is checked where it is there, as DC/OS does. The principal is `uid`, else `sub`.
 */

import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { isJsonObject, OperationError, type Clock, type JsonValue } from '@dcos/base';
import { decodeProtectedHeader, errors, jwtVerify } from 'jose';

interface Key {
  readonly algorithm: 'RS256' | 'HS256';
  readonly key: KeyObject;
  /** The name that a set of keys gives it. */
  readonly id: string | undefined;
}

/** Keys of one file; each may be tried for a token that does not name its key. */
const KEYS_MAX = 100;
const RSA_BITS_MIN = 2048;
/** What HS256 needs to be as strong as its digest. */
const SECRET_BYTES_MIN = 32;
const HEADER_LENGTH_MAX = 16 * 1024;
const HEADER = /^(?:Bearer +|token=)([\w-]+\.[\w-]+\.[\w-]+)$/i;

/** The public keys of a text: PEM blocks, or a JSON web key set. Throws `TOKEN_KEYS_INVALID`. */
export function parsePublicKeys(text: string): readonly Key[] {
  const keys = text.trimStart().startsWith('{') ? keysOfSet(text) : keysOfPem(text);
  if (keys.length === 0) throw invalid('it has no keys');
  if (keys.length > KEYS_MAX) throw invalid(`it has more than ${KEYS_MAX} keys`);
  return keys;
}

/** The key that a secret makes; the line's end does not count. Throws `TOKEN_SECRET_INVALID`. */
export function parseSecret(text: string): Key {
  const secret = Buffer.from(text.replace(/\r?\n$/, ''));
  if (secret.length < SECRET_BYTES_MIN) {
    throw new OperationError(
      'TOKEN_SECRET_INVALID',
      `the secret for tokens must have ${SECRET_BYTES_MIN} bytes at least`,
    );
  }
  return { algorithm: 'HS256', key: createSecretKey(secret), id: undefined };
}

function keysOfPem(text: string): readonly Key[] {
  if (text.includes('PRIVATE KEY')) throw invalid('it has a private key, which belongs elsewhere');
  const blocks = text.match(/-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----/g) ?? [];
  return blocks.map((block) => rsaKey(() => createPublicKey(block), undefined));
}

function keysOfSet(text: string): readonly Key[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The message of the parser would show a piece of the text.
    throw invalid('it is not JSON');
  }
  const list = isJsonObject(json) ? json['keys'] : undefined;
  if (!Array.isArray(list)) throw invalid("expecting an array 'keys'");
  return list.map((jwk: JsonValue) => {
    if (!isJsonObject(jwk)) throw invalid('a key is not an object');
    const { kty, alg = 'RS256', kid, n, e, d } = jwk;
    if (d !== undefined) throw invalid('it has a private key, which belongs elsewhere');
    if (kty !== 'RSA' || alg !== 'RS256' || typeof n !== 'string' || typeof e !== 'string')
      throw invalid('every key must be an RSA key for RS256');
    const id = typeof kid === 'string' ? kid : undefined;
    return rsaKey(() => createPublicKey({ key: { kty, n, e }, format: 'jwk' }), id);
  });
}

function rsaKey(make: () => KeyObject, id: string | undefined): Key {
  let key: KeyObject;
  try {
    key = make();
  } catch (error) {
    throw invalid('a key cannot be read', error);
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa' || bits < RSA_BITS_MIN)
    throw invalid(`every key must be an RSA key of ${RSA_BITS_MIN} bits at least`);
  return { algorithm: 'RS256', key, id };
}

function invalid(problem: string, cause?: unknown): OperationError {
  const text = `the public keys for tokens cannot be used: ${problem}`;
  return new OperationError('TOKEN_KEYS_INVALID', text, { cause });
}

/** Verifies tokens by some keys. */
export class Tokens {
  readonly #keys: readonly Key[];
  readonly #clock: Pick<Clock, 'now'>;

  constructor(keys: readonly Key[], clock: Pick<Clock, 'now'>) {
    this.#keys = keys;
    this.#clock = clock;
  }

  /** The principal of an `Authorization` header, or undefined when it is no proof of one. */
  async principalOf(header: string | undefined): Promise<string | undefined> {
    if (header === undefined || header.length > HEADER_LENGTH_MAX) return undefined;
    const token = HEADER.exec(header)?.[1];
    if (token === undefined) return undefined;
    for (const { algorithm, key } of this.#keysFor(token)) {
      const principal = await this.#verified(token, key, algorithm);
      if (principal !== undefined) return principal;
    }
    return undefined;
  }

  /** Those of its algorithm, and where both have a name, of its name. */
  #keysFor(token: string): readonly Key[] {
    try {
      const { alg, kid } = decodeProtectedHeader(token);
      return this.#keys.filter(
        ({ algorithm, id }) =>
          algorithm === alg && (kid === undefined || id === undefined || kid === id),
      );
    } catch (error) {
      if (error instanceof TypeError) return [];
      throw error;
    }
  }

  async #verified(
    token: string,
    key: KeyObject,
    algorithm: Key['algorithm'],
  ): Promise<string | undefined> {
    try {
      const currentDate = new Date(this.#clock.now());
      const { payload } = await jwtVerify(token, key, { algorithms: [algorithm], currentDate });
      const principal = payload['uid'] ?? payload.sub;
      return typeof principal === 'string' && principal !== '' ? principal : undefined;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }
}
