/**
 * Roles: those with a weight, a framework, an allocation or a reservation.
 */

import type { Quantities } from '@dcos/allocator';
import { compareText, type FrameworkId, type JsonObject } from '@dcos/base';
import { fromMilli, Resources } from '@dcos/resources';
import type { Role } from '@dcos/wire';
import { consumptions } from '../core/quota-consumption.ts';
import type { Viewer } from '../core/viewer.ts';
import type { MasterState } from '../core/state.ts';
import type { Document } from './document.ts';
import { quantities, reservedByRole } from './v0-resources.ts';

interface RoleEntry {
  readonly frameworks: FrameworkId[];
  allocated: Resources;
  offered: Resources;
  reserved: Resources;
}

/** Sums are over everything, also where the viewer may not see each part. */
function collectRoles(
  state: MasterState,
  viewer: Viewer,
): readonly (readonly [string, RoleEntry])[] {
  const roles = new Map<string, RoleEntry>();
  const entry = (role: string): RoleEntry => {
    const known = roles.get(role);
    if (known !== undefined) return known;
    const added = {
      frameworks: [],
      allocated: Resources.empty,
      offered: Resources.empty,
      reserved: Resources.empty,
    };
    roles.set(role, added);
    return added;
  };
  for (const role of state.weights.keys()) entry(role);
  for (const role of state.quotas.keys()) entry(role);
  for (const { id, info, roles: subscribed } of state.frameworks.values()) {
    const isVisible = viewer.sees('VIEW_FRAMEWORK', info.user);
    for (const role of subscribed) {
      const { frameworks } = entry(role);
      if (isVisible) frameworks.push(id);
    }
  }
  for (const agent of state.agents.values()) {
    for (const [role, resources] of reservedByRole(agent.total)) {
      const known = entry(role);
      known.reserved = known.reserved.add(resources);
    }
    for (const [role, part] of byAllocation(agent.used.total())) {
      const known = entry(role);
      known.allocated = known.allocated.add(part);
    }
    for (const [role, part] of byAllocation(agent.offered.total())) {
      const known = entry(role);
      known.offered = known.offered.add(part);
    }
  }
  const visible = [...roles].filter(([role]) => viewer.sees('VIEW_ROLE', role));
  return visible.sort(([left], [right]) => compareText(left, right));
}

function byAllocation(resources: Resources): ReadonlyMap<string, Resources> {
  const roles = new Set(
    resources.toWire().map(({ allocation_info }) => allocation_info?.role ?? '*'),
  );
  return new Map(
    Array.from(roles, (role) => [
      role,
      resources.filter(({ allocation_info }) => (allocation_info?.role ?? '*') === role),
    ]),
  );
}

/** Guarantee, limit and consumption; a role below another has none of its own and shows what it uses. */
function quotaObject(
  state: MasterState,
  role: string,
  allocated: Resources,
  consumption: Quantities | undefined,
): JsonObject {
  const { guarantees = {}, limits = {} } = state.quotas.get(role) ?? {};
  const amounts = (of: Readonly<Record<string, { readonly value: number }>>): JsonObject =>
    Object.fromEntries(Object.entries(of).map(([name, { value }]) => [name, value]));
  const consumed = role.includes('/')
    ? quantities(allocated)
    : Object.fromEntries(
        Array.from(consumption ?? [])
          .filter(([, milli]) => milli > 0)
          .map(([name, milli]) => [name, fromMilli(milli)]),
      );
  // Ports are in no quota, but the original counts them here.
  const { ports } = quantities(allocated.unreserved());
  return {
    role,
    guarantee: amounts(guarantees),
    limit: amounts(limits),
    consumed: { ...consumed, ...(ports !== undefined && { ports }) },
  };
}

/** `/roles` */
export function rolesDocument(state: MasterState, viewer: Viewer): Document {
  const consumed = consumptions(state);
  return {
    roles: collectRoles(state, viewer).map(
      ([name, { frameworks, allocated, offered, reserved }]) => ({
        name,
        weight: state.weights.get(name) ?? 1,
        quota: quotaObject(state, name, allocated, consumed.get(name)),
        resources: quantities(allocated.add(offered)),
        allocated: quantities(allocated),
        offered: quantities(offered),
        reserved: quantities(reserved),
        frameworks,
      }),
    ),
  };
}

/** GET_ROLES */
export function roleMessages(state: MasterState, viewer: Viewer): readonly Role[] {
  return collectRoles(state, viewer).map(([name, { frameworks, allocated, offered }]) => {
    const resources = allocated.add(offered).unallocate().toWire();
    return {
      name,
      weight: state.weights.get(name) ?? 1,
      ...(frameworks.length > 0 && { frameworks: frameworks.map((value) => ({ value })) }),
      ...(resources.length > 0 && { resources }),
    };
  });
}
