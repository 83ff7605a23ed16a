/** What a world is inhabited by: masters, hosts with agents, frameworks, an operator. */

import { createAllocator } from '@dcos/allocator';
import { createMaster } from '@dcos/master/core';
import { alwaysAt } from './master-search.ts';
import { createOperatorConsole, type OperatorConsole } from './operator-console.ts';
import { createSimulatedAgent, type AgentFactory, type SimulatedAgent } from './simulated-agent.ts';
import {
  createSimulatedFramework,
  type FrameworkPlan,
  type SimulatedFramework,
} from './simulated-framework.ts';
import {
  createSimulatedMaster,
  type AllocatorFactory,
  type MasterFactory,
  type MasterView,
  type SimulatedMaster,
} from './simulated-master.ts';
import { createSimulatedOperator, type SimulatedOperator } from './simulated-operator.ts';
import type { World } from './world.ts';

export const CPUS_PER_AGENT = 4;
/** Hosts and frameworks begin at a moment of their own within this time. */
const START_MAX_MS = 2_000;

/** The cores that the parts are made of; the real ones unless a test passes broken ones. */
export interface Cores {
  readonly newAllocator?: AllocatorFactory;
  readonly newMaster?: MasterFactory;
  readonly newAgent?: AgentFactory;
}

export interface ClusterPlan {
  readonly agents: number;
  readonly frameworks: readonly FrameworkPlan[];
  /** Clients that listen to the events for operators. */
  readonly operators: number;
  /** Of the masters; a short one when absent. */
  readonly pingIntervalMs?: number;
}

/** What checkers look at. */
export interface Inhabitants {
  readonly master: MasterView;
  readonly agents: readonly SimulatedAgent[];
  readonly frameworks: readonly SimulatedFramework[];
  readonly operators: readonly SimulatedOperator[];
  readonly console: OperatorConsole;
}

export interface Cluster extends Inhabitants {
  readonly master: SimulatedMaster;
}

/** Makes the parts and queues their start. */
export function createCluster(world: World, plan: ClusterPlan, cores: Cores): Cluster {
  const { newAllocator = createAllocator, newMaster = createMaster, newAgent } = cores;
  const { agents: count, pingIntervalMs } = plan;
  const master = createSimulatedMaster(world, {
    newAllocator,
    newMaster,
    ...(pingIntervalMs !== undefined && { pingIntervalMs }),
  });
  const agents = Array.from({ length: count }, (_, index) =>
    createSimulatedAgent(world, {
      name: `agent${index}`,
      ip: `10.0.0.${index + 1}`,
      newAgent,
      detect: () => alwaysAt(master.acceptAgent),
    }),
  );
  const frameworks = plan.frameworks.map((framework) =>
    createSimulatedFramework(world, master, framework),
  );
  const operators = Array.from({ length: plan.operators }, (_, index) =>
    createSimulatedOperator(world, master, `operator${index}`),
  );
  master.start();
  for (const part of [...agents, ...frameworks, ...operators])
    world.after(world.between(0, START_MAX_MS), `start ${part.name}`, () => part.start());
  const console = createOperatorConsole(world, master, agents);
  return { master, agents, frameworks, operators, console };
}
