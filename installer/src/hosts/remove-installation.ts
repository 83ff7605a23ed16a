/** Takes away from a host all that the installer and the cluster made on it. */

import { OperationError } from '@dcos/base';
import type { HostConnection } from './connection.ts';
import { hostProgram } from './host-programs.ts';

const REMOVE_TIMEOUT_MS = 300_000;

/** May be repeated after it was cut short; the mark that says whose the host is goes last. */
export async function removeInstallation(connection: HostConnection): Promise<void> {
  const argv = ['sh', '-c', hostProgram('remove.sh'), 'remove'];
  const { code, stdout, stderr } = await connection.run(argv, { timeoutMs: REMOVE_TIMEOUT_MS });
  if (code === 0) return;
  const said = `${stdout}\n${stderr}`.trim().slice(-2_000);
  throw new OperationError('HOST_PROGRAM_FAILED', `not all could be removed: ${said}`);
}
