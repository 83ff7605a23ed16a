/**
 * Which cluster a host belongs to: a file on the host itself, so that nothing has to be remembered elsewhere. It is
 * written when all hosts are fit, before anything is installed, and is the last that is removed.
 */

import { OperationError } from '@dcos/base';
import type { HostConnection } from '../../hosts/connection.ts';

export interface HostClaim {
  /** Name of the cluster. */
  readonly cluster: string;
  readonly clusterId: string;
}

const FILE = '/var/lib/dcos/installer/cluster.json';
const READ = 'if [ -e "$1" ]; then cat "$1"; fi';
/** Appears as a whole, and never in the place of another: `ln` refuses what is there. */
const WRITE = `
set -e
mkdir -p "$(dirname "$1")"
umask 077
printf '%s\\n' "$2" >"$1.$$"
ln "$1.$$" "$1" 2>/dev/null || true
rm -f "$1.$$"
cat "$1"
`;

/** Undefined for a host that belongs to nobody. */
export async function readClaim(connection: HostConnection): Promise<HostClaim | undefined> {
  const text = await output(connection, ['sh', '-c', READ, 'claim', FILE]);
  return text.trim() === '' ? undefined : parseClaim(text);
}

/** Marks a host, unless it is marked; gives the mark that is there afterwards. */
export async function writeClaim(connection: HostConnection, claim: HostClaim): Promise<HostClaim> {
  const argv = ['sh', '-c', WRITE, 'claim', FILE, JSON.stringify(claim)];
  return parseClaim(await output(connection, argv));
}

async function output(connection: HostConnection, argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await connection.run(argv);
  if (code === 0) return stdout;
  throw new OperationError('HOST_PROGRAM_FAILED', `the mark of the host: ${stderr.trim()}`);
}

function parseClaim(text: string): HostClaim {
  let cause: unknown;
  try {
    const { cluster, clusterId } = JSON.parse(text) as Partial<HostClaim>;
    if (typeof cluster === 'string' && typeof clusterId === 'string') return { cluster, clusterId };
  } catch (error) {
    cause = error;
  }
  throw new OperationError(
    'HOST_CLAIM_UNREADABLE',
    `${FILE} does not say which cluster the host belongs to; look at it, and remove it if it is nobody's`,
    { cause },
  );
}
