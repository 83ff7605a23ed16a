/**
 * The two spellings of reservations.
 *
 * Now: `reservations` is a stack, bottom first, each `{type, role, principal?, labels?}`; empty means
 * unreserved; the top says whose it is. Before refinement: `role` other than `*` alone is a static
 * reservation, together with `reservation` a dynamic one. "Endpoint" form has both where there is one
 * reservation. In memory there is only the stack.
 * Source: mesos.proto of the original and its recorded documents.
 */

import { toJson, ResourceType, type Resource, type Resource_ReservationInfo } from '@dcos/wire';
import type { JsonValue } from '@dcos/base';
import { UNRESERVED_ROLE } from './roles.ts';

/** The stack of reservations, whichever spelling the resource came in. */
export function reservationsOf(resource: Resource): readonly Resource_ReservationInfo[] {
  if (resource.reservations !== undefined && resource.reservations.length > 0)
    return resource.reservations;
  const role = resource.role ?? UNRESERVED_ROLE;
  if (role === UNRESERVED_ROLE) return [];
  const { reservation } = resource;
  if (reservation === undefined) return [{ type: 'STATIC', role }];
  return [
    {
      type: 'DYNAMIC',
      role,
      ...(reservation.principal === undefined ? {} : { principal: reservation.principal }),
      ...(reservation.labels === undefined ? {} : { labels: reservation.labels }),
    },
  ];
}

/** Whose the resource is: the role on top of the stack, `*` when nobody's. */
export function reservationRole(resource: Resource): string {
  return reservationsOf(resource).at(-1)?.role ?? UNRESERVED_ROLE;
}

/** `role` and `reservation` as before refinement; undefined when the stack is deeper than one. */
function oldFields(resource: Resource): Pick<Resource, 'role' | 'reservation'> | undefined {
  const stack = reservationsOf(resource);
  if (stack.length > 1) return undefined;
  const [only] = stack;
  if (only === undefined) return { role: UNRESERVED_ROLE };
  const role = only.role ?? UNRESERVED_ROLE;
  if (only.type === 'STATIC') return { role };
  return {
    role,
    reservation: {
      ...(only.principal === undefined ? {} : { principal: only.principal }),
      ...(only.labels === undefined ? {} : { labels: only.labels }),
    },
  };
}

/**
 * The spelling for frameworks without RESERVATION_REFINEMENT. Resources with a refined reservation
 * cannot be said in it and keep the stack; such frameworks are never offered any.
 */
export function toPreRefinement(resources: readonly Resource[]): readonly Resource[] {
  return resources.map((resource) => {
    const fields = oldFields(resource);
    if (fields === undefined) return resource;
    const {
      reservations: _reservations,
      role: _role,
      reservation: _reservation,
      ...rest
    } = resource;
    return { ...rest, ...fields };
  });
}

/** The JSON of v0 documents: the stack, and the old fields too wherever they can say it. */
export function toEndpointResources(resources: readonly Resource[]): JsonValue[] {
  return resources.map((resource) => {
    const {
      reservations: _reservations,
      role: _role,
      reservation: _reservation,
      ...rest
    } = resource;
    const stack = reservationsOf(resource);
    const both: Resource = {
      ...rest,
      ...oldFields(resource),
      ...(stack.length === 0 ? {} : { reservations: stack }),
    };
    return toJson(ResourceType, both);
  });
}
