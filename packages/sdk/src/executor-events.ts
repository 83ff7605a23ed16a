/**
 * What an executor hears from its agent, as one union with the fate of the connection.
 */

import type {
  AgentInfo,
  ContainerID,
  executor,
  ExecutorInfo,
  FrameworkInfo,
  KillPolicy,
  TaskID,
  TaskInfo,
} from '@dcos/wire';
import type { ConnectionEvent } from './shell/subscriber.ts';

/** What the agent tells an executor. */
export type AgentEvent =
  /** First event of every stream. */
  | {
      readonly kind: 'subscribed';
      readonly executor: ExecutorInfo;
      readonly framework: FrameworkInfo;
      readonly agent: AgentInfo;
      readonly containerId: ContainerID | undefined;
    }
  /** Start this task and say so with `update`. */
  | { readonly kind: 'launch'; readonly task: TaskInfo }
  /** Start these tasks, all of them or none. */
  | { readonly kind: 'launchGroup'; readonly tasks: readonly TaskInfo[] }
  /** End this task; the policy beats that of the task. May come again, to shorten the patience. */
  | { readonly kind: 'kill'; readonly taskId: TaskID; readonly policy: KillPolicy | undefined }
  /** The agent keeps this update; nothing is left to do. */
  | { readonly kind: 'acknowledged'; readonly taskId: TaskID; readonly uuid: Uint8Array }
  | { readonly kind: 'message'; readonly data: Uint8Array }
  /** End all tasks, say so, leave: what is left after the grace period is ended by force. */
  | { readonly kind: 'shutdown' }
  /** The agent refuses this executor; `stopped` follows. */
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'heartbeat' };

/** Everything that an executor hears. */
export type ExecutorEvent = AgentEvent | ConnectionEvent;

/** The typed form of a wire event; undefined for a type that this version does not know. */
export function toExecutorEvent(event: executor.Event): AgentEvent | undefined {
  if (event.subscribed !== undefined) {
    const { executor_info, framework_info, agent_info, container_id } = event.subscribed;
    return {
      kind: 'subscribed',
      executor: executor_info,
      framework: framework_info,
      agent: agent_info,
      containerId: container_id,
    };
  }
  if (event.launch !== undefined) return { kind: 'launch', task: event.launch.task };
  if (event.launch_group !== undefined) {
    return { kind: 'launchGroup', tasks: event.launch_group.task_group.tasks ?? [] };
  }
  if (event.kill !== undefined) {
    return { kind: 'kill', taskId: event.kill.task_id, policy: event.kill.kill_policy };
  }
  if (event.acknowledged !== undefined) {
    const { task_id, uuid } = event.acknowledged;
    return { kind: 'acknowledged', taskId: task_id, uuid };
  }
  if (event.message !== undefined) return { kind: 'message', data: event.message.data };
  if (event.error !== undefined) return { kind: 'error', message: event.error.message };
  if (event.type === 'SHUTDOWN') return { kind: 'shutdown' };
  return event.type === 'HEARTBEAT' ? { kind: 'heartbeat' } : undefined;
}
