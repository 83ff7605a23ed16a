/**
 * What the agent logs in with at the master, from a file: `{"principal","secret"}` or a line `principal secret`
 * as in the original, or `{"token"}`. The file is read for each connection; one that has become unreadable does
 * not keep an agent away that had a good one. Nothing of it gets into messages.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { errorText, isJsonObject, OperationError, type Logger } from '@dcos/base';

/** Makes the reader of a file. Throws `CREDENTIAL_UNREADABLE`, `CREDENTIAL_INVALID`. */
export function createCredential(
  file: string | undefined,
  logger: Logger,
): () => string | undefined {
  if (file === undefined) return () => undefined;
  let known = authorizationOf(textOf(file));
  return () => {
    try {
      known = authorizationOf(textOf(file));
    } catch (error) {
      logger.warn(
        { event: 'credential.unreadable', error: errorText(error) },
        'the credential cannot be read again; the last one is used',
      );
    }
    return known;
  };
}

function textOf(file: string): string {
  try {
    return readFileSync(file.startsWith('file://') ? fileURLToPath(file) : file, 'utf8');
  } catch (error) {
    const text = `${file} cannot be read: ${errorText(error)}`;
    throw new OperationError('CREDENTIAL_UNREADABLE', text, { cause: error });
  }
}

/** The `Authorization` header that a text makes. */
function authorizationOf(text: string): string {
  const { principal, secret, token } = text.trimStart().startsWith('{')
    ? fieldsOf(text)
    : fieldsOfLine(text);
  if (typeof token === 'string' && /^[\w.-]+$/.test(token)) return `Bearer ${token}`;
  if (typeof principal !== 'string' || principal === '' || principal.includes(':'))
    throw invalid("expecting a 'principal' without a colon, or a 'token'");
  if (typeof secret !== 'string' || secret === '') throw invalid("expecting a 'secret'");
  return `Basic ${Buffer.from(`${principal}:${secret}`).toString('base64')}`;
}

interface Fields {
  readonly principal?: unknown;
  readonly secret?: unknown;
  readonly token?: unknown;
}

function fieldsOf(text: string): Fields {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The message of the parser would show a piece of the text.
    throw invalid('it is not JSON');
  }
  return isJsonObject(json) ? json : {};
}

function fieldsOfLine(text: string): Fields {
  const [principal, secret, ...rest] = text.trim().split(/\s+/);
  if (rest.length > 0) throw invalid("expecting one line 'principal secret'");
  return { principal, secret };
}

function invalid(problem: string): OperationError {
  return new OperationError('CREDENTIAL_INVALID', `the credential cannot be used: ${problem}`);
}
