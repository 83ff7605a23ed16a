/**
 * Operations on resources, for random histories: what RESERVE, CREATE and their opposites make of resources
 * that somebody holds or nobody does. For tests only.
 */

import { isAncestorRole, Resources } from '@dcos/resources';
import type { Resource } from '@dcos/wire';

const OPERATIONS = ['reserve', 'unreserve', 'create', 'create shared', 'destroy'] as const;
type Operation = (typeof OPERATIONS)[number];

export interface Conversion {
  readonly from: Resources;
  readonly to: Resources;
}

/** All that one operation can make of one of these resources. */
export function conversionsOf(
  resources: Resources,
  { role, volumeId }: { readonly role: string; readonly volumeId: string },
): readonly Conversion[] {
  return resources.toWire().flatMap((resource) =>
    OPERATIONS.filter((operation) => isFit(operation, resource, role)).map((operation) => ({
      from: Resources.fromWire([resource]),
      to: Resources.fromWire([converted(operation, resource, role, volumeId)]),
    })),
  );
}

function isFit(operation: Operation, resource: Resource, role: string): boolean {
  const { reservations = [], disk, revocable, name } = resource;
  const owner = reservations.at(-1);
  const isVolume = disk?.persistence !== undefined;
  switch (operation) {
    case 'reserve':
      return (
        role !== '*' &&
        !isVolume &&
        revocable === undefined &&
        (owner === undefined || (owner.role !== undefined && isAncestorRole(owner.role, role)))
      );
    case 'unreserve':
      return owner?.type === 'DYNAMIC' && !isVolume;
    case 'create':
    case 'create shared':
      return name === 'disk' && disk === undefined && owner !== undefined;
    default:
      return isVolume;
  }
}

function converted(
  operation: Operation,
  resource: Resource,
  role: string,
  volumeId: string,
): Resource {
  const { reservations = [] } = resource;
  switch (operation) {
    case 'reserve':
      return { ...resource, reservations: [...reservations, { type: 'DYNAMIC', role }] };
    case 'unreserve':
      return { ...resource, reservations: reservations.slice(0, -1) };
    case 'create':
    case 'create shared':
      return {
        ...resource,
        disk: {
          persistence: { id: volumeId },
          volume: { mode: 'RW', container_path: 'data' },
        },
        ...(operation === 'create shared' && { shared: {} }),
      };
    default: {
      const { disk: _volume, shared: _shared, ...plain } = resource;
      return plain;
    }
  }
}
