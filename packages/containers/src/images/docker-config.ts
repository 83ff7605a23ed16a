/**
 * Credentials of registries as Docker keeps them: `{"auths": {"<registry>": {"auth": base64("user:password")}}}`, or
 * the same map without `auths` (the older `.dockercfg`). Helpers (`credsStore`, `credHelpers`) are programs and are
 * not run. Pure but for base64.
 */

import { containerError } from '../errors.ts';
import { DEFAULT_REGISTRY } from './reference.ts';

export interface RegistryLogin {
  readonly username: string;
  readonly password: string;
}

/** Logins by the registry's host and port. */
export type RegistryLogins = ReadonlyMap<string, RegistryLogin>;

/** Reads such a document. Throws CONTAINER_INVALID, which never shows the text. */
export function parseDockerConfig(text: string): RegistryLogins {
  const invalid = (): never => {
    throw containerError(
      'CONTAINER_INVALID',
      'the Docker configuration with credentials is not valid',
    );
  };
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return invalid();
  }
  if (!isRecord(document)) return invalid();
  const entries = isRecord(document['auths']) ? document['auths'] : document;
  const logins = new Map<string, RegistryLogin>();
  for (const [key, value] of Object.entries(entries)) {
    if (!isRecord(value)) continue;
    const login = loginOf(value);
    if (login !== undefined) logins.set(hostOf(key), login);
  }
  return logins;
}

function loginOf({ auth, username, password }: Record<string, unknown>): RegistryLogin | undefined {
  if (typeof username === 'string' && typeof password === 'string') return { username, password };
  if (typeof auth !== 'string') return undefined;
  const pair = Buffer.from(auth, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon < 1) return undefined;
  return { username: pair.slice(0, colon), password: pair.slice(colon + 1) };
}

/** Keys are hosts, or addresses such as `https://index.docker.io/v1/`. */
function hostOf(key: string): string {
  const host = key.replace(/^https?:\/\//, '').split('/')[0] ?? '';
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? DEFAULT_REGISTRY : host;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
