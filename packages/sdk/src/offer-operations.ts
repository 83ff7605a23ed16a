/**
 * Builders of the operations that an ACCEPT carries, and of the resources that they speak of.
 */

import { reservationsOf } from '@dcos/resources';
import type {
  ExecutorInfo,
  Labels,
  Offer_Operation,
  Resource,
  TaskInfo,
  Volume_Mode,
} from '@dcos/wire';

/** Starts tasks, each for itself. */
export function launch(...task_infos: readonly TaskInfo[]): Offer_Operation {
  return { type: 'LAUNCH', launch: { task_infos } };
}

/** Starts tasks together under one executor: all of them or none. */
export function launchGroup(
  executor: ExecutorInfo,
  ...tasks: readonly TaskInfo[]
): Offer_Operation {
  return { type: 'LAUNCH_GROUP', launch_group: { executor, task_group: { tasks } } };
}

/** Reserves resources; they are given as they shall be, see `reservedFor`. */
export function reserve(resources: readonly Resource[]): Offer_Operation {
  return { type: 'RESERVE', reserve: { resources } };
}

/** Gives up the reservation that was made last. */
export function unreserve(resources: readonly Resource[]): Offer_Operation {
  return { type: 'UNRESERVE', unreserve: { resources } };
}

/** Creates persistent volumes; they are given as they shall be, see `persistentVolume`. */
export function createVolumes(...volumes: readonly Resource[]): Offer_Operation {
  return { type: 'CREATE', create: { volumes } };
}

/** Destroys persistent volumes with what is in them. */
export function destroyVolumes(...volumes: readonly Resource[]): Offer_Operation {
  return { type: 'DESTROY', destroy: { volumes } };
}

/** The operation with an id: its outcome comes as `operationUpdate`. Not for LAUNCH and LAUNCH_GROUP. */
export function withId(id: string, operation: Offer_Operation): Offer_Operation {
  return { ...operation, id: { value: id } };
}

export interface Reserving {
  readonly role: string;
  readonly principal?: string;
  readonly labels?: Labels;
}

/** The resources with one more reservation on top. */
export function reservedFor(
  resources: readonly Resource[],
  reserving: Reserving,
): readonly Resource[] {
  return resources.map((resource) => {
    const { role: _role, reservation: _reservation, ...rest } = resource;
    return {
      ...rest,
      reservations: [...reservationsOf(resource), { type: 'DYNAMIC', ...reserving }],
    };
  });
}

export interface PersistentVolume {
  /** Unique in its role on the agent. */
  readonly id: string;
  readonly containerPath: string;
  readonly principal?: string;
  readonly mode?: Volume_Mode;
}

/** A piece of reserved disk as a persistent volume. */
export function persistentVolume(disk: Resource, volume: PersistentVolume): Resource {
  const { id, containerPath, principal, mode = 'RW' } = volume;
  return {
    ...disk,
    disk: {
      ...disk.disk,
      persistence: { id, ...(principal !== undefined && { principal }) },
      volume: { mode, container_path: containerPath },
    },
  };
}
