/**
 * Who may reserve, unreserve, and create, destroy and resize volumes: one question for each resource of
 * an operation, by its role or by who reserved or created it.
 */

import { reservationRole } from '@dcos/resources';
import type { Offer_Operation, Resource } from '@dcos/wire';
import type { Action, Authorizer } from './authorization.ts';

/** Says that the principal may not do this, or undefined when it may. */
export function operationForbidden(
  authorizer: Authorizer,
  principal: string | undefined,
  operation: Offer_Operation,
): string | undefined {
  const asks = (
    action: Action,
    resources: readonly Resource[] | undefined,
    objectOf: (resource: Resource) => string | undefined,
  ): boolean =>
    (resources ?? []).every((resource) =>
      authorizer.allows({ action, principal, object: objectOf(resource) }),
    );
  const { grow_volume: grown, shrink_volume: shrunk, create_disk, destroy_disk } = operation;
  const resized = [grown?.volume, shrunk?.volume].filter((volume) => volume !== undefined);
  const allowed =
    asks('RESERVE_RESOURCES', operation.reserve?.resources, reservationRole) &&
    asks('UNRESERVE_RESOURCES', operation.reserve?.source, reserverOf) &&
    asks('UNRESERVE_RESOURCES', operation.unreserve?.resources, reserverOf) &&
    asks('CREATE_VOLUME', operation.create?.volumes, reservationRole) &&
    asks('DESTROY_VOLUME', operation.destroy?.volumes, creatorOf) &&
    asks('RESIZE_VOLUME', resized, reservationRole) &&
    asks(
      create_disk?.target_type === 'BLOCK' ? 'CREATE_BLOCK_DISK' : 'CREATE_MOUNT_DISK',
      create_disk && [create_disk.source],
      reservationRole,
    ) &&
    asks(
      destroyDiskAction(destroy_disk?.source),
      destroy_disk && [destroy_disk.source],
      reservationRole,
    );
  return allowed
    ? undefined
    : `Not authorized to perform the operation as principal '${principal ?? 'ANY'}'`;
}

function destroyDiskAction(source: Resource | undefined): Action {
  const type = source?.disk?.source?.type;
  if (type === 'BLOCK') return 'DESTROY_BLOCK_DISK';
  return type === 'MOUNT' ? 'DESTROY_MOUNT_DISK' : 'DESTROY_RAW_DISK';
}

function reserverOf({ reservations, reservation }: Resource): string | undefined {
  return reservations?.at(-1)?.principal ?? reservation?.principal;
}

function creatorOf({ disk }: Resource): string | undefined {
  return disk?.persistence?.principal;
}
