/** Reads the files that the environment of an executor names for TLS. */

import { readFileSync } from 'node:fs';
import { errorText, OperationError } from '@dcos/base';
import type { ExecutorEnvironment } from '../executor-environment.ts';
import type { TlsOptions } from '../tls.ts';

/** @throws OperationError `SDK_ENVIRONMENT_INVALID` with the variable and the file that cannot be read. */
export function readTls({
  tlsCaFile,
  tlsCertFile,
  tlsKeyFile,
}: Pick<ExecutorEnvironment, 'tlsCaFile' | 'tlsCertFile' | 'tlsKeyFile'>): TlsOptions {
  return {
    ...(tlsCaFile !== undefined && { ca: read('CA_FILE', tlsCaFile) }),
    ...(tlsCertFile !== undefined && { cert: read('CERT_FILE', tlsCertFile) }),
    ...(tlsKeyFile !== undefined && { key: read('KEY_FILE', tlsKeyFile) }),
  };
}

function read(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const problem = `LIBPROCESS_SSL_${name}=${path} cannot be read: ${errorText(error)}`;
    throw new OperationError('SDK_ENVIRONMENT_INVALID', problem, { cause: error });
  }
}
