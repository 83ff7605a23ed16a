/** Tasks as the v1 `Task` message, for registration and for the operator API. */

import { withoutSecrets, type Task } from '@dcos/wire';
import { executorIdOf, type TaskRecord } from './model.ts';
import { given } from './records.ts';

/** The message; the head of the update stream is in it while it waits for its acknowledgement. */
export function taskMessage(task: TaskRecord, agentId: string): Task {
  const { info } = task;
  const [head] = task.updates;
  return {
    name: info.name,
    task_id: { value: task.taskId },
    framework_id: { value: task.frameworkId },
    agent_id: { value: agentId },
    ...((task.group ?? task.executor) !== undefined && {
      executor_id: { value: executorIdOf(task) },
    }),
    state: task.state,
    resources: info.resources ?? [],
    statuses: task.statuses,
    ...given('status_update_state', head?.state),
    ...given('status_update_uuid', head?.uuid),
    ...given('labels', info.labels),
    ...given('discovery', info.discovery),
    ...given('container', withoutSecrets(info.container)),
    ...given('health_check', withoutSecrets(info.health_check)),
    ...given('kill_policy', info.kill_policy),
    ...given('user', info.command?.user),
    ...given('limits', info.limits),
  };
}
