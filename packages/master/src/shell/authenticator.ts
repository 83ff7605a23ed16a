/**
 * Finds out who sent a request: HTTP Basic against the file of credentials, tokens against the keys. What is
 * not configured proves nothing.
 */

import { OperationError, type Clock } from '@dcos/base';
import { readSetting } from '@dcos/telemetry';
import type { ResolvedMasterConfig } from './config.ts';
import { Credentials } from './credentials.ts';
import { parsePublicKeys, parseSecret, Tokens } from './tokens.ts';

type Settings = Pick<ResolvedMasterConfig, 'credentials' | 'tokenPublicKeys' | 'tokenSecret'>;

export class Authenticator {
  readonly #credentials: Credentials | undefined;
  readonly #tokens: Tokens | undefined;

  /** Reads the files that the settings name. Throws `CREDENTIALS_*`, `TOKEN_KEYS_*`, `TOKEN_SECRET_*`. */
  constructor({ credentials, tokenPublicKeys, tokenSecret }: Settings, clock: Pick<Clock, 'now'>) {
    if (credentials !== undefined)
      this.#credentials = Credentials.parse(readSetting('CREDENTIALS_UNREADABLE', credentials));
    const keys = [
      ...(tokenPublicKeys === undefined
        ? []
        : parsePublicKeys(readSetting('TOKEN_KEYS_UNREADABLE', tokenPublicKeys))),
      ...(tokenSecret === undefined
        ? []
        : [parseSecret(readSetting('TOKEN_SECRET_UNREADABLE', tokenSecret))]),
    ];
    if (keys.length > 0) this.#tokens = new Tokens(keys, clock);
  }

  /** Throws `CREDENTIALS_MISSING` when nobody could log in. */
  assertUsable(): void {
    if (this.#credentials !== undefined || this.#tokens !== undefined) return;
    throw new OperationError(
      'CREDENTIALS_MISSING',
      "authentication is switched on, but no file of 'credentials' and no key for tokens is given",
    );
  }

  /** The principal of an `Authorization` header, or undefined when it is no proof of one. */
  async principalOf(header: string | undefined): Promise<string | undefined> {
    return this.#credentials?.principalOf(header) ?? (await this.#tokens?.principalOf(header));
  }

  /** The ways to log in, for `WWW-Authenticate`. */
  challenge(realm: string): string {
    const schemes = [
      ...(this.#credentials === undefined ? [] : ['Basic']),
      ...(this.#tokens === undefined ? [] : ['Bearer']),
    ];
    return schemes.map((scheme) => `${scheme} realm="${realm}"`).join(', ');
  }
}
