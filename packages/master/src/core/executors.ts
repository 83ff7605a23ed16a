/**
 * Executors that frameworks brought: each is accounted for once on its agent, from the first task that
 * names it until it exits. Command tasks have none here: what runs them belongs to the agent.
 *
 * Invariants: an executor's resources are in `used` of its agent and its framework exactly while it is
 * in `Agent.executors`.
 */

import {
  agentId,
  executorId,
  frameworkId,
  type AgentId,
  type ExecutorId,
  type FrameworkId,
} from '@dcos/base';
import { Resources, validateResources } from '@dcos/resources';
import type { agentProtocol, ExecutorInfo } from '@dcos/wire';
import { count, note, sendToFramework, type Context } from './context.ts';
import type { Agent, ExecutorRecord, Framework } from './state.ts';

/** The executor of that id which the framework has on the agent. */
export function findExecutor(
  agent: Agent,
  framework: FrameworkId,
  id: ExecutorId,
): ExecutorRecord | undefined {
  return agent.executors.get(framework)?.get(id);
}

/** The executors that a framework has on an agent, by id. */
export function executorIdsOn(agent: Agent, framework: FrameworkId): readonly ExecutorId[] {
  return [...(agent.executors.get(framework)?.keys() ?? [])];
}

/** Adds an executor and accounts for it. Its resources must be allocated, in the allocator's books too. */
export function addExecutor(
  framework: Framework,
  agent: Agent,
  info: ExecutorInfo,
): ExecutorRecord {
  const record: ExecutorRecord = {
    agentId: agent.id,
    frameworkId: framework.id,
    executorId: executorId(info.executor_id.value),
    info,
    resources: Resources.fromWire(info.resources),
  };
  const onAgent = agent.executors.get(framework.id) ?? new Map<ExecutorId, ExecutorRecord>();
  agent.executors.set(framework.id, onAgent.set(record.executorId, record));
  framework.executors.add(record);
  framework.used.add(agent.id, record.resources);
  agent.used.add(framework.id, record.resources);
  return record;
}

function removeExecutor(context: Context, agent: Agent, record: ExecutorRecord): void {
  const onAgent = agent.executors.get(record.frameworkId);
  onAgent?.delete(record.executorId);
  if (onAgent?.size === 0) agent.executors.delete(record.frameworkId);
  agent.used.subtract(record.frameworkId, record.resources);
  const framework = context.state.frameworks.get(record.frameworkId);
  framework?.executors.delete(record);
  framework?.used.subtract(agent.id, record.resources);
  context.allocator.recover(
    record.frameworkId,
    agent.id,
    record.resources,
    undefined,
    context.monotonicMs,
  );
}

/** Forgets what frameworks, or one, have on an agent that is removed, or that it is removed from. */
export function removeExecutors(context: Context, agent: Agent, only?: FrameworkId): void {
  for (const [framework, executors] of agent.executors) {
    if (only !== undefined && framework !== only) continue;
    for (const record of executors.values()) removeExecutor(context, agent, record);
  }
}

/** EXECUTOR_EXITED: its resources are free, its framework is told. Its tasks have ended by updates. */
export function onExecutorExited(
  context: Context,
  agent: Agent,
  exited: agentProtocol.ExecutorExited,
): void {
  count(context, 'master/messages_exited_executor');
  const id = executorId(exited.executor_id.value);
  const record = findExecutor(agent, frameworkId(exited.framework_id.value), id);
  if (record !== undefined) removeExecutor(context, agent, record);
  const framework = context.state.frameworks.get(frameworkId(exited.framework_id.value));
  if (framework === undefined) return;
  sendToFramework(context, framework, {
    type: 'FAILURE',
    failure: {
      agent_id: { value: agentId(agent.id) },
      executor_id: { value: id },
      status: exited.status,
    },
  });
}

/** What an agent says it has when it registers, against what was believed. */
export function reconcileAgentExecutors(
  context: Context,
  agent: Agent,
  reported: readonly agentProtocol.RegisteredExecutor[],
): void {
  const seen = new Set<ExecutorRecord>();
  for (const { framework_id, executor_info } of reported) {
    const framework = context.state.frameworks.get(frameworkId(framework_id.value));
    if (framework === undefined) continue;
    const id = executorId(executor_info.executor_id.value);
    const known = findExecutor(agent, framework.id, id);
    if (known !== undefined) {
      seen.add(known);
      continue;
    }
    const problem = validateResources(executor_info.resources ?? []);
    if (problem !== undefined) {
      noteUnreadable(context, agent.id, id, problem);
      continue;
    }
    const record = addExecutor(framework, agent, executor_info);
    context.allocator.track(framework.id, agent.id, record.resources);
    seen.add(record);
  }
  for (const executors of agent.executors.values()) {
    // It exited while the agent was away.
    for (const record of executors.values())
      if (!seen.has(record)) removeExecutor(context, agent, record);
  }
}

function noteUnreadable(context: Context, agent: AgentId, id: ExecutorId, problem: string): void {
  note(context, 'warn', 'executor.refused', `executor ${id}: ${problem}`, { agentId: agent });
}
