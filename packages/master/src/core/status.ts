/**
 * Task states that the master itself reports. They carry no `uuid`, so nobody acknowledges them.
 */

import type { AgentId, Instant, TaskId } from '@dcos/base';
import type { TaskState, TaskStatus, TaskStatus_Reason } from '@dcos/wire';

export interface MasterStatus {
  readonly taskId: TaskId;
  readonly state: TaskState;
  readonly message: string;
  readonly reason: TaskStatus_Reason;
  readonly agentId?: AgentId;
  /** For tasks of an agent that cannot be reached: when it was found so. */
  readonly unreachableSince?: Instant;
}

/** The status as it goes over the wire. */
export function masterStatus(status: MasterStatus, now: Instant): TaskStatus {
  return {
    task_id: { value: status.taskId },
    state: status.state,
    message: status.message,
    source: 'SOURCE_MASTER',
    reason: status.reason,
    timestamp: now / 1000,
    ...(status.agentId !== undefined && { agent_id: { value: status.agentId } }),
    ...(status.unreachableSince !== undefined && {
      unreachable_time: { nanoseconds: status.unreachableSince * 1e6 },
    }),
  };
}
