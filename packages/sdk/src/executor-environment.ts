/**
 * What an agent tells its executors through the environment.
 * Source: the variables that the original gives to every executor.
 */

import { OperationError, parseDurationMs } from '@dcos/base';

/** How long an executor looks for its agent unless told otherwise. */
const RECOVERY_TIMEOUT_MS = 15 * 60_000;
/** Bound on the wait between tries unless told otherwise. */
const SUBSCRIPTION_BACKOFF_MS_MAX = 2_000;
/** Time to end in unless told otherwise. */
const SHUTDOWN_GRACE_MS = 5_000;

export interface ExecutorEnvironment {
  readonly frameworkId: string;
  readonly executorId: string;
  /** Address of the agent, `host:port`. */
  readonly agent: string;
  /** Whether the framework's executors outlive the restart of the agent. */
  readonly checkpoint: boolean;
  /** How long to look for a lost agent; of use with `checkpoint` only. */
  readonly recoveryTimeoutMs: number;
  readonly subscriptionBackoffMsMax: number;
  /** From SHUTDOWN to the forced end. */
  readonly shutdownGraceMs: number;
  readonly directory: string | undefined;
  /** Sent as a bearer token when the agent demands it. */
  readonly token: string | undefined;
  /** Whether the agent speaks TLS. */
  readonly speaksTls: boolean;
  /** Files in PEM: authorities in place of the system's, and what is shown to an agent that asks. */
  readonly tlsCaFile: string | undefined;
  readonly tlsCertFile: string | undefined;
  readonly tlsKeyFile: string | undefined;
}

/**
 * Reads the environment of an executor.
 * @throws OperationError `SDK_ENVIRONMENT_INVALID` that names every variable that is missing or malformed.
 */
export function executorEnvironment(
  variables: Readonly<Record<string, string | undefined>>,
): ExecutorEnvironment {
  const problems: string[] = [];
  const text = (name: string): string => {
    const value = variables[name] ?? '';
    if (value === '') problems.push(`${name} is missing`);
    return value;
  };
  const duration = (name: string, otherwise: number): number => {
    const value = variables[name];
    if (value === undefined || value === '') return otherwise;
    const durationMs = parseDurationMs(value);
    if (durationMs === undefined) problems.push(`${name} is no duration: '${value}'`);
    return durationMs ?? otherwise;
  };
  const environment: ExecutorEnvironment = {
    frameworkId: text('MESOS_FRAMEWORK_ID'),
    executorId: text('MESOS_EXECUTOR_ID'),
    agent: text('MESOS_AGENT_ENDPOINT'),
    checkpoint: variables['MESOS_CHECKPOINT'] === '1',
    recoveryTimeoutMs: duration('MESOS_RECOVERY_TIMEOUT', RECOVERY_TIMEOUT_MS),
    subscriptionBackoffMsMax: duration(
      'MESOS_SUBSCRIPTION_BACKOFF_MAX',
      SUBSCRIPTION_BACKOFF_MS_MAX,
    ),
    shutdownGraceMs: duration('MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD', SHUTDOWN_GRACE_MS),
    directory: variables['MESOS_SANDBOX'] ?? variables['MESOS_DIRECTORY'],
    token: variables['MESOS_EXECUTOR_AUTHENTICATION_TOKEN'],
    speaksTls: ['1', 'true'].includes(variables['LIBPROCESS_SSL_ENABLED'] ?? ''),
    tlsCaFile: variables['LIBPROCESS_SSL_CA_FILE'],
    tlsCertFile: variables['LIBPROCESS_SSL_CERT_FILE'],
    tlsKeyFile: variables['LIBPROCESS_SSL_KEY_FILE'],
  };
  if (problems.length > 0) {
    throw new OperationError(
      'SDK_ENVIRONMENT_INVALID',
      `this is not the environment of an executor: ${problems.join(', ')}`,
    );
  }
  return environment;
}
