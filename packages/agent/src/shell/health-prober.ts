/**
 * Makes one health check and says what came of it. The three kinds of the original: a command in the task's
 * surroundings, an HTTP request, a TCP connection. Source: mesos-kernel §6.9.
 */

import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { errorText } from '@dcos/base';
import type { CheckInfo, CheckStatusInfo, CommandInfo, HealthCheck } from '@dcos/wire';
import type { ContainerRuntime } from '@dcos/containers';
import type { TaskRecord } from '../core/index.ts';
import { withVariables } from './task-environment.ts';

/** Redirects that are followed. */
const REDIRECTS_MAX = 5;
/** The schema's 0 means no time-out; this bounds even that. */
const TIMEOUT_MS_MAX = 3_600_000;

export interface ProbeResult {
  readonly healthy: boolean;
  /** Why not; empty when healthy. */
  readonly message: string;
  /** What was answered, for checks that are not about health; absent when nothing was. */
  readonly exitCode?: number;
  readonly statusCode?: number;
}

/** Where commands of checks are run. */
export interface ProbeSurroundings {
  readonly runtime: ContainerRuntime;
  /** The secrets in the environment of a command. */
  readonly secretsOf: (command: CommandInfo) => Promise<Readonly<Record<string, string>>>;
}

/** Runs the check; never rejects. */
export async function probe(
  task: TaskRecord,
  check: HealthCheck,
  timeoutMs: number,
  surroundings: ProbeSurroundings,
): Promise<ProbeResult> {
  const boundMs = timeoutMs > 0 ? timeoutMs : TIMEOUT_MS_MAX;
  // A container with a network of its own is reached at its address, others through the host's loopback.
  const address = task.ipAddresses[0] ?? '127.0.0.1';
  try {
    switch (check.type ?? typeOf(check)) {
      case 'COMMAND':
        return await probeCommand(task, check, boundMs, surroundings);
      case 'HTTP':
        return await probeHttp(check, address, boundMs);
      case 'TCP':
        return await probeTcp(check, address, boundMs);
      default:
        return { healthy: false, message: 'The health check has no known type' };
    }
  } catch (error) {
    return { healthy: false, message: errorText(error) };
  }
}

/** Makes a check that is not about health; never rejects. What cannot be found out stays unset. */
export async function probeCheck(
  task: TaskRecord,
  check: CheckInfo,
  timeoutMs: number,
  surroundings: ProbeSurroundings,
): Promise<CheckStatusInfo> {
  const { type = 'UNKNOWN', command, http, tcp } = check;
  const asked: HealthCheck = {
    type,
    ...(command !== undefined && { command: command.command }),
    ...(http !== undefined && { http: { ...http, scheme: 'http' } }),
    ...(tcp !== undefined && { tcp }),
  };
  const { healthy, exitCode, statusCode } = await probe(task, asked, timeoutMs, surroundings);
  switch (type) {
    case 'COMMAND':
      return { type, command: exitCode === undefined ? {} : { exit_code: exitCode } };
    case 'HTTP':
      return { type, http: statusCode === undefined ? {} : { status_code: statusCode } };
    case 'TCP':
      return { type, tcp: { succeeded: healthy } };
    default:
      return {};
  }
}

/** Old clients give no type. */
function typeOf(check: HealthCheck): HealthCheck['type'] {
  if (check.http !== undefined) return 'HTTP';
  if (check.tcp !== undefined) return 'TCP';
  return check.command === undefined ? undefined : 'COMMAND';
}

async function probeCommand(
  task: TaskRecord,
  check: HealthCheck,
  timeoutMs: number,
  surroundings: ProbeSurroundings,
): Promise<ProbeResult> {
  if (check.command === undefined) return { healthy: false, message: 'The check has no command' };
  const secrets = await surroundings.secretsOf(check.command);
  const environment = withVariables(secrets, check.command);
  const result = await surroundings.runtime.exec(task.containerId, {
    command: check.command,
    environment,
    timeoutMs,
  });
  if (result.exitCode === 0) return { healthy: true, message: '', exitCode: 0 };
  const end = result.timedOut
    ? `timed out after ${timeoutMs / 1000} s`
    : `exited with status ${result.exitCode ?? 'unknown'}`;
  const output = result.output.trim();
  return {
    healthy: false,
    message: `Command health check ${end}${output === '' ? '' : `: ${output}`}`,
    ...(result.exitCode !== undefined && !result.timedOut && { exitCode: result.exitCode }),
  };
}

async function probeHttp(
  check: HealthCheck,
  address: string,
  timeoutMs: number,
): Promise<ProbeResult> {
  const { http } = check;
  if (http === undefined) return { healthy: false, message: 'The check has no HTTP part' };
  const host = http.protocol === 'IPv6' ? '[::1]' : address;
  const path = http.path ?? '/';
  let url = new URL(
    `${http.scheme ?? 'http'}://${host}:${http.port}${path.startsWith('/') ? '' : '/'}${path}`,
  );
  const signal = AbortSignal.timeout(timeoutMs);
  for (let redirects = 0; ; redirects++) {
    const { status, location } = await getStatus(url, signal);
    const isRedirect = status >= 300 && status < 400 && location !== undefined;
    if (isRedirect && redirects < REDIRECTS_MAX) {
      url = new URL(location, url);
      continue;
    }
    const statuses = http.statuses ?? [];
    const healthy = statuses.length > 0 ? statuses.includes(status) : status >= 200 && status < 400;
    return {
      healthy,
      statusCode: status,
      message: healthy ? '' : `HTTP health check of ${url.href} answered ${status}`,
    };
  }
}

async function getStatus(
  url: URL,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly location: string | undefined }> {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number;
    location: string | undefined;
  }>();
  const headers = { 'user-agent': 'dcos-agent-health-check' };
  // A task's certificate is its own business; the check asks whether it answers.
  const call =
    url.protocol === 'https:'
      ? httpsRequest(url, { signal, headers, agent: false, rejectUnauthorized: false })
      : httpRequest(url, { signal, headers, agent: false });
  call.on('response', (response) => {
    resolve({ status: response.statusCode ?? 0, location: response.headers.location });
    response.destroy();
  });
  call.on('error', reject);
  call.end();
  return await promise;
}

async function probeTcp(
  check: HealthCheck,
  address: string,
  timeoutMs: number,
): Promise<ProbeResult> {
  const { tcp } = check;
  if (tcp === undefined) return { healthy: false, message: 'The check has no TCP part' };
  const { promise, resolve } = Promise.withResolvers<ProbeResult>();
  const host = tcp.protocol === 'IPv6' ? '::1' : address;
  const socket = connect({ host, port: tcp.port });
  socket.setTimeout(timeoutMs);
  socket.on('connect', () => resolve({ healthy: true, message: '' }));
  socket.on('timeout', () =>
    resolve({ healthy: false, message: `TCP health check timed out after ${timeoutMs / 1000} s` }),
  );
  socket.on('error', (error) =>
    resolve({ healthy: false, message: `TCP health check failed: ${error.message}` }),
  );
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
