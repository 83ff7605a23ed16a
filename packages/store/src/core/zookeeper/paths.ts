/**
 * Paths of nodes, the chroot that a client lives in, and the `zk://` address that names both.
 *
 * @see the original's `--zk` flag: `zk://[user:password@]host:port,host:port/path`
 */

import { err, ok, type Result } from '@dcos/base';
import { JuteError } from './jute.ts';
import type { PathMapping } from './operations.ts';
import type { Credentials } from './protocol.ts';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

export interface ZooKeeperAddress {
  readonly servers: readonly ServerAddress[];
  readonly credentials: Credentials | undefined;
  /** `/` or a path without a slash at its end. */
  readonly path: string;
}

const PORT_DEFAULT = 2181;
/** Servers of one address at most. */
export const SERVERS_MAX = 100;

/** Why a path is none; undefined for a good one. The server would refuse it, but only later. */
export function pathProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return 'a path begins with a slash';
  if (path === '/') return undefined;
  if (path.endsWith('/')) return 'a path does not end with a slash';
  const parts = path.slice(1).split('/');
  if (parts.includes('')) return 'a path has no empty part';
  if (parts.some((part) => part === '.' || part === '..')) return 'a path is absolute';
  // eslint-disable-next-line no-control-regex -- those are what the server refuses.
  if (/[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/.test(path)) {
    return 'a path has a character that ZooKeeper refuses';
  }
  return undefined;
}

/** Maps the paths of a client below `chroot`. */
export function chrooted(chroot: string): PathMapping {
  if (chroot === '/') return { toServer: (path) => path, toClient: (path) => path };
  return {
    toServer: (path) => (path === '/' ? chroot : chroot + path),
    toClient(path) {
      if (path === chroot) return '/';
      if (path.startsWith(`${chroot}/`)) return path.slice(chroot.length);
      throw new JuteError(`${path} lies outside of ${chroot}`);
    },
  };
}

/** Reads a `zk://` address. Messages never hold the password. */
export function parseZooKeeperAddress(text: string): Result<ZooKeeperAddress, string> {
  if (!text.startsWith('zk://')) return err('it must begin with zk://');
  const rest = text.slice('zk://'.length);
  const slash = rest.indexOf('/');
  const authority = slash === -1 ? rest : rest.slice(0, slash);
  const path = slash === -1 ? '/' : rest.slice(slash).replace(/(?<=.)\/$/, '');
  const problem = pathProblem(path);
  if (problem !== undefined) return err(problem);
  // A password may have an @, a host may not.
  const at = authority.lastIndexOf('@');
  const login = at === -1 ? undefined : parseCredentials(authority.slice(0, at));
  if (login?.ok === false) return login;
  const servers: ServerAddress[] = [];
  for (const part of authority.slice(at + 1).split(',')) {
    const server = parseServer(part.trim());
    if (!server.ok) return server;
    servers.push(server.value);
  }
  if (servers.length > SERVERS_MAX) return err(`it names more than ${SERVERS_MAX} servers`);
  return ok({ servers, credentials: login?.value, path });
}

function parseCredentials(text: string): Result<Credentials, string> {
  const colon = text.indexOf(':');
  if (colon <= 0) return err('before the @ it must have user:password');
  return ok({ user: text.slice(0, colon), password: text.slice(colon + 1) });
}

function parseServer(text: string): Result<ServerAddress, string> {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? PORT_DEFAULT : Number(match[3]);
  if (host === undefined) return err(text === '' ? 'a host is missing' : `${text} is no host`);
  if (port < 1 || port > 65_535) return err(`${text} has no valid port`);
  return ok({ host, port });
}
