/**
 * How an executor of a framework reaches its agent, and proves that it may: what it finds in its environment beside
 * the variables of every executor. Source: mesos-kernel §2.3.
 */

import { resolve } from 'node:path';
import { OperationError } from '@dcos/base';
import type { AgentConfig } from '../config.ts';
import type { ExecutorRecord } from '../core/index.ts';
import { ExecutorTokens } from './executor-tokens.ts';

/** The variables for one executor. */
export async function executorVariables(
  { frameworkId: fid, executorId: eid, containerId: cid, info: { container } }: ExecutorRecord,
  config: AgentConfig,
  tokens: ExecutorTokens | undefined,
): Promise<Readonly<Record<string, string>>> {
  // What an image has in its place would be another file.
  const hasOwnRoot = container?.docker !== undefined || container?.mesos?.image !== undefined;
  const caFile = hasOwnRoot ? undefined : config.sslCaFile;
  return {
    ...(config.sslCertFile !== undefined && {
      LIBPROCESS_SSL_ENABLED: '1',
      ...(caFile !== undefined && { LIBPROCESS_SSL_CA_FILE: resolve(caFile) }),
    }),
    ...(tokens !== undefined && {
      MESOS_EXECUTOR_AUTHENTICATION_TOKEN: await tokens.issue({ fid, eid, cid }),
    }),
  };
}

/** What makes the tokens; undefined when executors get none. Throws `TOKEN_SECRET_INVALID`. */
export function tokensOf({
  jwtSecretKey,
  authenticateHttpExecutors,
}: AgentConfig): ExecutorTokens | undefined {
  if (jwtSecretKey !== undefined) return ExecutorTokens.byKeyFile(jwtSecretKey);
  if (!authenticateHttpExecutors) return undefined;
  throw new OperationError(
    'TOKEN_SECRET_INVALID',
    'authenticateHttpExecutors needs jwtSecretKey: a file with the key for tokens of executors',
  );
}
