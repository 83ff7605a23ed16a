/** Where things are below the agent's work directory; the original's layout where clients see it. */

import { join } from 'node:path';
import { executorIdOf, type TaskRecord } from '../core/index.ts';

/** The sandbox of one run of a task. */
export function sandboxPath(workDir: string, agentId: string, task: SandboxOwner): string {
  const runs = runsPath(workDir, agentId, task);
  const { group } = task;
  return group === undefined
    ? join(runs, task.executor?.containerId ?? task.containerId)
    : join(runs, group.containerId, 'tasks', task.taskId);
}

export type SandboxOwner = Pick<
  TaskRecord,
  'frameworkId' | 'taskId' | 'containerId' | 'group' | 'executor'
>;

/** The directory of all runs of a task, with its `latest` link. */
export function runsPath(workDir: string, agentId: string, task: SandboxOwner): string {
  return join(
    workDir,
    'slaves',
    agentId,
    'frameworks',
    task.frameworkId,
    'executors',
    executorIdOf(task),
    'runs',
  );
}

/** The path that does not change with the agent's id or a restart of the task. */
export function virtualPath(task: SandboxOwner, run: string): string {
  const { group } = task;
  return group === undefined
    ? `/frameworks/${task.frameworkId}/executors/${executorIdOf(task)}/runs/${run}`
    : `/frameworks/${task.frameworkId}/executors/${group.executorId}/runs/${run}/tasks/${task.taskId}`;
}

export const journalPath = (workDir: string): string => join(workDir, 'meta', 'checkpoint.log');
/** Which directories have which project, where the file system bounds them. */
export const projectsPath = (workDir: string): string =>
  join(workDir, 'meta', 'disk-projects.json');
export const runtimeStatePath = (workDir: string): string => join(workDir, 'run', 'containers');
