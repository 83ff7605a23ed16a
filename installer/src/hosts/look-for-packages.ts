/** Whether the distribution's packages that a host lacks can be had; nothing is installed. */

import { OperationError } from '@dcos/base';
import type { HostConnection } from './connection.ts';
import { hostProgram } from './host-programs.ts';

const LOOK_TIMEOUT_MS = 180_000;

/** What stands in the way of packages, each in words; none when all can be had. */
export async function lookForPackages(
  connection: HostConnection,
  names: readonly string[],
): Promise<readonly string[]> {
  const argv = ['sh', '-c', hostProgram('packages.sh'), 'packages', ...names];
  const { code, stdout, stderr } = await connection.run(argv, { timeoutMs: LOOK_TIMEOUT_MS });
  const lines = stdout.split('\n').map((line) => line.split('\t'));
  if (code !== 0)
    throw new OperationError('HOST_PROGRAM_FAILED', `the look for packages: ${stderr.trim()}`);
  return lines.flatMap(([word, what = '']) => {
    if (word === 'unknown') return [`the distribution has no package ${what}`];
    if (word === 'unreachable') return [`its packages cannot be fetched: ${what}`];
    return [];
  });
}
