/** What a cluster knows, taken and put back by `dcos-ops` of the release that is in use, on a master. */

import { OperationError } from '@dcos/base';
import { ACTIVE, hostsOf, type Cluster } from '../core/cluster.ts';
import { AUTHORITIES_FILE, NODE_FILE } from '../core/certificates.ts';
import { RESTORE_MARK } from '../core/cluster-backup.ts';
import { PORTS, STATE } from '../core/component-settings.ts';
import type { HostConnection } from './connection.ts';

/** On masters: for files that come and go. */
export const BACKUP_FOLDER = `${STATE}/backup`;
const TIMEOUT_MS = 600_000;

const MAKE_FOLDER = 'umask 077 && mkdir -p "$1"';
/** How many entries of each kind, and the line of a restore that is under way. */
const LOOK = `
sed -n 's/^{"key":"\\([^"]*\\)".*/\\1/p' "$1" | cut -d / -f 1,2 | sort | uniq -c
grep -F '"key":"${RESTORE_MARK}"' "$1" || true
`;

/** Writes the state into a file on the master. */
export async function takeState(
  connection: HostConnection,
  cluster: Cluster,
  path: string,
): Promise<void> {
  await does(connection, ['sh', '-c', MAKE_FOLDER, 'folder', BACKUP_FOLDER]);
  await does(connection, [...ops(cluster, 'backup'), '--from', placeOf(cluster), '--to', path]);
}

/** Puts a file on the master in the place of the state. Masters and Marathons must not run. Run again, it goes on. */
export async function putState(
  connection: HostConnection,
  cluster: Cluster,
  path: string,
): Promise<void> {
  const place = ['--from', path, '--to', placeOf(cluster), '--replace'];
  await does(connection, [...ops(cluster, 'restore'), ...place]);
}

export interface StateLook {
  /** Entries by the first two parts of their keys. */
  readonly counts: ReadonlyMap<string, number>;
  /** Checksum of the state that a restore is putting there; undefined when none is under way. */
  readonly restoring?: string;
}

/** What is in a file of {@link takeState}. */
export async function lookAtState(connection: HostConnection, path: string): Promise<StateLook> {
  const lines = (await does(connection, ['sh', '-c', LOOK, 'look', path])).split('\n');
  const counts = lines.flatMap((line) => {
    const [, count = '', kind = ''] = /^ *(\d+) (\S+)$/.exec(line) ?? [];
    return kind === '' ? [] : [[kind, Number(count)] as const];
  });
  const mark = lines.find((line) => line.startsWith('{'));
  const value = mark === undefined ? undefined : (JSON.parse(mark) as { readonly value: string });
  return {
    counts: new Map(counts),
    ...(value !== undefined && { restoring: Buffer.from(value.value, 'base64').toString() }),
  };
}

export async function removeFile(connection: HostConnection, path: string): Promise<void> {
  await does(connection, ['rm', '-f', path]);
}

function placeOf(cluster: Cluster): string {
  const servers = hostsOf(cluster, 'master').map(({ address }) => `${address}:${PORTS.zooKeeper}`);
  return `zk://${servers.join(',')}`;
}

function ops({ settings }: Cluster, command: 'backup' | 'restore'): readonly string[] {
  const tls = settings.tls ? ['--tls-ca', AUTHORITIES_FILE, '--tls-node', NODE_FILE] : [];
  return [`${ACTIVE}/bin/dcos-ops`, command, ...tls];
}

async function does(connection: HostConnection, argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await connection.run(argv, { timeoutMs: TIMEOUT_MS });
  if (code === 0) return stdout;
  throw new OperationError(
    'CLUSTER_STATE',
    `${argv.slice(0, 2).join(' ')} ended with ${code}: ${stderr.trim().slice(-2_000)}`,
  );
}
