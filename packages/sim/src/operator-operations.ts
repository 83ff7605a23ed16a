/**
 * What operators of the world do with the resources of an agent: they reserve, make volumes, grow, shrink and
 * destroy them, and unreserve, each out of what the master believes the agent to have. Whether somebody uses that
 * is for the master to know.
 */

import type { Resources } from '@dcos/resources';
import type { masterApi, Resource } from '@dcos/wire';
import {
  isReserved,
  isVolume,
  reserved,
  resized,
  RESERVED,
  volumeOf,
} from './framework-operations.ts';
import type { World } from './world.ts';

export interface OperatorOperations {
  /** A call that makes sense for an agent that has these resources. */
  callFor(agentId: string, total: Resources, role: string): masterApi.Call;
}

export function createOperatorOperations(world: World): OperatorOperations {
  let lastVolume = 0;

  function callOnVolume(
    agent: string,
    volume: Resource,
    more: Resource | undefined,
  ): masterApi.Call {
    const agent_id = { value: agent };
    const { grow_volume, shrink_volume } = world.chance(0.5) ? resized(volume, more) : {};
    if (grow_volume !== undefined)
      return { type: 'GROW_VOLUME', grow_volume: { agent_id, ...grow_volume } };
    if (shrink_volume !== undefined)
      return { type: 'SHRINK_VOLUME', shrink_volume: { agent_id, ...shrink_volume } };
    return { type: 'DESTROY_VOLUMES', destroy_volumes: { agent_id, volumes: [volume] } };
  }

  return {
    callFor(agent, total, role) {
      const agent_id = { value: agent };
      const taken = total.toWire().filter(isReserved);
      const resource = world.chance(0.3) ? undefined : world.pick(taken);
      if (resource === undefined) {
        const resources = Object.entries(RESERVED).map(([name, value]) =>
          reserved({ name, type: 'SCALAR', scalar: { value } }, role),
        );
        return { type: 'RESERVE_RESOURCES', reserve_resources: { agent_id, resources } };
      }
      if (isVolume(resource)) {
        const more = taken.find((other) => other.name === 'disk' && !isVolume(other));
        return callOnVolume(agent, resource, more);
      }
      if (resource.name !== 'disk')
        return {
          type: 'UNRESERVE_RESOURCES',
          unreserve_resources: { agent_id, resources: [resource] },
        };
      const volumes = [volumeOf(resource, `operators-volume-${(lastVolume += 1)}`)];
      return { type: 'CREATE_VOLUMES', create_volumes: { agent_id, volumes } };
    },
  };
}
