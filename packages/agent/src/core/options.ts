/** What the core is told at its creation: who it is, and its bounds and times. */

import type { Random } from '@dcos/base';
import type { AgentInfo, AgentInfo_Capability_Type } from '@dcos/wire';
import type { RuntimeName } from './model.ts';
import type { ReconfigurationPolicy } from './reconfiguration.ts';

export interface AgentOptions {
  /** Description of this agent without an id. */
  readonly info: AgentInfo;
  /** Address that tasks on the host's network are reached at. */
  readonly ip: string;
  readonly version: string;
  /** Adapters that are on. */
  readonly runtimes: ReadonlySet<RuntimeName>;
  readonly times: AgentTimes;
  /** Tasks that are remembered after their end; the oldest are forgotten first. */
  readonly completedTasksMax: number;
  /** Tasks that may be here at once, ended but unacknowledged ones included. */
  readonly tasksMax: number;
  /** Minor numbers of the GPUs that tasks may have. */
  readonly gpus?: readonly number[];
  /** What may differ from what the agent was before; anything when absent. */
  readonly reconfigurationPolicy?: ReconfigurationPolicy;
  /** The port is whatever was free, and so says nothing. */
  readonly portIsFree?: boolean;
}

/** All in milliseconds. */
export interface AgentTimes {
  /** First bound of the random wait before another attempt to register; it doubles. */
  readonly registrationBackoffMs: number;
  readonly registrationBackoffMaxMs: number;
  /** Silence of the master after REGISTER that ends the attempt. */
  readonly registrationTimeoutMs: number;
  readonly updateRetryMs: number;
  readonly updateRetryMaxMs: number;
  /** Grace between SIGTERM and SIGKILL when nobody says otherwise. */
  readonly killGraceMs: number;
  /** Another SIGKILL after this, as long as the container is there. */
  readonly killRepeatMs: number;
  /** For an executor to subscribe after its launch, and after a restart of the agent. */
  readonly executorRegistrationMs: number;
  readonly executorReregistrationMs: number;
  /** From SHUTDOWN to the forced end of an executor that does not say otherwise. */
  readonly executorShutdownGraceMs: number;
}

/** The original's times. */
export const DEFAULT_TIMES: AgentTimes = {
  registrationBackoffMs: 1_000,
  registrationBackoffMaxMs: 60_000,
  registrationTimeoutMs: 60_000,
  updateRetryMs: 10_000,
  updateRetryMaxMs: 600_000,
  killGraceMs: 3_000,
  killRepeatMs: 5_000,
  executorRegistrationMs: 60_000,
  executorReregistrationMs: 2_000,
  executorShutdownGraceMs: 5_000,
};

const CAPABILITIES: readonly AgentInfo_Capability_Type[] = [
  'MULTI_ROLE',
  'HIERARCHICAL_ROLE',
  'RESERVATION_REFINEMENT',
  'RESIZE_VOLUME',
  'AGENT_OPERATION_FEEDBACK',
  'AGENT_DRAINING',
];

/** What an agent with these runtimes can do, told to the master. */
export function capabilitiesOf(
  runtimes: ReadonlySet<RuntimeName>,
): readonly AgentInfo_Capability_Type[] {
  // Plain processes are not held to anything.
  return runtimes.has('oci') ? [...CAPABILITIES, 'TASK_RESOURCE_LIMITS'] : CAPABILITIES;
}

/** Version of the protocol between agent and master that this agent speaks. */
export const PROTOCOL_VERSION = 1;

export interface AgentCoreOptions {
  readonly random: Random;
  readonly options: AgentOptions;
}
