/**
 * The interface of the executor client: its options, its calls, its bounds.
 */

import type { Clock, Logger, Random } from '@dcos/base';
import type { Encoding, TaskID, TaskState, TaskStatus } from '@dcos/wire';
import type { Phase } from './core/subscription.ts';
import type { ExecutorEnvironment } from './executor-environment.ts';
import type { ExecutorEvent } from './executor-events.ts';
import type { Listener } from './shell/delivery.ts';
import type { Ending } from './shell/subscriber.ts';

/** Between the heartbeats of an agent, and between ours. */
export const EXECUTOR_HEARTBEAT_MS = 30 * 60_000;

export interface ExecutorOptions {
  readonly logger: Logger;
  /** What the agent told; read from the process's environment when absent. */
  readonly environment?: ExecutorEnvironment;
  readonly encoding?: Encoding;
  /** Gets every event in order; see `SchedulerOptions.listener`. */
  readonly listener?: Listener<ExecutorEvent>;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** What an update may say beside the state. */
export type UpdateDetails = Omit<TaskStatus, 'task_id' | 'state' | 'uuid' | 'source'>;

export interface ExecutorConnection extends AsyncIterable<ExecutorEvent> {
  readonly environment: ExecutorEnvironment;
  readonly phase: Phase;
  /** Settles after the last event; rejects when the listener threw. */
  readonly done: Promise<Ending>;
  /**
   * Tells the state of a task. The update is delivered however often the agent goes and comes; the promise
   * settles when the agent has acknowledged it, so an executor that waits for it may leave. Who does not wait
   * finds failures in the log.
   * @throws OperationError `SDK_QUEUE_FULL`, `SDK_CALL_REFUSED` with `details.status` and `details.body`,
   *   `SDK_DISCONNECTED` when the connection ended first.
   */
  update(taskId: TaskID, state: TaskState, details?: UpdateDetails): Promise<void>;
  /** Sends data to the scheduler; nobody promises that it arrives. */
  sendMessage(data: Uint8Array): Promise<void>;
  /** Leaves. Idempotent. */
  close(): Promise<void>;
}
