/** Whether something on a host serves; asked on the host itself, so that nothing need be open to the installer. */

import { OperationError } from '@dcos/base';
import { ACTIVE, RELEASE_NODE } from '../core/cluster.ts';
import type { Readiness } from '../core/wanted-host.ts';
import type { HostConnection } from './connection.ts';
import { hostProgram } from './host-programs.ts';

/** The host's own patience ends before that of the connection. */
const MARGIN_MS = 30_000;

/**
 * Waits until it serves.
 * @param unit whose restarts are counted: one that ends again and again is given up before the time is over.
 * @returns why it does not, or undefined when it does.
 */
export async function waitUntilReady(
  connection: HostConnection,
  question: { readonly readiness: Readiness; readonly unit?: string; readonly timeoutMs: number },
): Promise<string | undefined> {
  const { code, stdout, stderr } = await connection.run(
    [
      `${ACTIVE}/${RELEASE_NODE}`,
      '--input-type=module',
      '-e',
      hostProgram('ready.mjs'),
      JSON.stringify(question),
    ],
    { timeoutMs: question.timeoutMs + MARGIN_MS },
  );
  if (code !== 0)
    throw new OperationError(
      'HOST_PROGRAM_FAILED',
      `the look for readiness failed: ${stderr.trim()}`,
    );
  const answer = JSON.parse(stdout) as { readonly ready: boolean; readonly reason?: string };
  return answer.ready ? undefined : (answer.reason ?? 'no reason given');
}

/** The state of a unit and the last lines that it wrote. */
export async function unitReport(connection: HostConnection, unit: string): Promise<string> {
  const [state, log] = await Promise.all([
    connection.run(['systemctl', 'show', `${unit}.service`, '-p', 'ActiveState,SubState,Result']),
    connection.run(['journalctl', '--no-pager', '-o', 'cat', '-n', '20', '-u', `${unit}.service`]),
  ]);
  return `${state.stdout.trim().replaceAll('\n', ' ')}\n${log.stdout.trim()}`;
}
