/** The end of a task's life here: from live to completed, and from there to forgotten. */

import type { ContainerId, FrameworkId } from '@dcos/base';
import { withoutSecrets } from '@dcos/wire';
import { log, type Context } from './context.ts';
import { forgetExecutor, forgetExecutorsOf } from './executors.ts';
import { taskKey, type TaskRecord } from './model.ts';
import { FRAMEWORK_PREFIX, TASK_PREFIX, taskToJson } from './records.ts';

/** Moves an ended task whose updates are all acknowledged (or of no interest) out of the live ones. */
export function completeTask(context: Context, task: TaskRecord): void {
  context.live.delete(taskKey(task.frameworkId, task.taskId));
  context.keyOfContainer.delete(task.containerId);
  context.volatile.delete(task.containerId);
  context.effects.push({ kind: 'cancelTimer', id: `retry/${task.containerId}` });
  // A task that was refused has no sandbox and nothing to show.
  if (task.runtime === 'none') {
    context.effects.push({
      kind: 'persist',
      key: TASK_PREFIX + task.containerId,
      value: undefined,
    });
  } else {
    // Its secrets are of no use any more.
    const done: TaskRecord = { ...task, info: withoutSecrets(task.info), updates: [] };
    context.completed.set(task.containerId, done);
    context.effects.push({
      kind: 'persist',
      key: TASK_PREFIX + task.containerId,
      value: taskToJson(done),
    });
  }
  for (const oldest of context.completed.keys()) {
    if (context.completed.size <= context.options.completedTasksMax) break;
    forgetCompleted(context, oldest);
  }
  stopWhenIdle(context);
}

/** Drops a completed task, and its framework with the last one. */
export function forgetCompleted(context: Context, id: ContainerId): void {
  const task = context.completed.get(id);
  if (task === undefined) return;
  context.completed.delete(id);
  context.effects.push({ kind: 'persist', key: TASK_PREFIX + id, value: undefined });
  forgetIdleFramework(context, task.frameworkId);
}

/** Drops an executor that has ended, and its framework when nothing else is left of it. */
export function forgetCompletedExecutor(context: Context, id: ContainerId): void {
  const executor = context.completedExecutors.get(id);
  if (executor === undefined) return;
  forgetExecutor(context, id);
  const same = (other: { readonly frameworkId: FrameworkId }): boolean =>
    other.frameworkId === executor.frameworkId;
  if (![...context.completedExecutors.values()].some(same))
    forgetIdleFramework(context, executor.frameworkId);
}

/** Drops a framework that has no task and no executor here, with its executors that have ended. */
function forgetIdleFramework(context: Context, id: FrameworkId): void {
  const same = ({ frameworkId }: { readonly frameworkId: FrameworkId }): boolean =>
    frameworkId === id;
  for (const some of [context.live, context.completed, context.executors])
    if ([...some.values()].some(same)) return;
  forgetExecutorsOf(context, id);
  context.frameworks.delete(id);
  context.effects.push({ kind: 'persist', key: FRAMEWORK_PREFIX + id, value: undefined });
}

/** While the agent stops: the end of the last container is the agent's end. */
export function stopWhenIdle(context: Context): void {
  if (context.stopping === undefined || context.stopped) return;
  const running = [...context.live.values()].some((task) => task.endedAt === undefined);
  const executors = [...context.executors.values()].some(({ process }) => process !== undefined);
  const launched = [...context.launched.values()].some(({ status }) => status === undefined);
  if (running || executors || launched) return;
  context.stopped = true;
  log(context, 'info', 'agent.stopped', context.stopping);
  context.effects.push({ kind: 'stopped', reason: context.stopping });
}
