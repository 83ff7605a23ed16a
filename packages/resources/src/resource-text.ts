/**
 * Resources as the original writes them in error texts: `cpus(allocated: *):1; ports:[31000-32000]`.
 */

import type { Resource } from '@dcos/wire';

/** One line for a person. */
export function resourcesText(resources: readonly Resource[]): string {
  return resources.length === 0 ? '{}' : resources.map(resourceText).join('; ');
}

/** One resource. */
export function resourceText(resource: Resource): string {
  const allocated = resource.allocation_info?.role;
  const reserved = (resource.reservations ?? []).map(
    ({ type, role, principal }) =>
      `(${[type ?? 'UNKNOWN', role ?? '*', ...(principal === undefined ? [] : [principal])].join(',')})`,
  );
  const marks = [
    ...(allocated === undefined ? [] : [`(allocated: ${allocated})`]),
    ...(reserved.length === 0 ? [] : [`(reservations: [${reserved.join(',')}])`]),
    ...(resource.revocable === undefined ? [] : ['{REV}']),
  ];
  return `${resource.name}${marks.join('')}:${valueText(resource)}`;
}

function valueText(resource: Resource): string {
  if (resource.scalar !== undefined) return String(resource.scalar.value);
  if (resource.set !== undefined) return `{${(resource.set.item ?? []).join(',')}}`;
  const ranges = resource.ranges?.range ?? [];
  return `[${ranges.map(({ begin, end }) => `${begin}-${end}`).join(', ')}]`;
}
