/** The end of a container, and what the task's end is called because of it. */

import type { ContainerId } from '@dcos/base';
import type { TaskResourceLimitation } from '@dcos/wire';
import { taskOf, type Context } from './context.ts';
import { exitMessage } from './exit-message.ts';
import { endTask } from './ending.ts';
import { isTerminal, type ExitStatus, type TaskRecord } from './model.ts';
import type { UpdateFields } from './status-updates.ts';

/** A container ended; what it means depends on whether it was told to. */
export function containerExited(context: Context, id: ContainerId, status: ExitStatus): void {
  const task = taskOf(context, id);
  if (task === undefined || isTerminal(task.state)) return;
  endTask(context, task, endingOf(task, status));
}

const MEGABYTE = 1024 * 1024;

/** The original's words for what was granted and what was used. */
function memoryText({ memory }: Exclude<ExitStatus, { kind: 'unknown' }>): string | undefined {
  if (memory?.limitBytes === undefined) return undefined;
  const { limitBytes, peakBytes = limitBytes } = memory;
  const megabytes = (bytes: number): string => `${Math.round(bytes / MEGABYTE)}MB`;
  return `Requested: ${megabytes(limitBytes)} Maximum Used: ${megabytes(peakBytes)}`;
}

function memoryLimitation({
  memory,
}: Exclude<ExitStatus, { kind: 'unknown' }>): TaskResourceLimitation | undefined {
  if (memory?.peakBytes === undefined) return undefined;
  const value = memory.peakBytes / MEGABYTE;
  return { resources: [{ name: 'mem', type: 'SCALAR', scalar: { value } }] };
}

function endingOf(task: TaskRecord, status: ExitStatus): UpdateFields {
  const message = exitMessage(task.runtime, status);
  const cause = task.kill?.cause;
  switch (cause) {
    case 'unhealthy':
      return { state: 'TASK_KILLED', message, healthy: false };
    case 'maxCompletionTime':
      return {
        state: 'TASK_FAILED',
        message,
        reason: 'REASON_MAX_COMPLETION_TIME_REACHED',
      };
    case 'drain':
      return { state: 'TASK_KILLED', message, reason: 'REASON_AGENT_DRAINING' };
    case 'request':
    case 'framework':
    case 'agent':
      return { state: 'TASK_KILLED', message };
    case 'limitation':
      if (task.kill?.ending !== undefined) return { ...task.kill.ending, source: 'SOURCE_AGENT' };
      break;
    case undefined:
      break;
    default:
      return cause satisfies never;
  }
  if (status.kind === 'unknown') {
    return {
      state: 'TASK_FAILED',
      message,
      source: 'SOURCE_AGENT',
      reason: 'REASON_EXECUTOR_TERMINATED',
    };
  }
  if (status.outOfMemory === true) {
    return {
      state: 'TASK_FAILED',
      message: `Memory limit exceeded: ${memoryText(status) ?? message}`,
      source: 'SOURCE_AGENT',
      reason: 'REASON_CONTAINER_LIMITATION_MEMORY',
      limitation: memoryLimitation(status),
    };
  }
  const succeeded = status.kind === 'exited' && status.code === 0;
  return { state: succeeded ? 'TASK_FINISHED' : 'TASK_FAILED', message };
}
