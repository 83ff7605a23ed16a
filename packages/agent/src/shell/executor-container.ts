/**
 * The container of an executor, described as that of a command task: both run one command below
 * `executors/<id>/runs`, and the launcher makes no difference between them.
 */

import { taskId } from '@dcos/base';
import type { ExecutorRecord, TaskRecord } from '../core/index.ts';

/** Those of the executors that are programs. */
export function containersOf(executors: readonly ExecutorRecord[]): readonly TaskRecord[] {
  return executors.flatMap((executor) => {
    const { frameworkId, executorId, containerId, info, process } = executor;
    if (process === undefined) return [];
    const record: TaskRecord = {
      frameworkId,
      taskId: taskId(executorId),
      info: {
        name: info.name ?? '',
        task_id: { value: executorId },
        agent_id: { value: '' },
        ...(info.command !== undefined && { command: info.command }),
        ...(info.container !== undefined && { container: info.container }),
        resources: process.resources,
        // Tasks that come later bring more: what is there at the start is asked for, and is no limit.
        limits: { cpus: { value: Infinity }, mem: { value: Infinity } },
      },
      containerId,
      ...(process.gpus !== undefined && { gpus: process.gpus }),
      runtime: process.runtime,
      state: 'TASK_RUNNING',
      statuses: [],
      updates: [],
      launchedAt: process.launchedAt,
      ...(process.pid !== undefined && { pid: process.pid }),
      ipAddresses: process.ipAddresses,
    };
    return [record];
  });
}
