/**
 * The master's memory: frameworks, agents, tasks and offers, each held once and indexed by id.
 *
 * Invariants:
 * - a task that is in `Framework.tasks` is in the `tasks` of its agent, and the other way round;
 * - `used` of agent and framework is the sum of their tasks that have not ended and of their executors;
 *   `offered` the sum of their offers;
 * - an agent is in exactly one of `agents`, `recoveredAgents`, `unreachableAgents`, `goneAgents`.
 * Messages inside (`Task`, `FrameworkInfo`) are immutable and replaced whole, so that views may cache
 * what they made of them.
 */

import type { AgentId, ExecutorId, FrameworkId, Instant, OfferId, TaskId } from '@dcos/base';
import type { Resources } from '@dcos/resources';
import type {
  AgentInfo,
  AgentInfo_Capability,
  DrainConfig,
  ExecutorInfo,
  FrameworkInfo,
  InverseOffer,
  MachineID,
  Offer,
  Operation,
  quota,
  scheduler,
  Task,
  TaskStatus,
  Unavailability,
} from '@dcos/wire';
import { AgentAddresses } from './agent-addresses.ts';
import { DeclineStreaks } from './decline-streaks.ts';
import type { ConnectionId, StreamId } from './effects.ts';
import { emptyBook, type IncidentBook } from './incidents.ts';
import type { ResourceLedger } from './ledger.ts';

export interface TaskRecord {
  readonly frameworkId: FrameworkId;
  readonly agentId: AgentId;
  readonly taskId: TaskId;
  /** With allocation. */
  readonly resources: Resources;
  task: Task;
  /** The resources were given back, since the task has ended or its agent is gone. */
  released: boolean;
  /** Head of the update stream that the framework has not acknowledged; sent again when it subscribes. */
  unacknowledged: TaskStatus | undefined;
}

/** An executor that a framework brought. */
export interface ExecutorRecord {
  readonly frameworkId: FrameworkId;
  readonly agentId: AgentId;
  readonly executorId: ExecutorId;
  readonly info: ExecutorInfo;
  /** With allocation. */
  readonly resources: Resources;
}

export interface OperationRecord {
  readonly agentId: AgentId;
  /** Absent for an operator's, and once its framework is gone. */
  frameworkId: FrameworkId | undefined;
  operation: Operation;
}

export interface OfferRecord {
  readonly id: OfferId;
  readonly frameworkId: FrameworkId;
  readonly agentId: AgentId;
  readonly role: string;
  /** With allocation. */
  readonly resources: Resources;
  readonly offer: Offer;
  /** By the monotonic clock. */
  readonly offeredMs: number;
}

export interface Framework {
  readonly id: FrameworkId;
  info: FrameworkInfo;
  roles: readonly string[];
  suppressedRoles: ReadonlySet<string>;
  capabilities: ReadonlySet<string>;
  offerConstraints: scheduler.OfferConstraints | undefined;
  /** Present while connected. */
  streamId: StreamId | undefined;
  active: boolean;
  /** When its stream broke, or this master began without it; undefined while it is connected. */
  disconnectedAt: Instant | undefined;
  /** Known from the registry or from agents only; has not subscribed to this master. */
  recovered: boolean;
  readonly registeredAt: Instant;
  reregisteredAt: Instant | undefined;
  readonly tasks: Map<TaskId, TaskRecord>;
  readonly unreachableTasks: Map<TaskId, TaskRecord>;
  /** Oldest first, bounded. */
  readonly completedTasks: Map<TaskId, Task>;
  readonly offers: Map<OfferId, OfferRecord>;
  readonly executors: Set<ExecutorRecord>;
  /** Those with an id, by it. */
  readonly operations: Map<string, OperationRecord>;
  readonly used: ResourceLedger<AgentId>;
  readonly offered: ResourceLedger<AgentId>;
  /** Counters of this framework by the last part of the original's names; they end with it. */
  readonly counters: Map<string, number>;
}

/** What stays of a framework that was removed. */
export interface CompletedFramework {
  readonly id: FrameworkId;
  readonly info: FrameworkInfo;
  readonly capabilities: ReadonlySet<string>;
  readonly roles: readonly string[];
  readonly registeredAt: Instant;
  readonly reregisteredAt: Instant | undefined;
  readonly unregisteredAt: Instant;
  readonly completedTasks: ReadonlyMap<TaskId, Task>;
}

export interface Agent {
  readonly id: AgentId;
  info: AgentInfo;
  ip: string;
  version: string;
  capabilities: readonly AgentInfo_Capability[];
  total: Resources;
  /** Present while connected. */
  connection: ConnectionId | undefined;
  readonly registeredAt: Instant;
  reregisteredAt: Instant | undefined;
  /** What operators decided about it; the same as in `MasterState.policies`. */
  policy: AgentPolicy | undefined;
  /** When its connection broke; undefined while it is connected. */
  disconnectedAt: Instant | undefined;
  /** Pings since the last answer. */
  pingsMissed: number;
  readonly tasks: Map<FrameworkId, Map<TaskId, TaskRecord>>;
  readonly offers: Map<OfferId, OfferRecord>;
  readonly executors: Map<FrameworkId, Map<ExecutorId, ExecutorRecord>>;
  /** Questions to frameworks about it that are open. */
  readonly inverseOffers: Set<InverseOfferRecord>;
  /** By the text of their uuid. */
  readonly operations: Map<string, OperationRecord>;
  readonly used: ResourceLedger<FrameworkId>;
  readonly offered: ResourceLedger<FrameworkId>;
  /** Kills to send again when the agent comes back. */
  readonly kills: Map<FrameworkId, Set<TaskId>>;
}

export interface RecoveredAgent {
  readonly id: AgentId;
  readonly info: AgentInfo;
}

/** A question to a framework about maintenance. */
export interface InverseOfferRecord {
  readonly id: OfferId;
  readonly frameworkId: FrameworkId;
  readonly agentId: AgentId;
  readonly offer: InverseOffer;
}

/** What operators decided about an agent: it is deactivated, and perhaps drained. */
export interface AgentPolicy {
  readonly drain?: {
    readonly state: 'DRAINING' | 'DRAINED';
    readonly config: DrainConfig;
    readonly startedAt: Instant;
  };
}

/** A machine of the maintenance schedule. */
export interface Machine {
  readonly id: MachineID;
  readonly mode: 'DRAINING' | 'DOWN';
  readonly unavailability: Unavailability;
  /** Index of its window in the schedule. */
  readonly window: number;
}

export interface MasterState {
  /** False until the registry was read. */
  recovered: boolean;
  startedAt: Instant;
  readonly frameworks: Map<FrameworkId, Framework>;
  /** Oldest first, bounded. */
  readonly completedFrameworks: Map<FrameworkId, CompletedFramework>;
  readonly agents: Map<AgentId, Agent>;
  readonly addresses: AgentAddresses;
  readonly recoveredAgents: Map<AgentId, RecoveredAgent>;
  /** Instant at which the agent was found unreachable. Oldest first, bounded. */
  readonly unreachableAgents: Map<AgentId, Instant>;
  /** Frameworks that have tasks among `unreachableTasks` of an agent, or had. */
  readonly unreachableFrameworks: Map<AgentId, Set<FrameworkId>>;
  readonly goneAgents: Map<AgentId, Instant>;
  /** Oldest first. */
  readonly offers: Map<OfferId, OfferRecord>;
  readonly inverseOffers: Map<OfferId, InverseOfferRecord>;
  /** By agent, registered or not. */
  readonly policies: Map<AgentId, AgentPolicy>;
  /** Those of the policies that say DRAINING. */
  readonly drainingAgents: Set<AgentId>;
  /** By `machineKey`. */
  readonly machines: Map<string, Machine>;
  /** By top-level role. */
  readonly quotas: Map<string, quota.QuotaConfig>;
  readonly declines: DeclineStreaks;
  readonly weights: Map<string, number>;
  readonly connections: Map<ConnectionId, AgentId>;
  readonly streams: Map<StreamId, FrameworkId>;
  /** What was lost and came back. */
  readonly incidents: IncidentBook;
  /** Counters by the original's names. */
  readonly counters: Map<string, number>;
  /** Registered agents, and those of the registry, that wait to be marked unreachable; oldest first. */
  readonly removalQueue: Set<AgentId>;
  /** None of them may be before this, by the monotonic clock. */
  nextRemovalMs: number;
  /** How many agents the registry held at the start. */
  agentsRecovered: number;
  /** How many of these were given up. */
  agentsGivenUp: number;
  /** Agents that must come back before anything is offered; 0 when nothing is waited for. */
  agentsAwaited: number;
  nextFramework: number;
  nextAgent: number;
  nextOffer: number;
}

/** The state before the registry was read. */
export function emptyState(): MasterState {
  return {
    recovered: false,
    startedAt: 0,
    frameworks: new Map(),
    completedFrameworks: new Map(),
    agents: new Map(),
    addresses: new AgentAddresses(),
    recoveredAgents: new Map(),
    unreachableAgents: new Map(),
    unreachableFrameworks: new Map(),
    goneAgents: new Map(),
    offers: new Map(),
    inverseOffers: new Map(),
    policies: new Map(),
    drainingAgents: new Set(),
    machines: new Map(),
    quotas: new Map(),
    declines: new DeclineStreaks(),
    weights: new Map(),
    connections: new Map(),
    streams: new Map(),
    incidents: emptyBook(),
    counters: new Map(),
    removalQueue: new Set(),
    nextRemovalMs: 0,
    agentsRecovered: 0,
    agentsGivenUp: 0,
    agentsAwaited: 0,
    nextFramework: 0,
    nextAgent: 0,
    nextOffer: 0,
  };
}

/** Adds to a map that keeps its newest entries only. Returns the keys that fell out. */
export function addBounded<K, V>(
  map: Map<K, V>,
  key: K,
  value: V,
  entriesMax: number,
): readonly K[] {
  map.delete(key);
  map.set(key, value);
  const dropped: K[] = [];
  for (const oldest of map.keys()) {
    if (map.size <= entriesMax) break;
    map.delete(oldest);
    dropped.push(oldest);
  }
  return dropped;
}
