/**
 * Asks a host what it is and has: one program of the plainest shell, in one go. It changes nothing. What it prints is
 * read by `core/host-facts.ts`.
 */

import { OperationError } from '@dcos/base';
import { parseHostFacts, type HostFacts } from '../core/host-facts.ts';
import type { HostConnection } from './connection.ts';
import { hostProgram } from './host-programs.ts';

const PROBE_TIMEOUT_MS = 60_000;

export interface ProbeQuestions {
  readonly programs: readonly string[];
  readonly packages: readonly string[];
}

/** Throws `HOST_PROBE_FAILED` when the host cannot say. */
export async function probeHost(
  connection: HostConnection,
  { programs, packages }: ProbeQuestions,
): Promise<HostFacts> {
  const argv = ['sh', '-c', hostProgram('probe.sh'), 'probe', ...programs, '--', ...packages];
  const { code, stdout, stderr } = await connection.run(argv, { timeoutMs: PROBE_TIMEOUT_MS });
  const facts = parseHostFacts(stdout);
  if (facts.ok) return facts.value;
  throw new OperationError(
    'HOST_PROBE_FAILED',
    `${facts.error} (exit code ${code}): ${stderr.trim().slice(-500)}`,
  );
}
