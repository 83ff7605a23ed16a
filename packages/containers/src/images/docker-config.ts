/**
 * Credentials of registries as Docker keeps them: `{"auths": {"<registry>": {"auth": base64("user:password")}}}`, or
 * the same map without `auths` (the older `.dockercfg`), with `identitytoken` in place of a password. Helpers
 * (`credsStore`, `credHelpers`) are programs of whoever wrote the configuration and are not run: who needs what only
 * they know is told so. Pure but for base64.
 */

import { containerError } from '../errors.ts';
import { DEFAULT_REGISTRY } from './reference.ts';

export type RegistryLogin =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** What the registry's token server gave in exchange for a password. */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** Only that program knows. */
  | { readonly kind: 'helper'; readonly name: string };

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
  const { auths, credHelpers, credsStore } = document;
  const logins = new Map<string, RegistryLogin>();
  for (const [key, value] of Object.entries(isRecord(auths) ? auths : document)) {
    if (!isRecord(value)) continue;
    const login = loginOf(value);
    if (login !== undefined) logins.set(hostOf(key), login);
    // Docker leaves an empty entry for what it has put into the store.
    else if (isRecord(auths) && typeof credsStore === 'string')
      logins.set(hostOf(key), { kind: 'helper', name: credsStore });
  }
  for (const [key, name] of isRecord(credHelpers) ? Object.entries(credHelpers) : [])
    if (typeof name === 'string' && !logins.has(hostOf(key)))
      logins.set(hostOf(key), { kind: 'helper', name });
  return logins;
}

/** What to add to a refusal that a helper would have averted; empty where there is none. */
export function helperNote(login: RegistryLogin | undefined): string {
  return login?.kind === 'helper'
    ? `; its credentials are known to the helper 'docker-credential-${login.name}' only, which is not run here`
    : '';
}

function loginOf(entry: Record<string, unknown>): RegistryLogin | undefined {
  const { auth, username, password, identitytoken: token } = entry;
  if (typeof token === 'string' && token !== '') return { kind: 'identity-token', token };
  if (typeof username === 'string' && typeof password === 'string')
    return { kind: 'password', username, password };
  if (typeof auth !== 'string') return undefined;
  const pair = Buffer.from(auth, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon < 1) return undefined;
  return {
    kind: 'password',
    username: pair.slice(0, colon),
    password: pair.slice(colon + 1),
  };
}

/** Keys are hosts, or addresses such as `https://index.docker.io/v1/`. */
function hostOf(key: string): string {
  const host = key.replace(/^https?:\/\//, '').split('/')[0] ?? '';
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? DEFAULT_REGISTRY : host;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
