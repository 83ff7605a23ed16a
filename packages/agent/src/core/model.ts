/**
 * What an agent knows. Records are immutable values that are replaced as a whole: what is in a record is
 * what is in the checkpoint, and what is not in it may be lost at any moment without harm.
 */

import type { ContainerId, ExecutorId, FrameworkId, Instant, TaskId } from '@dcos/base';
import {
  isTerminal,
  type AgentInfo,
  type CommandInfo,
  type ContainerInfo,
  type ExecutorInfo,
  type FrameworkInfo,
  type Offer_Operation,
  type OperationStatus,
  type Resource,
  type TaskInfo,
  type TaskResourceLimitation,
  type TaskState,
  type TaskStatus,
  type TaskStatus_Reason,
} from '@dcos/wire';

export { isTerminal };

interface HowEnded {
  /** The kernel killed for lack of memory. */
  readonly outOfMemory?: boolean;
  /** What it could use and did use, where the runtime knows it. */
  readonly memory?: { readonly limitBytes?: number; readonly peakBytes?: number };
}

/** How a container ended; the runtimes' own words. */
export type ExitStatus =
  | ({ readonly kind: 'exited'; readonly code: number } & HowEnded)
  | ({ readonly kind: 'signaled'; readonly signal: number } & HowEnded)
  | { readonly kind: 'unknown'; readonly message: string };

/** Which adapter runs a task; `executor` for one that the executor of its framework runs, `none` for one that was refused. */
export type RuntimeName = 'executor' | 'process' | 'docker' | 'oci' | 'none';

/** A network of a container's own, with its addresses there. */
export interface TaskNetwork {
  readonly name: string;
  readonly ipAddresses: readonly string[];
}

/** What is known of a container that runs. */
export interface StartedTask {
  readonly pid: number;
  readonly ipAddresses: readonly string[];
  readonly networks?: readonly TaskNetwork[];
}

/** Why a task is being killed; it decides what its end is called. */
export type KillCause =
  | 'request'
  | 'unhealthy'
  | 'maxCompletionTime'
  | 'framework'
  | 'agent'
  | 'drain'
  /** It took more than it may, or its resources are needed; `ending` says what that comes to. */
  | 'limitation';

export interface KillRecord {
  readonly cause: KillCause;
  /** When SIGKILL is due, for the process that comes next: the present one measures by its own clock. */
  readonly deadline: Instant;
  /** The grace that was given; the wait after a restart is never longer. Absent in old records. */
  readonly graceMs?: number;
  /** What the task comes to when its container was ended from outside; the usual end when absent. */
  readonly ending?: ForcedEnding;
}

/** What a task of a group belongs to. */
export interface TaskGroup {
  readonly executorId: ExecutorId;
  /** Names the run of the executor, in whose sandbox those of its tasks lie. */
  readonly containerId: ContainerId;
  /** Tasks that were launched together have the same. */
  readonly groupId: string;
}

/** The executor of its framework that a task was given to. */
export interface TaskExecutor {
  readonly executorId: ExecutorId;
  /** Names the run of the executor; the task's own container id only names its record. */
  readonly containerId: ContainerId;
  /** Tasks that were launched together have the same; absent for a task on its own. */
  readonly groupId?: string;
  /** Ids, as base64, of the updates that the executor told last; one that is told again is not a new one. */
  readonly told?: readonly string[];
}

/** Source: mesos-kernel §6.2. */
export type ExecutorState = 'registering' | 'running' | 'terminating' | 'terminated';

/** The program of an executor that a framework brought. */
export interface ExecutorProcess {
  readonly state: ExecutorState;
  readonly runtime: RuntimeName;
  /** Those it began with: its own and those of its first tasks. */
  readonly resources: readonly Resource[];
  /** Minor numbers of its GPUs. */
  readonly gpus?: readonly number[];
  readonly launchedAt: Instant;
  readonly endedAt?: Instant;
  readonly pid?: number;
  readonly ipAddresses: readonly string[];
  /** What its unfinished tasks come to when it has ended; the usual end when absent. */
  readonly ending?: ForcedEnding;
}

/** What a task comes to whose container did not end by itself. */
export interface ForcedEnding {
  readonly state: TaskState;
  readonly reason: TaskStatus_Reason;
  readonly message: string;
  /** What it took too much of. */
  readonly limitation?: TaskResourceLimitation;
}

/** An executor: of a task group, whose part the agent itself plays, or one that a framework brought. */
export interface ExecutorRecord {
  readonly frameworkId: FrameworkId;
  readonly executorId: ExecutorId;
  readonly containerId: ContainerId;
  readonly info: ExecutorInfo;
  /** Present for one that a framework brought. */
  readonly process?: ExecutorProcess;
}

/** An operation whose end the master has not acknowledged. */
export interface OperationRecord {
  /** As base64. */
  readonly uuid: string;
  /** Absent for an operator's. */
  readonly frameworkId?: string;
  readonly info: Offer_Operation;
  readonly status: OperationStatus;
}

/** A container that a client launched through the agent's API. */
export interface LaunchedContainer {
  /** Its chain of ids, the outermost first; one for a standalone container. */
  readonly path: readonly string[];
  /** How many of these ids are those of the task around it; none for a standalone one. */
  readonly depth: number;
  /** The container, of a task or an executor, in whose surroundings it is; absent for a standalone one. */
  readonly task?: ContainerId;
  /** Names it for its runtime. */
  readonly containerId: ContainerId;
  readonly runtime: RuntimeName;
  /** Its streams are a connection's, and it ends with that. */
  readonly isSession: boolean;
  readonly command: CommandInfo;
  readonly container?: ContainerInfo;
  readonly resources?: readonly Resource[];
  readonly pid?: number;
  /** How it ended. */
  readonly status?: ExitStatus;
}

/** One task with everything that must survive a crash of the agent. */
export interface TaskRecord {
  readonly frameworkId: FrameworkId;
  readonly taskId: TaskId;
  readonly info: TaskInfo;
  readonly containerId: ContainerId;
  readonly group?: TaskGroup;
  /** Present for one that the executor of its framework runs. */
  readonly executor?: TaskExecutor;
  readonly runtime: RuntimeName;
  /** The latest state, which may be ahead of what the framework knows. */
  readonly state: TaskState;
  /** Every state it was in; consecutive statuses of one state are collapsed to the last. */
  readonly statuses: readonly TaskStatus[];
  /** Updates that are not acknowledged, oldest first; only the first is in flight. */
  readonly updates: readonly TaskStatus[];
  readonly launchedAt: Instant;
  readonly startedAt?: Instant;
  readonly endedAt?: Instant;
  readonly pid?: number;
  /** Addresses of its own; empty when it shares the host's. */
  readonly ipAddresses: readonly string[];
  /** The same by network; absent where the container has no networks with names. */
  readonly networks?: readonly TaskNetwork[];
  readonly healthy?: boolean;
  /** Minor numbers of its GPUs. */
  readonly gpus?: readonly number[];
  readonly kill?: KillRecord;
}

export interface FrameworkRecord {
  readonly info: FrameworkInfo;
  /** It was shut down: no updates are sent any more, new tasks are refused. */
  readonly terminating: boolean;
}

/** Identity that the master gave, and the description that it was given for. */
export interface AgentRecord {
  readonly info: AgentInfo;
}

/** Position of a live state; a task moves to states of a higher rank only, or stays. */
const RANK: { readonly [state in TaskState]?: number } = {
  TASK_STAGING: 0,
  TASK_STARTING: 1,
  TASK_RUNNING: 2,
  TASK_KILLING: 3,
};

/** True when a task may go from one state to the other: forward only, and never out of a terminal one. */
export function mayFollow(from: TaskState, to: TaskState): boolean {
  if (isTerminal(from)) return false;
  return isTerminal(to) || (RANK[to] ?? 0) >= (RANK[from] ?? 0);
}

/** The executor that a task belongs to; that of a command task has the task's id. */
export function executorIdOf(
  task: Pick<TaskRecord, 'taskId' | 'group' | 'executor'>,
): ExecutorId | TaskId {
  return task.group?.executorId ?? task.executor?.executorId ?? task.taskId;
}

/** Key of an executor; ids hold no slash. */
export function executorKey(frameworkId: string, executorId: string): string {
  return `${frameworkId}/${executorId}`;
}

/** Key of a live task; ids hold no slash. */
export function taskKey(frameworkId: string, taskId: string): string {
  return `${frameworkId}/${taskId}`;
}
