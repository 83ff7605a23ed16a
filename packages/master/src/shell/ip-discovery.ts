/**
 * The address of this host as the operator's command prints it, for hosts that only find out when they start.
 * Source: the original's `--ip_discovery_command`.
 */

import { execFile } from 'node:child_process';
import { isIPv4 } from 'node:net';
import { promisify } from 'node:util';
import { errorText, OperationError } from '@dcos/base';

/** A command that has not answered by then never will. */
const TIMEOUT_MS = 60_000;
/** Characters that it may print. */
const OUTPUT_LENGTH_MAX = 4_096;

/** Runs the command in a shell. Throws `IP_DISCOVERY_FAILED`. */
export async function discoverIp(command: string): Promise<string> {
  let output: string;
  try {
    const options = { timeout: TIMEOUT_MS, maxBuffer: OUTPUT_LENGTH_MAX };
    ({ stdout: output } = await promisify(execFile)('/bin/sh', ['-c', command], options));
  } catch (error) {
    throw failed(command, errorText(error), error);
  }
  const ip = output.trim();
  if (!isIPv4(ip)) throw failed(command, `it printed '${ip}', which is no IPv4 address`, undefined);
  return ip;
}

function failed(command: string, why: string, cause: unknown): OperationError {
  return new OperationError(
    'IP_DISCOVERY_FAILED',
    `the command '${command}' does not say the address: ${why}`,
    { cause },
  );
}
