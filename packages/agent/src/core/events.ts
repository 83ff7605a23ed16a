/**
 * What can happen to an agent, and what it wants done. The shell performs effects in order; nothing after a
 * `persist` leaves the process before that record is durable; only PONG, which tells nothing, may.
 */

import type { ContainerId, JsonObject } from '@dcos/base';
import type {
  agentProtocol,
  CheckInfo,
  CheckStatusInfo,
  executor,
  FrameworkInfo,
  HealthCheck,
  Resource,
} from '@dcos/wire';
import type { ExecutorAnswer, ExecutorCallId } from './executor-calls.ts';
import type { Limitation } from './limitations.ts';
import type { CallId, ContainerAnswer, ContainerCall } from './launched-containers.ts';
import type {
  ExecutorRecord,
  ExitStatus,
  LaunchedContainer,
  StartedTask,
  TaskRecord,
} from './model.ts';

/** What a runtime found of one container after a restart. */
export type FoundContainer =
  | ({ readonly kind: 'running'; readonly id: ContainerId } & StartedTask)
  | { readonly kind: 'exited'; readonly id: ContainerId; readonly status: ExitStatus }
  | { readonly kind: 'absent'; readonly id: ContainerId };

export type AgentEvent =
  /** The first event: what the checkpoint holds, by key. */
  | { readonly kind: 'start'; readonly records: ReadonlyMap<string, JsonObject> }
  | { readonly kind: 'containersFound'; readonly containers: readonly FoundContainer[] }
  | { readonly kind: 'connected' }
  | { readonly kind: 'disconnected'; readonly reason: string }
  /** Another master leads than the last one. */
  | { readonly kind: 'masterChanged' }
  | { readonly kind: 'received'; readonly message: agentProtocol.ToAgent }
  /** Everything is fetched; the container is being started. */
  | { readonly kind: 'prepared'; readonly id: ContainerId }
  | ({ readonly kind: 'started'; readonly id: ContainerId } & StartedTask)
  | { readonly kind: 'launchFailed'; readonly id: ContainerId; readonly message: string }
  | { readonly kind: 'exited'; readonly id: ContainerId; readonly status: ExitStatus }
  | {
      readonly kind: 'checked';
      readonly id: ContainerId;
      readonly healthy: boolean;
      readonly message: string;
    }
  /** The run of a task or an executor took more than it may, or gives way to others: it is ended at once. */
  | ({ readonly kind: 'limited'; readonly id: ContainerId } & Limitation)
  /** What can be lent in all; nothing unless told. */
  | { readonly kind: 'estimated'; readonly resources: readonly Resource[] }
  /** Whether the disk of the work directory is full, which it is not unless told. */
  | { readonly kind: 'storage'; readonly isShort: boolean }
  /** The answer to a `probe`. */
  | { readonly kind: 'probed'; readonly id: ContainerId; readonly status: CheckStatusInfo }
  /** A client asks something of a container. */
  | { readonly kind: 'containerCalled'; readonly call: CallId; readonly asked: ContainerCall }
  /** Its client is gone. */
  | { readonly kind: 'callAbandoned'; readonly call: CallId }
  /** The connection that takes a session's output was closed. */
  | { readonly kind: 'sessionClosed'; readonly id: ContainerId }
  /** An executor calls; the call is well formed. */
  | {
      readonly kind: 'executorCalled';
      readonly call: ExecutorCallId;
      readonly asked: executor.Call;
    }
  /** The stream that the call opened was closed by the executor. */
  | { readonly kind: 'executorLeft'; readonly id: ContainerId; readonly call: ExecutorCallId }
  | { readonly kind: 'timer'; readonly id: string }
  /** The sandbox of a completed task was deleted. */
  | { readonly kind: 'collected'; readonly id: ContainerId }
  /** Kill everything and stop; `stopped` follows when nothing runs any more. */
  | { readonly kind: 'shutdown'; readonly reason: string };

export type AgentEffect =
  /** Writes or, without a value, deletes a record of the checkpoint. */
  | { readonly kind: 'persist'; readonly key: string; readonly value: JsonObject | undefined }
  | {
      readonly kind: 'findContainers';
      readonly tasks: readonly TaskRecord[];
      readonly launched: readonly LaunchedContainer[];
      readonly executors: readonly ExecutorRecord[];
    }
  | { readonly kind: 'connect' }
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'send'; readonly message: agentProtocol.ToMaster }
  /** The master knows us under this id from now on. */
  | { readonly kind: 'registered'; readonly agentId: string }
  | { readonly kind: 'launch'; readonly task: TaskRecord; readonly framework: FrameworkInfo }
  /** `started` or `launchFailed` follows, then `exited`. */
  | {
      readonly kind: 'launchExecutor';
      readonly executor: ExecutorRecord;
      readonly framework: FrameworkInfo;
    }
  /** The runtime may forget its container, the sandbox stays. */
  | { readonly kind: 'releaseExecutor'; readonly executor: ExecutorRecord }
  | {
      readonly kind: 'answerExecutor';
      readonly call: ExecutorCallId;
      readonly answer: ExecutorAnswer;
    }
  /** On the stream of the executor in that container. */
  | { readonly kind: 'tellExecutor'; readonly id: ContainerId; readonly event: executor.Event }
  | { readonly kind: 'closeExecutor'; readonly id: ContainerId }
  | { readonly kind: 'abortLaunch'; readonly id: ContainerId }
  | {
      readonly kind: 'signal';
      readonly id: ContainerId;
      readonly signal: 'SIGTERM' | 'SIGKILL';
    }
  | {
      readonly kind: 'check';
      readonly task: TaskRecord;
      readonly check: HealthCheck;
      readonly timeoutMs: number;
    }
  /** Makes the check of a task; `probed` follows. */
  | {
      readonly kind: 'probe';
      readonly task: TaskRecord;
      readonly check: CheckInfo;
      readonly timeoutMs: number;
    }
  /** Deletes what is in these persistent volumes. */
  | { readonly kind: 'destroyVolumes'; readonly volumes: readonly Resource[] }
  /** The task ended: the runtime may forget its container, the sandbox stays. */
  | { readonly kind: 'release'; readonly task: TaskRecord }
  /** `started` or `launchFailed` follows, then `exited`. */
  | { readonly kind: 'launchContainer'; readonly container: LaunchedContainer }
  | {
      readonly kind: 'signalContainer';
      readonly container: LaunchedContainer;
      /** Its number. */
      readonly signal: number;
    }
  /** The runtime may forget it. */
  | { readonly kind: 'releaseContainer'; readonly container: LaunchedContainer }
  | { readonly kind: 'answerCall'; readonly call: CallId; readonly answer: ContainerAnswer }
  /** Replaces a timer of the same id. */
  | { readonly kind: 'timer'; readonly id: string; readonly afterMs: number }
  | { readonly kind: 'cancelTimer'; readonly id: string }
  | {
      readonly kind: 'log';
      readonly level: 'info' | 'warn' | 'error';
      readonly event: string;
      readonly message: string;
    }
  /** Nothing runs any more and nothing will; the process may end. */
  | { readonly kind: 'stopped'; readonly reason: string };
