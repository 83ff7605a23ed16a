/**
 * Principals and their secrets, from the file that the setting `credentials` names, and the check of HTTP
 * Basic credentials against them. Secrets are kept as digests, compared in constant time and never shown.
 * Source: the original's file forms, JSON `{"credentials":[{"principal","secret"}]}` or lines
 * `principal secret`.
 */

import { createHash, timingSafeEqual } from 'node:crypto';
import { isJsonObject, OperationError } from '@dcos/base';

/** Principals of one file. */
const CREDENTIALS_MAX = 100_000;
/** Characters of an `Authorization` header that are looked at. */
const HEADER_LENGTH_MAX = 8 * 1024;

export class Credentials {
  readonly #digests: ReadonlyMap<string, Buffer>;

  private constructor(digests: ReadonlyMap<string, Buffer>) {
    this.#digests = digests;
  }

  /** Reads the text of a file. Throws `CREDENTIALS_INVALID`, without any of the text. */
  static parse(text: string): Credentials {
    const pairs = text.trimStart().startsWith('{') ? pairsOfJson(text) : pairsOfLines(text);
    if (pairs.length > CREDENTIALS_MAX) throw invalid(`more than ${CREDENTIALS_MAX} credentials`);
    const digests = new Map<string, Buffer>();
    for (const [principal, secret] of pairs) {
      if (digests.has(principal)) throw invalid(`principal '${principal}' is there twice`);
      digests.set(principal, digest(secret));
    }
    return new Credentials(digests);
  }

  /** The principal of an `Authorization` header, or undefined when it is no proof of one. */
  principalOf(header: string | undefined): string | undefined {
    const encoded = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(header?.slice(0, HEADER_LENGTH_MAX) ?? '');
    if (encoded === null) return undefined;
    const text = Buffer.from(encoded[1] ?? '', 'base64').toString();
    const colon = text.indexOf(':');
    if (colon < 0) return undefined;
    const principal = text.slice(0, colon);
    const given = digest(text.slice(colon + 1));
    const known = this.#digests.get(principal);
    // Also compares for an unknown principal, so that the time does not tell who exists.
    const isSame = timingSafeEqual(given, known ?? Buffer.alloc(given.length));
    return isSame && known !== undefined ? principal : undefined;
  }
}

type Pair = readonly [principal: string, secret: string];

function pairsOfJson(text: string): readonly Pair[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The message of the parser would show a piece of the text.
    throw invalid('it is not JSON');
  }
  const list = isJsonObject(json) ? json['credentials'] : undefined;
  if (!Array.isArray(list)) throw invalid("expecting an array 'credentials'");
  return list.map((item, index) => {
    const principal = isJsonObject(item) ? item['principal'] : undefined;
    const secret = isJsonObject(item) ? item['secret'] : undefined;
    if (typeof principal !== 'string' || principal === '')
      throw invalid(`credentials[${index}] has no 'principal'`);
    if (principal.includes(':'))
      throw invalid(`credentials[${index}] has a principal with a colon`);
    if (typeof secret !== 'string' || secret === '')
      throw invalid(`credentials[${index}] has no 'secret'`);
    return [principal, secret];
  });
}

function pairsOfLines(text: string): readonly Pair[] {
  return text.split(/\r?\n/).flatMap((line, index): readonly Pair[] => {
    if (line.trim() === '') return [];
    const [principal, secret, ...rest] = line.trim().split(/\s+/);
    if (principal === undefined || secret === undefined || rest.length > 0)
      throw invalid(`expecting 'principal secret' in line ${index + 1}`);
    if (principal.includes(':')) throw invalid(`line ${index + 1} has a principal with a colon`);
    return [[principal, secret]];
  });
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function invalid(problem: string): OperationError {
  return new OperationError(
    'CREDENTIALS_INVALID',
    `the file of credentials cannot be used: ${problem}`,
  );
}
