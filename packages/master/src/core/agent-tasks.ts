/**
 * What an agent runs against what the master believes, when the agent registers. The agent knows best
 * about tasks that it has; tasks that only the master has never arrived, and the agent is asked to say so.
 */

import { frameworkId, taskId, type FrameworkId, type TaskId } from '@dcos/base';
import type { agentProtocol, Task } from '@dcos/wire';
import { note, sendToAgent, sendToFramework, tellOperators, type Context } from './context.ts';
import { reconcileAgentExecutors } from './executors.ts';
import { addFramework, persistFramework } from './frameworks.ts';
import { reconcileAgentOperations } from './operations.ts';
import { addBounded, type Agent, type Framework, type TaskRecord } from './state.ts';
import { masterStatus } from './status.ts';
import { isTerminal } from './task-state.ts';
import { addTask, completeTask, findTask } from './tasks.ts';

/** Brings both sides together. */
export function reconcileAgentTasks(
  context: Context,
  agent: Agent,
  register: agentProtocol.Register,
): void {
  learnFrameworks(context, agent, register);
  const reported = new Map<FrameworkId, Set<TaskId>>();
  for (const task of register.tasks ?? []) {
    const framework = context.state.frameworks.get(frameworkId(task.framework_id.value));
    if (framework === undefined) continue;
    const ids = reported.get(framework.id) ?? new Set<TaskId>();
    reported.set(framework.id, ids.add(taskId(task.task_id.value)));
    reconcileTask(context, agent, framework, task);
  }
  reconcileAgentExecutors(context, agent, register.executors ?? []);
  reconcileAgentOperations(context, agent, register.operations ?? []);
  askForMissing(context, agent, reported);
  giveUpUnreachable(context, agent);
  resendKills(context, agent);
}

function learnFrameworks(context: Context, agent: Agent, register: agentProtocol.Register): void {
  const { state } = context;
  for (const info of register.frameworks ?? []) {
    const id = frameworkId(info.id?.value ?? '');
    if (id === '' || state.frameworks.has(id)) continue;
    if (state.completedFrameworks.has(id)) {
      // It was removed while this agent was away: its tasks must not go on.
      sendToAgent(context, agent, {
        type: 'SHUTDOWN_FRAMEWORK',
        shutdown_framework: { framework_id: { value: id } },
      });
      continue;
    }
    persistFramework(context, addFramework(context, id, info, { recovered: true }));
    note(context, 'info', 'framework.recovered', 'framework learned from an agent', {
      frameworkId: id,
    });
  }
}

function reconcileTask(context: Context, agent: Agent, framework: Framework, task: Task): void {
  const id = taskId(task.task_id.value);
  // What is new about a known task comes with the head of its update stream, which follows at once.
  if (findTask(agent, framework, id) !== undefined) return;
  if (framework.completedTasks.has(id) || framework.tasks.has(id)) {
    // Ended for its framework, or running elsewhere under the same id: it must not go on here.
    if (!isTerminal(task.state)) killOnAgent(context, agent, framework, id);
    return;
  }
  const wasUnreachable = framework.unreachableTasks.delete(id);
  const record = addTask(context, framework, agent, { ...task, agent_id: { value: agent.id } });
  if (!record.released) context.allocator.track(framework.id, agent.id, record.resources);
  if (!wasUnreachable) return;
  const status = masterStatus(
    {
      taskId: id,
      agentId: agent.id,
      state: task.status_update_state ?? task.state,
      message: 'Agent registered again',
      reason: 'REASON_AGENT_REREGISTERED',
    },
    context.now,
  );
  sendToFramework(context, framework, { type: 'UPDATE', update: { status } });
}

function killOnAgent(context: Context, agent: Agent, framework: Framework, id: TaskId): void {
  sendToAgent(context, agent, {
    type: 'KILL_TASK',
    kill_task: { framework_id: { value: framework.id }, task_id: { value: id } },
  });
}

/** An agent that knows none of the framework's tasks does not know its capabilities either. */
function infoField(
  framework: Framework | undefined,
): Pick<agentProtocol.Reconcile, 'framework_info'> {
  return framework === undefined ? {} : { framework_info: framework.info };
}

function askForMissing(
  context: Context,
  agent: Agent,
  reported: ReadonlyMap<FrameworkId, ReadonlySet<TaskId>>,
): void {
  for (const [id, tasks] of agent.tasks) {
    const missing = [...tasks.values()].filter(
      (record) => !isTerminal(record.task.state) && reported.get(id)?.has(record.taskId) !== true,
    );
    forgetEnded(context, agent, tasks, reported.get(id));
    if (missing.length === 0) continue;
    sendToAgent(context, agent, {
      type: 'RECONCILE',
      reconcile: {
        framework_id: { value: id },
        task_ids: missing.map((record) => ({ value: record.taskId })),
        ...infoField(context.state.frameworks.get(id)),
      },
    });
  }
}

/** Tasks that have ended and that the agent no longer has: their last update was acknowledged. */
function forgetEnded(
  context: Context,
  agent: Agent,
  tasks: ReadonlyMap<TaskId, TaskRecord>,
  reported: ReadonlySet<TaskId> | undefined,
): void {
  for (const record of tasks.values()) {
    if (!isTerminal(record.task.state) || reported?.has(record.taskId) === true) continue;
    const framework = context.state.frameworks.get(record.frameworkId);
    if (framework === undefined) continue;
    const { state, status_update_state } = record.task;
    completeTask(context, framework, record);
    if (status_update_state !== undefined && isTerminal(status_update_state)) continue;
    // The end was known here but its update was lost with the agent: the framework hears it from us.
    const status = masterStatus(
      {
        taskId: record.taskId,
        agentId: agent.id,
        state,
        message: 'Agent registered again',
        reason: 'REASON_AGENT_REREGISTERED',
      },
      context.now,
    );
    sendToFramework(context, framework, { type: 'UPDATE', update: { status } });
  }
}

/** Tasks that were unreachable with this agent, which is back without them. */
function giveUpUnreachable(context: Context, agent: Agent): void {
  const { frameworks, unreachableFrameworks } = context.state;
  const concerned = unreachableFrameworks.get(agent.id) ?? [];
  unreachableFrameworks.delete(agent.id);
  for (const of of concerned) {
    const framework = frameworks.get(of);
    if (framework === undefined) continue;
    for (const [id, record] of framework.unreachableTasks) {
      if (record.agentId !== agent.id) continue;
      framework.unreachableTasks.delete(id);
      const partitionAware = framework.capabilities.has('PARTITION_AWARE');
      const known = record.task.state;
      const gone = partitionAware ? 'TASK_GONE' : 'TASK_LOST';
      const status = masterStatus(
        {
          taskId: id,
          agentId: agent.id,
          state: isTerminal(known) ? known : gone,
          message: 'The agent is back without the task',
          reason: 'REASON_AGENT_REREGISTERED',
        },
        context.now,
      );
      const task = { ...record.task, state: status.state };
      addBounded(framework.completedTasks, id, task, context.options.completedTasksPerFrameworkMax);
      if (status.state !== known) {
        tellOperators(context, {
          type: 'TASK_UPDATED',
          task_updated: { framework_id: { value: framework.id }, status, state: status.state },
        });
      }
      // A framework that does not know partitions was told TASK_LOST when the agent vanished.
      if (partitionAware)
        sendToFramework(context, framework, { type: 'UPDATE', update: { status } });
    }
  }
}

function resendKills(context: Context, agent: Agent): void {
  for (const [id, tasks] of agent.kills) {
    for (const task of tasks) {
      sendToAgent(context, agent, {
        type: 'KILL_TASK',
        kill_task: { framework_id: { value: id }, task_id: { value: task } },
      });
    }
  }
}
