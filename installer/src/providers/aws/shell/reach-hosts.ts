/** How hosts in EC2 are reached: by SSH with the cluster's key; and waiting until they can be, after their first start. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorText, operationErrorCode } from '@dcos/base';
import type { HostConnection } from '../../../hosts/connection.ts';
import { SshConnection } from '../../ssh/ssh-connection.ts';
import type { AwsHost } from '../aws-provider.ts';
import { awsError } from '../errors.ts';
import { pause, type RunContext } from './run-context.ts';

/** From running until sshd answers; small hosts need a minute. */
const REACHABLE_WAIT_MS_MAX = 4 * 60_000;
const LOOK_MS = 3_000;
/** What the image does at its first start; package managers are locked meanwhile. */
const FIRST_START_TIMEOUT_MS = 10 * 60_000;
const AWAIT_FIRST_START = [
  'sh',
  '-c',
  'if command -v cloud-init >/dev/null; then cloud-init status --wait >/dev/null; fi; true',
];

/** What passes by waiting: sshd answers before the key of the operator is in its place. */
const PASSING = new Set(['HOST_UNREACHABLE', 'HOST_LOGIN_REFUSED']);

export type Connect = (host: AwsHost) => Promise<HostConnection>;

/**
 * Connects by SSH. The first key of an instance is pinned to the instance, not to its address, which another one may get.
 * @param knownHostsFolder where keys of hosts are kept, a file an instance.
 */
export function connectBySsh(knownHostsFolder: string): Connect {
  return async ({ instanceId, connection }) => {
    const { address: host, port, user, privateKeyFile } = connection;
    return await Promise.resolve(
      new SshConnection({
        host,
        port,
        user,
        proof: { privateKey: readKey(privateKeyFile) },
        bastions: [],
        ...(user !== 'root' && { sudo: {} }),
        hostKeys: { file: join(knownHostsFolder, instanceId), pinsFirst: true },
      }),
    );
  };
}

function readKey(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw awsError('AWS_KEY', `the private key of the hosts cannot be read: ${path}`, {
      cause: error,
    });
  }
}

/**
 * Until all hosts answer and have ended their first start. One that does not in time is told and left: whoever goes on
 * with the hosts finds out the same, and says what that means.
 */
export async function waitUntilReachable(
  hosts: readonly AwsHost[],
  connect: Connect,
  context: RunContext,
): Promise<void> {
  let reached = 0;
  await Promise.all(
    hosts.map(async (host) => {
      const problem = await waitForHost(host, connect, context);
      reached += problem === undefined ? 1 : 0;
      context.onProgress(
        problem === undefined
          ? `${host.name} answers, ${reached} of ${hosts.length}`
          : `${host.name} does not answer: ${problem}`,
      );
    }),
  );
}

/** The last problem; undefined when it answers. */
async function waitForHost(
  host: AwsHost,
  connect: Connect,
  context: RunContext,
): Promise<string | undefined> {
  const endMs = context.clock.monotonicMs() + REACHABLE_WAIT_MS_MAX;
  for (;;) {
    const connection = await connect(host);
    try {
      await connection.run(AWAIT_FIRST_START, {
        asRoot: false,
        timeoutMs: FIRST_START_TIMEOUT_MS,
      });
      return undefined;
    } catch (error) {
      if (!PASSING.has(operationErrorCode(error) ?? '')) return errorText(error);
      if (context.clock.monotonicMs() > endMs) return errorText(error);
    } finally {
      await connection.close();
    }
    await pause(LOOK_MS, context);
  }
}
