/**
 * Headers on their way through the router.
 * Source: observed behaviour of Admin Router (cookies, X-headers, Location).
 */

import { endToEndHeaders, type RawHeaders } from '@dcos/base';

/** Cookies that are meant for the router alone. */
const OWN_COOKIES: ReadonlySet<string> = new Set(['dcos-acs-auth-cookie', 'dcos-acs-info-cookie']);

export interface ForwardedFor {
  readonly clientIp: string;
  readonly protocol: 'http' | 'https';
  readonly host: string;
  /** Headers that the upstream must not see, in lower case. */
  readonly drop: readonly string[];
}

/** The request's headers for the upstream, flat as they came. */
export function requestHeaders(headers: RawHeaders, client: ForwardedFor): string[] {
  const forwarded: string[] = [];
  const before: string[] = [];
  for (const [name, value] of endToEndHeaders(headers)) {
    const lower = name.toLowerCase();
    if (lower === 'x-forwarded-for') before.push(value);
    else if (lower === 'cookie') pushCookies(forwarded, name, value);
    else if (!isReplaced(lower) && !client.drop.includes(lower)) forwarded.push(name, value);
  }
  forwarded.push(
    'X-Real-IP',
    client.clientIp,
    'X-Forwarded-For',
    [...before, client.clientIp].join(', '),
    'X-Forwarded-Proto',
    client.protocol,
    'X-Forwarded-Host',
    client.host,
  );
  return forwarded;
}

function isReplaced(lower: string): boolean {
  return lower === 'x-real-ip' || lower === 'x-forwarded-proto' || lower === 'x-forwarded-host';
}

function pushCookies(headers: string[], name: string, value: string): void {
  const kept = value
    .split(';')
    .map((cookie) => cookie.trim())
    .filter((cookie) => cookie !== '' && !OWN_COOKIES.has(cookie.split('=')[0] ?? ''));
  if (kept.length > 0) headers.push(name, kept.join('; '));
}

/** Where an answer's Location must point so that the client comes back through the router. */
export interface LocationRule {
  /** Origin of the upstream; a Location there is one of ours. */
  readonly upstreamOrigin: string;
  /** What the router took away from the path, without a slash at its end; empty when nothing. */
  readonly prefix: string;
}

/** The answer's headers for the client, flat. */
export function responseHeaders(headers: RawHeaders, rule: LocationRule): string[] {
  return endToEndHeaders(headers).flatMap(([name, value]) =>
    name.toLowerCase() === 'location' ? [name, rewriteLocation(value, rule)] : [name, value],
  );
}

/** Puts the prefix in front of a Location of the upstream, unless it stands there already. */
export function rewriteLocation(
  location: string,
  { upstreamOrigin, prefix }: LocationRule,
): string {
  let path = location;
  if (path.startsWith(`${upstreamOrigin}/`) || path === upstreamOrigin) {
    path = path.slice(upstreamOrigin.length) || '/';
  }
  if (!path.startsWith('/') || path.startsWith('//')) return location;
  if (prefix === '' || path === prefix || path.startsWith(`${prefix}/`)) return path;
  return prefix + path;
}
