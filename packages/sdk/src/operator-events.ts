/**
 * What an observer of the cluster hears: one snapshot at the start of every stream, then changes to it.
 */

import type { ClusterEvent, masterApi } from '@dcos/wire';
import type { ConnectionEvent } from './shell/subscriber.ts';

/** What the master tells of the cluster. */
export type ObservedEvent =
  /** First event of every stream: everything known before it is void, since changes may have been missed. */
  | {
      readonly kind: 'snapshot';
      readonly state: masterApi.Response_GetState;
      readonly masterUrl: string;
    }
  | ClusterEvent
  | { readonly kind: 'heartbeat' };

/** While disconnected, what was known stays the best guess until the next snapshot. */
export type OperatorEvent = ObservedEvent | ConnectionEvent;

/** The typed form of a wire event; undefined for a type that this version does not know. */
export function toOperatorEvent(
  event: masterApi.Event,
  masterUrl: string,
): ObservedEvent | undefined {
  if (event.subscribed !== undefined) {
    return { kind: 'snapshot', state: event.subscribed.get_state ?? {}, masterUrl };
  }
  if (event.task_added !== undefined) return { kind: 'taskAdded', task: event.task_added.task };
  if (event.task_updated !== undefined) {
    const { framework_id, status, state } = event.task_updated;
    return { kind: 'taskUpdated', frameworkId: framework_id, status, state };
  }
  if (event.agent_added !== undefined)
    return { kind: 'agentAdded', agent: event.agent_added.agent };
  if (event.agent_removed !== undefined) {
    return { kind: 'agentRemoved', agentId: event.agent_removed.agent_id };
  }
  if (event.framework_added !== undefined) {
    return { kind: 'frameworkAdded', framework: event.framework_added.framework };
  }
  if (event.framework_updated !== undefined) {
    return { kind: 'frameworkUpdated', framework: event.framework_updated.framework };
  }
  if (event.framework_removed !== undefined) {
    return { kind: 'frameworkRemoved', framework: event.framework_removed.framework_info };
  }
  return event.type === 'HEARTBEAT' ? { kind: 'heartbeat' } : undefined;
}
