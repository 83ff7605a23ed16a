/**
 * The address and the version of a cluster.
 */

import { err, ok } from '@dcos/base';
import type { Result } from '@dcos/base';

/** The oldest version that has everything the commands ask for. */
export const oldestVersion = '1.10';

const addressPattern = /^(https?):\/\/([^/?#@\s]+)(\/[^?#\s]*)?$/i;

/**
 * A cluster's address as it is kept: lower-case scheme and host, no slash at the end. Without a
 * scheme, http stands for an address of this machine and https for all others.
 */
export function normaliseClusterUrl(text: string): Result<string, string> {
  const trimmed = text.trim();
  const local = /^(localhost|127\.[\d.]+|\[::1\])(:\d+)?(\/|$)/i.test(trimmed);
  const complete = trimmed.includes('://') ? trimmed : `${local ? 'http' : 'https'}://${trimmed}`;
  const match = addressPattern.exec(complete);
  const [, scheme = '', host = '', path = ''] = match ?? [];
  if (match === null || !/^(\[[0-9a-f:.]+\]|[^:[\]]+)(:\d{1,5})?$/i.test(host)) {
    return err(
      `"${text}" is no address of a cluster: expected something like http://127.0.0.1:8180`,
    );
  }
  return ok(`${scheme.toLowerCase()}://${host.toLowerCase()}${path.replace(/\/+$/, '')}`);
}

/** Whether a version is new enough; undefined for one that cannot be read. */
export function isVersionSupported(version: string): boolean | undefined {
  const match = /^(\d+)\.(\d+)/.exec(version);
  if (match === null) return undefined;
  const major = Number(match[1]);
  return major > 1 || (major === 1 && Number(match[2]) >= 10);
}
