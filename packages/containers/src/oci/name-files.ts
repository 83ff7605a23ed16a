/**
 * `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf` of containers with a network of their own. The files are
 * mounted when the container is made, and filled when its addresses are known.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readText } from '../process/state-files.ts';
import type { NameFiles } from './mounts.ts';

/** Of containers that share the host's network. */
export const HOST_NAME_FILES: NameFiles = {
  hosts: '/etc/hosts',
  resolvConf: '/etc/resolv.conf',
};

/** Makes them; hosts knows the loopback only. */
export async function makeNameFiles(directory: string, hostname: string): Promise<NameFiles> {
  const files = {
    hosts: join(directory, 'hosts'),
    hostname: join(directory, 'hostname'),
    resolvConf: join(directory, 'resolv.conf'),
  };
  await writeFile(files.hosts, hostsText(hostname, []));
  await writeFile(files.hostname, `${hostname}\n`);
  await writeFile(files.resolvConf, await readText('/etc/resolv.conf'));
  return files;
}

/** What networks say about names. */
export interface NamesOfNetworks {
  readonly addresses: readonly string[];
  /** Lines of `resolv.conf`; without any the host's stay. */
  readonly resolver: readonly string[];
}

/** In place: the container has these very files mounted. */
export async function fillNameFiles(
  { hosts, resolvConf }: NameFiles,
  hostname: string,
  { addresses, resolver }: NamesOfNetworks,
): Promise<void> {
  if (hosts !== undefined) await writeFile(hosts, hostsText(hostname, addresses));
  if (resolvConf !== undefined && resolver.length > 0)
    await writeFile(resolvConf, `${resolver.join('\n')}\n`);
}

/** The name belongs to the container's addresses, or to the loopback when there are none. */
export function hostsText(hostname: string, addresses: readonly string[]): string {
  const own = addresses.length === 0 ? ['127.0.0.1'] : addresses;
  return [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...own.map((address) => `${address}\t${hostname}`),
    '',
  ].join('\n');
}
