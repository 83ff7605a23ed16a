/**
 * Events of the event bus, with the names and fields that clients know.
 * Field `timestamp` is added here, so that every event has it.
 */

import type { Instant, JsonObject } from '@dcos/base';
import { formatTimestamp } from '../model/index.ts';
import type { Instance } from './instance.ts';

/** One event as it is written to a client. */
export interface BusEvent {
  readonly eventType: string;
  readonly data: JsonObject;
}

/** An event with its type and stamp among the fields. */
export function busEvent(eventType: string, fields: JsonObject, now: Instant): BusEvent {
  return { eventType, data: { ...fields, eventType, timestamp: formatTimestamp(now) } };
}

/** The condition of an instance changed. */
export function instanceChanged(instance: Instance, now: Instant): BusEvent {
  return busEvent(
    'instance_changed_event',
    {
      instanceId: instance.id,
      condition: instance.condition,
      runSpecId: instance.appId,
      agentId: instance.placement?.agentId,
      host: instance.placement?.hostname,
      runSpecVersion: instance.version,
    },
    now,
  );
}

/** Mesos reported another state of a task. */
export function statusUpdate(instance: Instance, now: Instant): BusEvent {
  const { task, placement } = instance;
  return busEvent(
    'status_update_event',
    {
      slaveId: placement?.agentId ?? '',
      taskId: task?.id ?? '',
      taskStatus: task?.state ?? 'TASK_STAGING',
      message: task?.message ?? '',
      appId: instance.appId,
      host: placement?.hostname ?? '',
      ipAddresses: (task?.addresses ?? []).map((address) => ({ ...address })),
      ports: (task?.hostPorts ?? []).filter((port) => port !== null),
      version: instance.version,
    },
    now,
  );
}
