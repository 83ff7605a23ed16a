/**
 * Short ways to say what happens in a cluster, for tests.
 */

import { createHash } from 'node:crypto';
import type { DiscoveryInfo, masterApi, Task, TaskState, TaskStatus } from '@dcos/wire';
import type { ZoneEvent } from '../core/cluster-events.ts';
import type { NamingOptions } from '../core/records.ts';
import type { Zone } from '../core/zone.ts';

export const naming: NamingOptions = {
  domain: 'mesos',
  ipSources: ['host', 'netinfo'],
  enforceRfc952: false,
  sha1: (text) => createHash('sha1').update(text).digest(),
};

export function agent(id: string, address = '10.0.0.1:5051'): masterApi.Response_GetAgents_Agent {
  return {
    agent_info: { id: { value: id }, hostname: address.split(':')[0] ?? '' },
    active: true,
    version: '1',
    pid: `slave(1)@${address}`,
  };
}

export function framework(
  id: string,
  name: string,
  hostname?: string,
): masterApi.Response_GetFrameworks_Framework {
  return {
    framework_info: {
      user: 'root',
      name,
      id: { value: id },
      ...(hostname === undefined ? {} : { hostname }),
    },
    active: true,
    connected: true,
    recovered: false,
  };
}

export interface TaskOptions {
  readonly name?: string;
  readonly framework?: string;
  readonly agent?: string;
  readonly state?: TaskState;
  readonly ports?: readonly [number, number];
  readonly discovery?: DiscoveryInfo;
  readonly containerIp?: string;
}

export function running(taskId: string, containerIp?: string): TaskStatus {
  const status: TaskStatus = { task_id: { value: taskId }, state: 'TASK_RUNNING', timestamp: 1 };
  if (containerIp === undefined) return status;
  return {
    ...status,
    container_status: { network_infos: [{ ip_addresses: [{ ip_address: containerIp }] }] },
  };
}

export function task(id: string, options: TaskOptions = {}): Task {
  const { ports, discovery, containerIp } = options;
  return {
    name: options.name ?? id,
    task_id: { value: id },
    framework_id: { value: options.framework ?? 'f-0' },
    agent_id: { value: options.agent ?? 'm-S0' },
    state: options.state ?? 'TASK_RUNNING',
    statuses: [running(id, containerIp)],
    ...(discovery === undefined ? {} : { discovery }),
    ...(ports === undefined
      ? {}
      : {
          resources: [
            {
              name: 'ports',
              type: 'RANGES',
              ranges: { range: [{ begin: ports[0], end: ports[1] }] },
            },
          ],
        }),
  };
}

export function updated(id: string, state: TaskState, frameworkId = 'f-0'): ZoneEvent {
  return {
    kind: 'taskUpdated',
    frameworkId: { value: frameworkId },
    status: { task_id: { value: id }, state, timestamp: 2 },
    state,
  };
}

/** The zone as sorted lines `name type value`. */
export function zoneLines(zone: Zone): readonly string[] {
  const lines: string[] = [];
  for (const [name, held] of zone.entries()) {
    for (const ip of held.A) lines.push(`${name} A ${ip}`);
    for (const ip of held.AAAA) lines.push(`${name} AAAA ${ip}`);
    for (const { target, port } of held.SRV) lines.push(`${name} SRV ${target}:${port}`);
  }
  return lines.sort();
}
