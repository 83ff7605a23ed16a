/**
 * A plain copy of the state for checkers of invariants: what each agent has, who uses what, and where
 * each task stands.
 */

import type { Allocator } from '@dcos/allocator';
import type { AgentId, FrameworkId, OfferId, TaskId } from '@dcos/base';
import type { Resource, TaskState } from '@dcos/wire';
import type { Framework, MasterState, TaskRecord } from './state.ts';

export interface TaskSnapshot {
  readonly taskId: TaskId;
  readonly frameworkId: FrameworkId;
  readonly agentId: AgentId;
  readonly state: TaskState;
  /** Whether its resources are counted as used. */
  readonly holdsResources: boolean;
  readonly resources: readonly Resource[];
}

export interface AgentSnapshot {
  readonly id: AgentId;
  readonly connected: boolean;
  readonly total: readonly Resource[];
  readonly used: readonly Resource[];
  readonly offered: readonly Resource[];
}

export interface FrameworkSnapshot {
  readonly id: FrameworkId;
  readonly connected: boolean;
  readonly recovered: boolean;
  readonly tasks: readonly TaskSnapshot[];
  readonly unreachableTasks: readonly TaskSnapshot[];
  readonly completedTasks: readonly { readonly taskId: TaskId; readonly state: TaskState }[];
}

export interface MasterSnapshot {
  readonly recovered: boolean;
  readonly agents: readonly AgentSnapshot[];
  readonly frameworks: readonly FrameworkSnapshot[];
  readonly completedFrameworks: readonly FrameworkId[];
  readonly offers: readonly {
    readonly id: OfferId;
    readonly frameworkId: FrameworkId;
    readonly agentId: AgentId;
    readonly resources: readonly Resource[];
  }[];
  readonly recoveredAgents: readonly AgentId[];
  readonly unreachableAgents: readonly AgentId[];
  readonly goneAgents: readonly AgentId[];
  readonly allocator: ReturnType<Allocator['snapshot']>;
}

/** Copies the state. */
export function snapshotOf(state: MasterState, allocator: Allocator): MasterSnapshot {
  return {
    recovered: state.recovered,
    agents: Array.from(state.agents.values(), (agent) => ({
      id: agent.id,
      connected: agent.connection !== undefined,
      total: agent.total.toWire(),
      used: agent.used.total().toWire(),
      offered: agent.offered.total().toWire(),
    })),
    frameworks: Array.from(state.frameworks.values(), frameworkSnapshot),
    completedFrameworks: [...state.completedFrameworks.keys()],
    offers: Array.from(state.offers.values(), ({ id, frameworkId, agentId, resources }) => ({
      id,
      frameworkId,
      agentId,
      resources: resources.toWire(),
    })),
    recoveredAgents: [...state.recoveredAgents.keys()],
    unreachableAgents: [...state.unreachableAgents.keys()],
    goneAgents: [...state.goneAgents.keys()],
    allocator: allocator.snapshot(),
  };
}

function frameworkSnapshot(framework: Framework): FrameworkSnapshot {
  return {
    id: framework.id,
    connected: framework.streamId !== undefined,
    recovered: framework.recovered,
    tasks: Array.from(framework.tasks.values(), taskSnapshot),
    unreachableTasks: Array.from(framework.unreachableTasks.values(), taskSnapshot),
    completedTasks: Array.from(framework.completedTasks, ([taskId, { state }]) => ({
      taskId,
      state,
    })),
  };
}

function taskSnapshot(record: TaskRecord): TaskSnapshot {
  const { taskId, frameworkId, agentId, task, released, resources } = record;
  return {
    taskId,
    frameworkId,
    agentId,
    state: task.state,
    holdsResources: !released,
    resources: resources.toWire(),
  };
}
