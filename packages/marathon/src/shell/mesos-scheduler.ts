/** The SDK's scheduler connection behind the engine's port: effects become calls, events become events. */

import { toBase64, unreachable } from '@dcos/base';
import type { FrameworkInfo, FrameworkInfo_Capability_Type } from '@dcos/wire';
import type { SchedulerConnection, SchedulerEvent } from '@dcos/sdk';
import type { MarathonEvent } from '../core/index.ts';
import type { MarathonConfig } from './config.ts';
import type { SchedulerEffect, SchedulerPort } from './engine.ts';

const CAPABILITIES: readonly FrameworkInfo_Capability_Type[] = [
  'PARTITION_AWARE',
  'TASK_KILLING_STATE',
  'MULTI_ROLE',
  'RESERVATION_REFINEMENT',
  'REGION_AWARE',
];

/** Who subscribes. */
export function frameworkInfo(
  config: MarathonConfig,
  self: { readonly roles: readonly string[]; readonly webuiUrl: string; readonly id?: string },
): FrameworkInfo {
  const capabilities = config.enableFeatures.includes('gpu_resources')
    ? [...CAPABILITIES, 'GPU_RESOURCES' as const]
    : CAPABILITIES;
  return {
    user: config.mesosUser,
    name: config.frameworkName,
    ...(self.id === undefined ? {} : { id: { value: self.id } }),
    failover_timeout: config.failoverTimeoutSeconds,
    checkpoint: true,
    roles: self.roles,
    hostname: config.hostname,
    ...(config.principal === undefined ? {} : { principal: config.principal }),
    webui_url: self.webuiUrl,
    capabilities: capabilities.map((type) => ({ type })),
  };
}

/** Turns effects into calls of a connection. */
export function schedulerPort(
  connection: () => SchedulerConnection,
  info: (roles: readonly string[]) => FrameworkInfo,
): SchedulerPort {
  return {
    async perform(effect: SchedulerEffect): Promise<void> {
      switch (effect.kind) {
        case 'accept':
          return await connection().accept(
            [{ value: effect.offerId }],
            [{ type: 'LAUNCH', launch: { task_infos: effect.tasks } }],
            { refuse_seconds: effect.refuseSeconds },
          );
        case 'decline':
          return await connection().decline(
            effect.offerIds.map((value) => ({ value })),
            { refuse_seconds: effect.refuseSeconds },
          );
        case 'revive':
          return await connection().revive(effect.roles);
        case 'suppress':
          return await connection().suppress(effect.roles);
        case 'kill':
          return await connection().kill(
            { value: effect.taskId },
            effect.agentId === undefined ? {} : { agent: { value: effect.agentId } },
          );
        case 'acknowledge':
          return await connection().acknowledge(effect.status);
        case 'reconcile':
          return await connection().reconcile(
            effect.tasks.map(({ taskId, agentId }) => ({
              task_id: { value: taskId },
              ...(agentId === undefined ? {} : { agent_id: { value: agentId } }),
            })),
          );
        case 'updateRoles':
          return await connection().updateFramework(info(effect.roles));
        default:
          return unreachable(effect);
      }
    },
  };
}

/** The core's form of what a connection says; undefined for what the core does not need. */
export function toMarathonEvent(event: SchedulerEvent): MarathonEvent | undefined {
  switch (event.kind) {
    case 'subscribed': {
      const masterRegion = event.master?.domain?.fault_domain?.region.name;
      const master = event.masterUrl.replace(/^https?:\/\//, '');
      return {
        kind: 'subscribed',
        frameworkId: event.frameworkId,
        master,
        ...(masterRegion === undefined ? {} : { masterRegion }),
      };
    }
    case 'offers':
      return { kind: 'offers', offers: event.offers };
    case 'update':
      return { kind: 'statusUpdate', status: event.status };
    case 'message':
      return {
        kind: 'frameworkMessage',
        agentId: event.agentId.value,
        executorId: event.executorId.value,
        data: toBase64(event.data),
      };
    case 'disconnected':
      return { kind: 'disconnected' };
    case 'stopped':
      return event.reason === 'removed' ? { kind: 'frameworkRemoved' } : { kind: 'disconnected' };
    // Offers are answered in the step in which they come: there is nothing to take back. Inverse offers,
    // operations and executors concern frameworks with reservations; heartbeats are the connection's.
    case 'rescind':
    case 'inverseOffers':
    case 'rescindInverseOffer':
    case 'operationUpdate':
    case 'failure':
    case 'error':
    case 'heartbeat':
      return undefined;
    default:
      return unreachable(event);
  }
}
