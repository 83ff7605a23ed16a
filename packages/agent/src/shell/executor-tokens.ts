/**
 * Tokens by which executors prove who they are: JSON web tokens, HS256, with the claims `fid`, `eid` and `cid` for
 * framework, executor and container. The agent makes one for each executor of a framework and verifies them; nothing
 * of them is kept, since the key tells whether one is genuine.
 *
 * Invariants: `alg` of a token is never believed; nothing of key or tokens gets into messages.
 * Source: mesos-kernel §2.3, §9.
 */

import { createSecretKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { errors, jwtVerify, SignJWT } from 'jose';
import { errorText, OperationError } from '@dcos/base';

/** What HS256 needs to be as strong as its digest. */
const KEY_BYTES_MIN = 32;
const HEADER_LENGTH_MAX = 16 * 1024;
const HEADER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;

/** Whom a token is for. */
export interface ExecutorClaims {
  readonly fid: string;
  readonly eid: string;
  readonly cid: string;
}

export class ExecutorTokens {
  readonly #key: KeyObject;

  constructor(key: KeyObject) {
    this.#key = key;
  }

  /** By the key in a file; the end of a line does not count. Throws `TOKEN_SECRET_INVALID`. */
  static byKeyFile(path: string): ExecutorTokens {
    let bytes: Buffer;
    try {
      bytes = readFileSync(path);
    } catch (error) {
      throw invalid(path, `it cannot be read: ${errorText(error)}`);
    }
    const end = bytes.at(-1) === 10 ? bytes.length - (bytes.at(-2) === 13 ? 2 : 1) : bytes.length;
    if (end < KEY_BYTES_MIN) throw invalid(path, `it must have ${KEY_BYTES_MIN} bytes at least`);
    return new ExecutorTokens(createSecretKey(bytes.subarray(0, end)));
  }

  /** The same claims give the same token, so that one that was handed out need not be kept. */
  async issue(claims: ExecutorClaims): Promise<string> {
    return await new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(this.#key);
  }

  /** Whose an `Authorization` header is, or undefined when it proves nothing. */
  async claimsOf(header: string | undefined): Promise<ExecutorClaims | undefined> {
    if (header === undefined || header.length > HEADER_LENGTH_MAX) return undefined;
    const token = HEADER.exec(header)?.[1];
    if (token === undefined) return undefined;
    try {
      const { payload } = await jwtVerify(token, this.#key, { algorithms: ['HS256'] });
      const { fid, eid, cid } = payload;
      if (typeof fid !== 'string' || typeof eid !== 'string' || typeof cid !== 'string')
        return undefined;
      return { fid, eid, cid };
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }
}

function invalid(path: string, problem: string): OperationError {
  return new OperationError(
    'TOKEN_SECRET_INVALID',
    `the key for tokens of executors, ${path}, cannot be used: ${problem}`,
  );
}
