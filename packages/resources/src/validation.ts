/**
 * What a resource from outside must be like. The first problem is reported, naming the resource.
 * Source: the original's rules; the texts say the same things in our words.
 */

import { toJsonText, ResourceType, type Resource } from '@dcos/wire';
import { isAncestorRole, isValidRole, UNRESERVED_ROLE } from './roles.ts';
import { reservationsOf } from './reservations.ts';
import { SCALAR_MAX } from './scalar.ts';

/** Resource objects that one message may carry; a bound on the work a client can cause. */
export const RESOURCES_MAX = 10_000;
/** Ranges that one resource may have before they are merged. */
export const RANGES_MAX = 100_000;

/** Says what is wrong with resources, or undefined when nothing is. */
export function validateResources(resources: readonly Resource[]): string | undefined {
  if (resources.length > RESOURCES_MAX) return `More than ${RESOURCES_MAX} resource objects`;
  for (const resource of resources) {
    const problem = valueProblem(resource) ?? reservationProblem(resource) ?? diskProblem(resource);
    if (problem !== undefined) return `Resource '${describe(resource)}' is invalid: ${problem}`;
  }
  return undefined;
}

function describe(resource: Resource): string {
  return toJsonText(ResourceType, resource).slice(0, 500);
}

function valueProblem(resource: Resource): string | undefined {
  const { name, type, scalar, ranges, set } = resource;
  if (name === '') return 'Empty resource name';
  if (name.includes('\u0000')) return 'Invalid resource name';
  switch (type) {
    case 'SCALAR':
      if (scalar === undefined || ranges !== undefined || set !== undefined)
        return 'Invalid scalar resource';
      if (!Number.isFinite(scalar.value)) return 'Invalid scalar resource: value is not a number';
      if (scalar.value < 0) return 'Invalid scalar resource: value < 0';
      return scalar.value > SCALAR_MAX
        ? `Invalid scalar resource: value > ${SCALAR_MAX}`
        : gpuProblem(resource);
    case 'RANGES':
      if (ranges === undefined || scalar !== undefined || set !== undefined)
        return 'Invalid ranges resource';
      return rangesProblem(resource);
    case 'SET': {
      if (set === undefined || scalar !== undefined || ranges !== undefined)
        return 'Invalid set resource';
      const items = set.item ?? [];
      return new Set(items).size < items.length
        ? 'Invalid set resource: duplicated elements'
        : undefined;
    }
    case 'TEXT':
      return 'Unsupported resource type TEXT';
    default:
      return 'Invalid resource type';
  }
}

function gpuProblem(resource: Resource): string | undefined {
  const value = resource.scalar?.value ?? 0;
  if (resource.name !== 'gpus' || Number.isInteger(value)) return undefined;
  return "The 'gpus' resource must be an unsigned integer";
}

function rangesProblem(resource: Resource): string | undefined {
  const ranges = resource.ranges?.range ?? [];
  if (ranges.length > RANGES_MAX) return `Invalid ranges resource: more than ${RANGES_MAX} ranges`;
  for (const { begin, end } of ranges) {
    if (!Number.isSafeInteger(begin) || !Number.isSafeInteger(end) || begin < 0) {
      return 'Invalid ranges resource: bounds must be whole numbers from 0';
    }
    if (begin > end) return 'Invalid ranges resource: begin > end';
  }
  return undefined;
}

function reservationProblem(resource: Resource): string | undefined {
  const given = resource.reservations ?? [];
  const role = resource.role ?? UNRESERVED_ROLE;
  if (given.length > 0 && role !== UNRESERVED_ROLE && role !== given.at(-1)?.role) {
    return `'role' (${role}) contradicts 'reservations'`;
  }
  if (given.length === 0 && role === UNRESERVED_ROLE && resource.reservation !== undefined) {
    return "Unreserved resource must not have 'reservation'";
  }
  const stack = reservationsOf(resource);
  for (const [depth, reservation] of stack.entries()) {
    if (reservation.type !== 'STATIC' && reservation.type !== 'DYNAMIC') {
      return "Invalid reservation: 'type' must be STATIC or DYNAMIC";
    }
    const owner = reservation.role ?? '';
    const problem = isValidRole(owner);
    if (problem !== undefined) return `Invalid reservation: ${problem}`;
    if (owner === UNRESERVED_ROLE) return "Invalid reservation: role '*' cannot be reserved";
    if (depth === 0) continue;
    if (reservation.type === 'STATIC')
      return 'Invalid refined reservation: a STATIC reservation can only be the first';
    const below = stack[depth - 1]?.role ?? '';
    if (!isAncestorRole(below, owner)) {
      return `Invalid refined reservation: role '${owner}' is not below '${below}'`;
    }
  }
  if (resource.revocable !== undefined && stack.some(({ type }) => type === 'DYNAMIC')) {
    return 'Dynamically reserved resource cannot be revocable';
  }
  return undefined;
}

function diskProblem(resource: Resource): string | undefined {
  const { disk, name, shared, revocable } = resource;
  if (shared !== undefined && disk?.persistence === undefined) {
    return 'Only persistent volumes can be shared';
  }
  if (disk === undefined) return undefined;
  if (name !== 'disk') return `DiskInfo should not be set for '${name}' resource`;
  if (disk.persistence === undefined) return undefined;
  if (disk.persistence.id === '') return 'Persistent volume must have an id';
  if (revocable !== undefined) return 'Persistent volume cannot be revocable';
  if (reservationsOf(resource).length === 0) return 'Persistent volume must be reserved';
  return undefined;
}
