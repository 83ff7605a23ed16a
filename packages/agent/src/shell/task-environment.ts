/**
 * The environment of a task: what the original gives to an executor, then what the operator adds, then what
 * the task brings. Nothing of the agent's own environment gets in. Source: mesos-kernel §2.3.
 */

import { durationText } from '@dcos/base';
import type { CommandInfo, FrameworkInfo } from '@dcos/wire';
import { executorIdOf, type TaskRecord } from '../core/index.ts';

/** Search path of programs where neither operator nor task gives one. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Where a container with an image sees its sandbox. */
export const SANDBOX_IN_CONTAINER = '/mnt/mesos/sandbox';

/** True for a container with an image: it sees nothing of the host but what is mounted. */
export function hasOwnRoot({ runtime, info: { container } }: TaskRecord): boolean {
  if (runtime !== 'oci') return runtime === 'docker';
  return container?.docker !== undefined || container?.mesos?.image !== undefined;
}

export interface EnvironmentInput {
  readonly task: TaskRecord;
  readonly framework: FrameworkInfo;
  readonly agentId: string;
  readonly ip: string;
  readonly port: number;
  readonly sandboxPath: string;
  /** From SHUTDOWN to the forced end of an executor. */
  readonly shutdownGraceMs: number;
  /** The operator's additions for all tasks. */
  readonly extra: Readonly<Record<string, string>>;
}

/** Builds it; later sources win. */
export function taskEnvironment(input: EnvironmentInput): Readonly<Record<string, string>> {
  const { task, framework, agentId, ip, port } = input;
  const checkpoint = framework.checkpoint === true;
  const role = task.info.resources?.find((resource) => resource.allocation_info !== undefined)
    ?.allocation_info?.role;
  const isDocker = task.runtime === 'docker';
  const hasRoot = hasOwnRoot(task);
  // An image has a search path of its own.
  const { PATH = DEFAULT_PATH, ...extra } = input.extra;
  const environment = {
    LIBPROCESS_IP: ip,
    LIBPROCESS_PORT: '0',
    MESOS_AGENT_ENDPOINT: `${ip}:${port}`,
    MESOS_CHECKPOINT: checkpoint ? '1' : '0',
    MESOS_DIRECTORY: input.sandboxPath,
    MESOS_EXECUTOR_ID: executorIdOf(task),
    MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: durationText(input.shutdownGraceMs),
    MESOS_FRAMEWORK_ID: task.frameworkId,
    MESOS_HTTP_COMMAND_EXECUTOR: '0',
    MESOS_SANDBOX: hasRoot ? SANDBOX_IN_CONTAINER : input.sandboxPath,
    MESOS_SLAVE_ID: agentId,
    MESOS_SLAVE_PID: `slave(1)@${ip}:${port}`,
    ...(checkpoint
      ? { MESOS_RECOVERY_TIMEOUT: '15mins', MESOS_SUBSCRIPTION_BACKOFF_MAX: '2secs' }
      : {}),
    ...(role === undefined ? {} : { MESOS_ALLOCATION_ROLE: role }),
    ...(hasRoot ? {} : { PATH }),
    ...(isDocker ? { MESOS_CONTAINER_NAME: `mesos-${task.containerId}` } : {}),
    ...(task.info.container?.tty_info === undefined ? {} : { TERM: 'xterm' }),
    ...extra,
  };
  return withVariables(environment, task.info.command);
}

/** Adds the variables that a command brings. */
export function withVariables(
  environment: Readonly<Record<string, string>>,
  command: CommandInfo | undefined,
): Readonly<Record<string, string>> {
  const all = { ...environment };
  for (const { name, value } of command?.environment?.variables ?? [])
    if (value !== undefined) all[name] = value;
  return all;
}

/** Names that a shell hands on to what it starts. */
const SHELL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Why the environment of a command cannot be given to a process, or undefined.
 * @param isPlain Its process is started by a shell, where the other names go through a vector that all can see.
 */
export function environmentProblem(
  command: CommandInfo | undefined,
  { isPlain }: { readonly isPlain: boolean },
): string | undefined {
  for (const variable of command?.environment?.variables ?? []) {
    const { name } = variable;
    if (name === '' || name.includes('=') || name.includes('\0')) {
      return `'${name}' cannot be the name of an environment variable`;
    }
    if (variable.value?.includes('\0') === true)
      return `the value of ${name} holds a NUL character`;
    if (isPlain && variable.type === 'SECRET' && !SHELL_NAME.test(name))
      return `'${name}' cannot be the name of a secret of a plain process`;
  }
  return undefined;
}
