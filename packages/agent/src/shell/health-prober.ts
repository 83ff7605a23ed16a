/**
 * Makes one health check and says what came of it. The three kinds of the original: a command in the task's
 * surroundings, an HTTP request, a TCP connection. Source: mesos-kernel §6.9.
 */

import { errorText } from '@dcos/base';
import type {
  CheckInfo,
  CheckStatusInfo,
  CommandInfo,
  HealthCheck,
  NetworkInfo_Protocol,
} from '@dcos/wire';
import type { ContainerRuntime } from '@dcos/containers';
import type { TaskRecord } from '../core/index.ts';
import {
  askInNetworkOf,
  askNetwork,
  type NetworkAnswer,
  type NetworkQuestion,
} from './network-probe.ts';
import { withVariables } from './task-environment.ts';

/** The schema's 0 means no time-out; this bounds even that. */
const TIMEOUT_MS_MAX = 3_600_000;

export interface ProbeResult {
  readonly healthy: boolean;
  /** Why not; empty when healthy. */
  readonly message: string;
  /** What was answered, for checks that are not about health; absent when nothing was. */
  readonly exitCode?: number;
  readonly statusCode?: number;
  /** Nobody knows. */
  readonly timedOut?: boolean;
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
  try {
    switch (check.type ?? typeOf(check)) {
      case 'COMMAND':
        return await probeCommand(task, check, boundMs, surroundings);
      case 'HTTP':
        return await probeHttp(task, check, boundMs);
      case 'TCP':
        return await probeTcp(task, check, boundMs);
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
  const { healthy, exitCode, statusCode, timedOut } = await probe(
    task,
    asked,
    timeoutMs,
    surroundings,
  );
  switch (type) {
    case 'COMMAND':
      return { type, command: exitCode === undefined ? {} : { exit_code: exitCode } };
    case 'HTTP':
      return { type, http: statusCode === undefined ? {} : { status_code: statusCode } };
    case 'TCP':
      return { type, tcp: timedOut === true ? {} : { succeeded: healthy } };
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
  task: TaskRecord,
  { http }: HealthCheck,
  timeoutMs: number,
): Promise<ProbeResult> {
  if (http === undefined) return { healthy: false, message: 'The check has no HTTP part' };
  const path = http.path ?? '/';
  const rest = `:${http.port}${path.startsWith('/') ? '' : '/'}${path}`;
  const answer = await askTask(task, http.protocol, timeoutMs, (host, leftMs) => ({
    kind: 'http',
    url: `${http.scheme ?? 'http'}://${host.includes(':') ? `[${host}]` : host}${rest}`,
    timeoutMs: leftMs,
  }));
  if (answer.kind !== 'answered') return failure('HTTP', answer, timeoutMs);
  const { status, url } = answer;
  const statuses = http.statuses ?? [];
  const healthy = statuses.length > 0 ? statuses.includes(status) : status >= 200 && status < 400;
  return {
    healthy,
    statusCode: status,
    message: healthy ? '' : `HTTP health check of ${url} answered ${status}`,
  };
}

async function probeTcp(
  task: TaskRecord,
  { tcp }: HealthCheck,
  timeoutMs: number,
): Promise<ProbeResult> {
  if (tcp === undefined) return { healthy: false, message: 'The check has no TCP part' };
  const answer = await askTask(task, tcp.protocol, timeoutMs, (host, leftMs) => ({
    kind: 'tcp',
    host,
    port: tcp.port,
    timeoutMs: leftMs,
  }));
  return answer.kind === 'connected'
    ? { healthy: true, message: '' }
    : failure('TCP', answer, timeoutMs);
}

function failure(what: 'HTTP' | 'TCP', answer: NetworkAnswer, timeoutMs: number): ProbeResult {
  const isTimeOut = answer.kind === 'failed' && answer.timedOut;
  const why = answer.kind === 'failed' ? answer.message : answer.kind;
  return {
    healthy: false,
    timedOut: isTimeOut,
    message: isTimeOut
      ? `${what} health check timed out after ${timeoutMs / 1000} s`
      : `${what} health check failed: ${why}`,
  };
}

/**
 * Asks a task where the original would: at the loopback of its network. A network of its own is entered only when
 * nobody listens at the address that it has there, or when it is to be asked by IPv6, since that costs a process.
 */
async function askTask(
  { ipAddresses: [own], pid }: TaskRecord,
  protocol: NetworkInfo_Protocol | undefined,
  timeoutMs: number,
  questionAt: (host: string, timeoutMs: number) => NetworkQuestion,
): Promise<NetworkAnswer> {
  const loopback = protocol === 'IPv6' ? '::1' : '127.0.0.1';
  if (own === undefined) return await askNetwork(questionAt(loopback, timeoutMs));
  const isAsked = protocol !== 'IPv6' || own.includes(':');
  const began = performance.now();
  const first = isAsked ? await askNetwork(questionAt(own, timeoutMs)) : undefined;
  const isOpen = first !== undefined && (first.kind !== 'failed' || first.timedOut);
  if (isOpen || pid === undefined || pid === 0) return first ?? NOBODY;
  const leftMs = Math.max(1, Math.round(timeoutMs - (performance.now() - began)));
  return await askInNetworkOf(pid, questionAt(loopback, leftMs));
}

const NOBODY: NetworkAnswer = {
  kind: 'failed',
  timedOut: false,
  message: 'the task has no address of that protocol',
};
