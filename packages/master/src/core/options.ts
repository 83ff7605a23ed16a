/**
 * What a master is told at its start: who it is, its periods and its bounds. Defaults are the original's.
 */

import type { MasterInfo } from '@dcos/wire';

export interface MasterOptions {
  readonly masterInfo: MasterInfo;
  /** Version that SUBSCRIBED and the views name. */
  readonly version: string;
  readonly pingIntervalMs: number;
  /** Unanswered pings after which an agent is unreachable. */
  readonly pingsMissedMax: number;
  /** How long agents of the registry may take to come back after a failover. */
  readonly agentReregisterTimeoutMs: number;
  /**
   * How long a new leader waits at least for a framework that its predecessor knew, whatever its failover
   * time-out: its scheduler did not leave, and has to find the new leader first.
   */
  readonly recoveredFrameworkWaitMs: number;
  readonly allocationIntervalMs: number;
  /** With quota, nothing is offered after a failover before this part of the agents is back, */
  readonly allocatorRecoveryFactor: number;
  /** or this long has passed. */
  readonly allocatorRecoveryTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  /** Offers older than this are rescinded, so that nobody can hoard them; never when absent. */
  readonly offerTimeoutMs?: number;
  /** Refusals of the same thing again and again are lengthened up to this; 0 lengthens none. */
  readonly declineLengthenedMaxMs: number;
  /** Incidents that are remembered. */
  readonly incidentsMax: number;
  /** Who is away for less than this, and costs no task, is not worth a report. */
  readonly incidentMinMs: number;
  readonly completedFrameworksMax: number;
  readonly completedTasksPerFrameworkMax: number;
  readonly unreachableTasksPerFrameworkMax: number;
  /** How fast agents may be marked unreachable; as fast as they are when absent. */
  readonly agentRemovalRate?: { readonly agents: number; readonly perMs: number };
  /** The master ends when more than this part of the registry's agents is not back after a failover. */
  readonly recoveryAgentRemovalLimit: number;
  /** Ids of agents that are gone, and of those that are unreachable, which are remembered, */
  readonly removedAgentsMax: number;
  /** and for how long at least. */
  readonly removedAgentAgeMaxMs: number;
  /** How often those that are too old are looked for. */
  readonly registryGcIntervalMs: number;
  /** Whether agents without a fault domain are refused. */
  readonly requireAgentDomain: boolean;
  /** Whether frameworks of the user `root` may subscribe. */
  readonly rootSubmissions: boolean;
  /** Roles that may be used; all when absent. */
  readonly roles?: ReadonlySet<string>;
  /** Weights by role of a registry that has none. */
  readonly initialWeights: ReadonlyMap<string, number>;
  /** Characters of a regular expression in offer constraints, and instructions of its program. */
  readonly constraintRegexLengthMax: number;
  readonly constraintRegexProgramMax: number;
  /** Frameworks that may exist at once; one more is refused. */
  readonly frameworksMax: number;
  /** Tasks of one ACCEPT call. */
  readonly tasksPerAcceptMax: number;
  /** Operations with an id that a framework may leave unacknowledged; one more is refused. */
  readonly operationsPerFrameworkMax: number;
}

export const defaultMasterOptions: Omit<MasterOptions, 'masterInfo' | 'version'> = {
  pingIntervalMs: 15_000,
  pingsMissedMax: 5,
  agentReregisterTimeoutMs: 600_000,
  // The original's drivers try again within this time.
  recoveredFrameworkWaitMs: 60_000,
  allocationIntervalMs: 1_000,
  allocatorRecoveryFactor: 0.8,
  allocatorRecoveryTimeoutMs: 600_000,
  heartbeatIntervalMs: 15_000,
  // Longer than the longest hold of the frameworks that are known to keep offers on purpose.
  offerTimeoutMs: 600_000,
  declineLengthenedMaxMs: 60_000,
  incidentsMax: 1_000,
  incidentMinMs: 10_000,
  completedFrameworksMax: 50,
  completedTasksPerFrameworkMax: 1_000,
  unreachableTasksPerFrameworkMax: 1_000,
  recoveryAgentRemovalLimit: 1,
  removedAgentsMax: 102_400,
  removedAgentAgeMaxMs: 14 * 24 * 3_600_000,
  registryGcIntervalMs: 900_000,
  requireAgentDomain: false,
  rootSubmissions: true,
  initialWeights: new Map(),
  constraintRegexLengthMax: 4_096,
  constraintRegexProgramMax: 100,
  frameworksMax: 10_000,
  tasksPerAcceptMax: 10_000,
  operationsPerFrameworkMax: 10_000,
};

/** A framework may refuse resources for this long at most. */
export const REFUSE_MS_MAX = 365 * 24 * 3_600_000;
export const REFUSE_MS_DEFAULT = 5_000;
/** `failover_timeout` beyond this does not fit the original's durations (64-bit nanoseconds). */
export const FAILOVER_SECONDS_MAX = 9_223_372_036;
