/**
 * Asks a host what it is and has: one program of the plainest shell, in one go. It changes nothing. What it prints is
 * read by `core/host-facts.ts`.
 */

import { errorText, OperationError, operationErrorCode } from '@dcos/base';
import { parseHostFacts, type HostFacts } from '../core/host-facts.ts';
import type { HostConnection } from './connection.ts';
import { hostProgram } from './host-programs.ts';

const PROBE_TIMEOUT_MS = 60_000;

/**
 * Where sudo refuses, it is asked as whom we are: what it says then is less, and that we are not root.
 * @param programs that are looked for.
 * @throws OperationError `HOST_PROBE_FAILED` when the host cannot say.
 */
export async function probeHost(
  connection: HostConnection,
  programs: readonly string[],
): Promise<HostFacts> {
  const argv = ['sh', '-c', hostProgram('probe.sh'), 'probe', ...programs];
  const options = { timeoutMs: PROBE_TIMEOUT_MS };
  let rootProblem: string | undefined;
  let fromMs = Date.now();
  const { code, stdout, stderr } = await connection.run(argv, options).catch((error: unknown) => {
    if (operationErrorCode(error) !== 'HOST_SUDO_REFUSED') throw error;
    rootProblem = errorText(error);
    fromMs = Date.now();
    return connection.run(argv, { ...options, asRoot: false });
  });
  const asked = { fromSeconds: fromMs / 1000, untilSeconds: Date.now() / 1000 };
  const facts = parseHostFacts(stdout, asked);
  if (facts.ok) return { ...facts.value, ...(rootProblem !== undefined && { rootProblem }) };
  throw new OperationError(
    'HOST_PROBE_FAILED',
    `${facts.error} (exit code ${code}): ${stderr.trim().slice(-500)}`,
  );
}
