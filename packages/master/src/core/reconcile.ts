/**
 * RECONCILE: what the master knows about tasks, on request. Explicit questions are answered one by one,
 * first match wins; no question at all asks for every live task of the framework.
 */

import { agentId, taskId, type AgentId, type TaskId } from '@dcos/base';
import type { scheduler, TaskState, TaskStatus } from '@dcos/wire';
import { count, sendToFramework, type Context } from './context.ts';
import type { Framework, TaskRecord } from './state.ts';
import { masterStatus } from './status.ts';
import { isTerminal, stateFor } from './task-state.ts';
import { forwardedState } from './tasks.ts';

/** Answers a RECONCILE call. */
export function onReconcile(
  context: Context,
  framework: Framework,
  reconcile: scheduler.Call_Reconcile,
): void {
  count(context, 'master/messages_reconcile_tasks');
  const questions = reconcile.tasks ?? [];
  if (questions.length === 0) {
    for (const record of framework.tasks.values())
      answer(context, framework, knownStatus(context, record));
    return;
  }
  for (const question of questions) {
    const agent = question.agent_id === undefined ? undefined : agentId(question.agent_id.value);
    reconcileTask(context, framework, taskId(question.task_id.value), agent);
  }
}

/** Answers for one task; also what a KILL of an unknown task gets. */
export function reconcileTask(
  context: Context,
  framework: Framework,
  id: TaskId,
  agent: AgentId | undefined,
): void {
  const { state } = context;
  const record = framework.tasks.get(id);
  if (record !== undefined) {
    answer(context, framework, knownStatus(context, record));
    return;
  }
  const mayReturn =
    agent === undefined ? state.recoveredAgents.size > 0 : state.recoveredAgents.has(agent);
  // An agent that has not come back since the failover may still have it: no answer yet.
  if (mayReturn && !framework.unreachableTasks.has(id)) return;
  const unreachable = framework.unreachableTasks.get(id);
  if (unreachable !== undefined && isTerminal(forwardedState(unreachable))) {
    answer(context, framework, knownStatus(context, unreachable));
    return;
  }
  const place = unreachable?.agentId ?? agent;
  const since = place === undefined ? undefined : state.unreachableAgents.get(place);
  const verdict = unknownVerdict(context, place, since !== undefined);
  answer(
    context,
    framework,
    masterStatus(
      {
        taskId: id,
        state: stateFor(framework.capabilities, verdict.state),
        message: `Reconciliation: ${verdict.message}`,
        reason: 'REASON_RECONCILIATION',
        ...(place !== undefined && { agentId: place }),
        ...(since !== undefined && { unreachableSince: since }),
      },
      context.now,
    ),
  );
}

function unknownVerdict(
  context: Context,
  agent: AgentId | undefined,
  unreachable: boolean,
): { readonly state: TaskState; readonly message: string } {
  const { state } = context;
  if (agent !== undefined && state.agents.has(agent)) {
    return { state: 'TASK_GONE', message: 'Task is unknown to the agent' };
  }
  if (unreachable) return { state: 'TASK_UNREACHABLE', message: 'Task is unreachable' };
  if (agent !== undefined && state.goneAgents.has(agent)) {
    return { state: 'TASK_GONE_BY_OPERATOR', message: 'Task is gone by operator' };
  }
  return { state: 'TASK_UNKNOWN', message: 'Task is unknown' };
}

/** State of a known task: the last one that was forwarded, since the framework has to see them in order. */
function knownStatus(context: Context, record: TaskRecord): TaskStatus {
  const { task } = record;
  const last = task.statuses?.at(-1);
  return {
    ...masterStatus(
      {
        taskId: record.taskId,
        state: forwardedState(record),
        message: 'Reconciliation: Latest task state',
        reason: 'REASON_RECONCILIATION',
        agentId: record.agentId,
      },
      context.now,
    ),
    ...(task.executor_id !== undefined && { executor_id: task.executor_id }),
    ...(last?.healthy !== undefined && { healthy: last.healthy }),
    ...(last?.check_status !== undefined && { check_status: last.check_status }),
    ...(last?.container_status !== undefined && { container_status: last.container_status }),
  };
}

function answer(context: Context, framework: Framework, status: TaskStatus): void {
  sendToFramework(context, framework, { type: 'UPDATE', update: { status } });
}
