/**
 * The events that the zone is made from, and how single things are read out of their messages.
 */

import type { ClusterEvent, TaskStatus, masterApi } from '@dcos/wire';
import type { MasterAddress } from './records.ts';
import type { ZoneRecord } from './zone.ts';

/** What the zone is made from. The shell hands in the operator events as they are. */
export type ZoneEvent =
  | { readonly kind: 'snapshot'; readonly state: masterApi.Response_GetState }
  | ClusterEvent
  | { readonly kind: 'heartbeat' }
  | {
      readonly kind: 'masters';
      readonly leader: MasterAddress | undefined;
      readonly masters: readonly MasterAddress[];
    }
  /** The addresses of a host name that was asked for; empty when it has none. */
  | { readonly kind: 'hostResolved'; readonly host: string; readonly ips: readonly string[] };

/** What the shell has to do after an event. */
export interface ClusterChange {
  /** True when a record came or went. */
  readonly changed: boolean;
  /** Host names whose addresses are needed and not known. */
  readonly resolve: readonly string[];
}

export function sameRecords(left: readonly ZoneRecord[], right: readonly ZoneRecord[]): boolean {
  return (
    left.length === right.length &&
    left.every((record, index) => {
      const other = right[index];
      return (
        record.name === other?.name && record.type === other.type && record.value === other.value
      );
    })
  );
}

export function newestRunning(statuses: readonly TaskStatus[]): TaskStatus | undefined {
  let newest: TaskStatus | undefined;
  for (const status of statuses) {
    if (status.state !== 'TASK_RUNNING') continue;
    if (newest === undefined || (status.timestamp ?? 0) >= (newest.timestamp ?? 0)) newest = status;
  }
  return newest;
}

/** Host and port from the pid `slave(1)@host:port`, else from the agent's own description. */
export function agentAddress(agent: masterApi.Response_GetAgents_Agent): {
  readonly host: string;
  readonly port: number | undefined;
} {
  const match = /@(.+):(\d+)$/.exec(agent.pid ?? '');
  if (match === null) return { host: agent.agent_info.hostname, port: agent.agent_info.port };
  return { host: (match[1] ?? '').replaceAll(/^\[|\]$/g, ''), port: Number(match[2]) };
}
