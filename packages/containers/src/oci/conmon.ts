/**
 * Makes a container under `conmon`, which stays with it as its parent process, survives the agent, and writes the
 * exit status down. See ADR 0008.
 *
 * The container's output goes straight into the sandbox files (`passthrough`): there is no pump that could lose or
 * double any of it. conmon hands its own standard input on in that mode, which is `/dev/null`: a runtime without any would
 * open a directory of the host in its place, which the container would inherit.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OperationError } from '@dcos/base';
import { containerError } from '../errors.ts';
import type { ShimLauncher } from '../process/shim-launcher.ts';
import { PID_FILE, settleCreate } from './creates-under-way.ts';
import type { OciUser } from './oci-spec.ts';

/** How long the runtime may take to make a container on a busy host. */
const CREATE_TIMEOUT_MS = 60_000;
/** The end of the runtime's own log; more is cut. */
const LOG_CHARACTERS_MAX = 64 * 1024;
/** All that programs of ours get of an environment. */
export const TOOL_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
};

/** Programs by path. */
export interface OciTools {
  readonly conmon: string;
  readonly runtime: string;
  readonly kind: 'runc' | 'crun';
  /** A first process for containers that have processes of their own. */
  readonly init: string;
}

export interface CreateRequest {
  readonly id: string;
  readonly tools: OciTools;
  /** Bundle and state directory of the container. */
  readonly directory: string;
  /** Where the runtime keeps its own state. */
  readonly runtimeRoot: string;
  readonly sandboxPath: string;
  readonly user: OciUser;
}

/** Files in a container's directory. */
export const CONMON_PID_FILE = 'conmon.pid';
export const RUNTIME_LOG_FILE = 'runtime.log';

/**
 * Resolves with the pid of the container's first process, which waits to be started. The launcher starts conmon: a fork
 * of the agent costs its event loop some milliseconds.
 */
export async function createUnderConmon(
  request: CreateRequest,
  launcher: Pick<ShimLauncher, 'supervise'>,
): Promise<number> {
  const { directory, sandboxPath, user } = request;
  const end = await launcher.supervise({
    file: request.tools.conmon,
    vector: conmonArguments(request),
    environment: { ...TOOL_ENVIRONMENT, _OCI_SYNCPIPE: '3' },
    directory,
    sandboxPath,
    account: { uid: user.uid, gid: user.gid },
    timeoutMs: CREATE_TIMEOUT_MS,
  });
  if (end === undefined) {
    // What is removed too early would be made afterwards.
    await settleCreate(directory);
    throw containerError('CONTAINER_LAUNCH_FAILED', 'the launcher of tasks died');
  }
  const pid = pidIn(end.stdout);
  if (pid !== undefined) return pid;
  const said = end.stdout.trim() || end.stderr || 'conmon ended without a word';
  throw creationError(lastError(await logText(directory)) ?? said);
}

/** Why a container was not made. */
export function creationError(reason: string): OperationError {
  return containerError('CONTAINER_LAUNCH_FAILED', `the container could not be made: ${reason}`);
}

function conmonArguments(request: CreateRequest): readonly string[] {
  const { id, tools, directory, runtimeRoot } = request;
  return [
    '--api-version=1',
    `--cid=${id}`,
    `--cuuid=${id}`,
    `--name=${id}`,
    `--runtime=${tools.runtime}`,
    `--bundle=${directory}`,
    `--container-pidfile=${join(directory, PID_FILE)}`,
    `--conmon-pidfile=${join(directory, CONMON_PID_FILE)}`,
    `--exit-dir=${directory}`,
    // Without it the distribution's build ends at once: its default folder for sockets does not exist.
    '--full-attach',
    '--log-path=passthrough:',
    '--log-level=error',
    `--runtime-arg=--root=${runtimeRoot}`,
    `--runtime-arg=--log=${join(directory, RUNTIME_LOG_FILE)}`,
    '--runtime-arg=--log-format=json',
  ];
}

function pidIn(answer: string): number | undefined {
  const match = /"data": ?(\d+)/.exec(answer);
  const pid = Number(match?.[1] ?? 0);
  return pid > 1 ? pid : undefined;
}

/** The end of the runtime's own log of a container. */
export async function logText(directory: string): Promise<string> {
  try {
    return (await readFile(join(directory, RUNTIME_LOG_FILE), 'utf8')).slice(-LOG_CHARACTERS_MAX);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

/** The message of the last error in a log of JSON lines. */
export function lastError(log: string): string | undefined {
  for (const line of log.split('\n').toReversed()) {
    const match = /"level":"error","msg":("(?:[^"\\]|\\.)*")/.exec(line);
    if (match?.[1] !== undefined) return JSON.parse(match[1]) as string;
  }
  return undefined;
}
