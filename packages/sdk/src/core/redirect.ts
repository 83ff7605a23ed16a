/**
 * Where a 307 of a master that does not lead points. The original sends `//host:port/path` without a
 * scheme; proxies send absolute URLs.
 */

const ORIGIN = /^(?:(https?):)?\/\/([^/?#@\s]+)(?:[/?#]|$)/i;

/** The origin that a Location header names, or undefined when it names none. It never leads out of TLS. */
export function redirectOrigin(from: string, location: string): string | undefined {
  const match = ORIGIN.exec(location.trim());
  if (match === null) return undefined;
  const isSecure = from.startsWith('https:');
  const scheme = match[1]?.toLowerCase() ?? (isSecure ? 'https' : 'http');
  if (isSecure && scheme !== 'https') return undefined;
  const authority = match[2];
  return authority === undefined ? undefined : `${scheme}://${authority}`;
}

/** The origin of a configured master: `host:port` and trailing slashes are accepted. */
export function masterOrigin(master: string): string {
  const bare = master.trim().replace(/\/+$/, '');
  return /^https?:\/\//i.test(bare) ? bare : `http://${bare}`;
}
