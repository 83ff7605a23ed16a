/** Where things are below the agent's work directory; the original's layout where clients see it. */

import { join } from 'node:path';
import type { TaskRecord } from '../core/index.ts';

/** The sandbox of one run of a task. */
export function sandboxPath(workDir: string, agentId: string, task: SandboxOwner): string {
  return join(runsPath(workDir, agentId, task), task.containerId);
}

export type SandboxOwner = Pick<TaskRecord, 'frameworkId' | 'taskId' | 'containerId'>;

/** The directory of all runs of a task, with its `latest` link. */
export function runsPath(workDir: string, agentId: string, task: SandboxOwner): string {
  return join(
    workDir,
    'slaves',
    agentId,
    'frameworks',
    task.frameworkId,
    'executors',
    task.taskId,
    'runs',
  );
}

/** The path that does not change with the agent's id or a restart of the task. */
export function virtualPath(task: SandboxOwner, run: string): string {
  return `/frameworks/${task.frameworkId}/executors/${task.taskId}/runs/${run}`;
}

export const journalPath = (workDir: string): string => join(workDir, 'meta', 'checkpoint.log');
export const runtimeStatePath = (workDir: string): string => join(workDir, 'run', 'containers');
