/**
 * The two formats of reservations on the wire. Inside, a resource has a stack of reservations, the first
 * made at the bottom; before refinement existed it had a `role` and at most one `reservation`.
 */

import type { Resource, Resource_ReservationInfo } from '@dcos/wire';

/** The stack of a resource in either format; empty for one that is not reserved. */
export function reservationsOf(resource: Resource): readonly Resource_ReservationInfo[] {
  if (resource.reservations !== undefined && resource.reservations.length > 0) {
    return resource.reservations;
  }
  const role = resource.role ?? '*';
  if (resource.reservation !== undefined) {
    return [{ ...resource.reservation, type: 'DYNAMIC', role: resource.reservation.role ?? role }];
  }
  return role === '*' ? [] : [{ type: 'STATIC', role }];
}

/** The role that a resource is reserved for, `*` when for none: the top of its stack. */
export function reservationRole(resource: Resource): string {
  return reservationsOf(resource).at(-1)?.role ?? '*';
}

/** The resource in the stack format. */
export function toPostRefinementResource(resource: Resource): Resource {
  const reservations = reservationsOf(resource);
  const { role: _role, reservation: _reservation, reservations: _stack, ...rest } = resource;
  return reservations.length === 0 ? rest : { ...rest, reservations };
}

/** The fields of the old format; only a stack of at most one reservation has it. */
function preRefinementFields(resource: Resource): Pick<Resource, 'role' | 'reservation'> {
  const stack = reservationsOf(resource);
  const [only] = stack;
  if (only === undefined) return { role: '*' };
  const role = only.role ?? '*';
  if (only.type !== 'DYNAMIC') return { role };
  const { type: _type, role: _role, ...reservation } = only;
  return { role, reservation };
}

/** Resources in the old format, for frameworks without RESERVATION_REFINEMENT; refined ones are left out. */
export function toPreRefinement(resources: readonly Resource[]): readonly Resource[] {
  return resources
    .filter((resource) => reservationsOf(resource).length <= 1)
    .map((resource) => {
      const { role: _role, reservation: _reservation, reservations: _stack, ...rest } = resource;
      return { ...rest, ...preRefinementFields(resource) };
    });
}

/** The old fields beside the stack, as the JSON endpoints write both where both exist. */
export function withBothFormats(resource: Resource): Resource {
  const canonical = toPostRefinementResource(resource);
  if (reservationsOf(resource).length > 1) return canonical;
  return { ...canonical, ...preRefinementFields(resource) };
}
