/**
 * What offer operations make of resources: reserve and unreserve, volumes created, destroyed, grown and
 * shrunk. A conversion takes some objects and puts others in their place; amounts never change.
 *
 * Allocation is kept: what comes allocated to a role goes allocated to it.
 * Source: the original's rules and recorded texts.
 */

import { err, ok, type Result } from '@dcos/base';
import type { Offer_Operation, Resource, Resource_DiskInfo } from '@dcos/wire';
import { reservationsOf } from './reservations.ts';
import { Resources } from './resources.ts';
import { fromMilli, toMilli } from './scalar.ts';
import { resourceText } from './resource-text.ts';
import { validateResources } from './validation.ts';

/** One step: `consumed` goes, `converted` comes. */
export interface Conversion {
  readonly consumed: Resources;
  readonly converted: Resources;
}

/** What an operation does to resources, or what is wrong with it. Operations on tasks and disks convert nothing. */
export function conversionOf(operation: Offer_Operation): Result<Conversion, string> {
  switch (operation.type) {
    case 'RESERVE':
      return reserve(operation.reserve?.resources ?? [], operation.reserve?.source ?? []);
    case 'UNRESERVE':
      return unreserve(operation.unreserve?.resources ?? []);
    case 'CREATE':
      return create(operation.create?.volumes ?? []);
    case 'DESTROY':
      return destroy(operation.destroy?.volumes ?? []);
    case 'GROW_VOLUME': {
      const { volume, addition } = operation.grow_volume ?? {};
      if (volume === undefined || addition === undefined) return err('no volume is given');
      return grow(volume, addition);
    }
    case 'SHRINK_VOLUME': {
      const { volume, subtract } = operation.shrink_volume ?? {};
      if (volume === undefined || subtract === undefined) return err('no volume is given');
      return shrink(volume, toMilli(subtract.value));
    }
    default:
      return err(`${operation.type ?? 'UNKNOWN'} converts no resources`);
  }
}

/** The resources that an operation names, in the order in which it names them. */
export function resourcesOfOperation(operation: Offer_Operation): readonly Resource[] {
  const {
    reserve: reserved,
    unreserve: unreserved,
    create: created,
    destroy: destroyed,
  } = operation;
  const { grow_volume: grown, shrink_volume: shrunk } = operation;
  return [
    ...(reserved?.source ?? []),
    ...(reserved?.resources ?? []),
    ...(unreserved?.resources ?? []),
    ...(created?.volumes ?? []),
    ...(destroyed?.volumes ?? []),
    ...(grown === undefined ? [] : [grown.volume, grown.addition]),
    ...(shrunk === undefined ? [] : [shrunk.volume]),
  ];
}

/** The same operation with another form of each of its resources. */
export function mapOperationResources(
  operation: Offer_Operation,
  change: (resource: Resource) => Resource,
): Offer_Operation {
  const {
    reserve: reserved,
    unreserve: unreserved,
    create: created,
    destroy: destroyed,
  } = operation;
  const { grow_volume: grown, shrink_volume: shrunk } = operation;
  return {
    ...operation,
    ...(reserved !== undefined && {
      reserve: {
        ...reserved,
        ...(reserved.source !== undefined && { source: reserved.source.map(change) }),
        resources: (reserved.resources ?? []).map(change),
      },
    }),
    ...(unreserved !== undefined && {
      unreserve: { resources: (unreserved.resources ?? []).map(change) },
    }),
    ...(created !== undefined && { create: { volumes: (created.volumes ?? []).map(change) } }),
    ...(destroyed !== undefined && { destroy: { volumes: (destroyed.volumes ?? []).map(change) } }),
    ...(grown !== undefined && {
      grow_volume: { volume: change(grown.volume), addition: change(grown.addition) },
    }),
    ...(shrunk !== undefined && { shrink_volume: { ...shrunk, volume: change(shrunk.volume) } }),
  };
}

function reserve(
  resources: readonly Resource[],
  source: readonly Resource[],
): Result<Conversion, string> {
  if (resources.length === 0) return err('No resources specified');
  const problem = invalid([...source, ...resources]);
  if (problem !== undefined) return err(problem);
  for (const resource of resources) {
    // With a source any reservation may be the target, a step back to an ancestor's included.
    if (reservationsOf(resource).at(-1)?.type !== 'DYNAMIC' && source.length === 0)
      return err(`Resource ${resourceText(resource)} is not dynamically reserved`);
    if (resource.disk?.persistence !== undefined)
      return err(`A persistent volume ${resourceText(resource)} must already be reserved`);
  }
  if (source.length > 0) {
    const volume = source.find(({ disk }) => disk?.persistence !== undefined);
    if (volume !== undefined)
      return err(`The reservation of a volume ${resourceText(volume)} cannot be changed`);
    const consumed = Resources.fromWire(source);
    const converted = Resources.fromWire(resources);
    return sameAmounts(consumed, converted)
      ? ok({ consumed, converted })
      : err("'source' and 'resources' of a RESERVE must be the same quantities");
  }
  return ok({
    consumed: Resources.fromWire(resources.map(popped)),
    converted: Resources.fromWire(resources),
  });
}

function unreserve(resources: readonly Resource[]): Result<Conversion, string> {
  if (resources.length === 0) return err('No resources specified');
  const problem = invalid(resources);
  if (problem !== undefined) return err(problem);
  for (const resource of resources) {
    if (reservationsOf(resource).at(-1)?.type !== 'DYNAMIC')
      return err(`Resource ${resourceText(resource)} is not dynamically reserved`);
    if (resource.disk?.persistence !== undefined) {
      return err(
        `A dynamically reserved persistent volume ${resourceText(resource)} cannot be unreserved directly. ` +
          'Please destroy the persistent volume first then unreserve the resource',
      );
    }
  }
  return ok({
    consumed: Resources.fromWire(resources),
    converted: Resources.fromWire(resources.map(popped)),
  });
}

function create(volumes: readonly Resource[]): Result<Conversion, string> {
  const problem = volumesProblem(volumes);
  if (problem !== undefined) return err(problem);
  return ok({
    consumed: Resources.fromWire(volumes.map(withoutVolume)),
    converted: Resources.fromWire(volumes),
  });
}

function destroy(volumes: readonly Resource[]): Result<Conversion, string> {
  const problem = volumesProblem(volumes);
  if (problem !== undefined) return err(problem);
  return ok({
    consumed: Resources.fromWire(volumes),
    converted: Resources.fromWire(volumes.map(withoutVolume)),
  });
}

function volumesProblem(volumes: readonly Resource[]): string | undefined {
  if (volumes.length === 0) return 'No volumes specified';
  const problem = invalid(volumes);
  if (problem !== undefined) return problem;
  for (const volume of volumes) {
    const text = resourceText(volume);
    if (volume.disk?.persistence === undefined) return `'persistence' is not set in ${text}`;
    if (volume.disk.volume === undefined) return `Expecting 'volume' to be set for ${text}`;
    if (volume.disk.volume.mode !== 'RW') return `Only read-write volumes are supported: ${text}`;
    if (volume.disk.volume.host_path !== undefined)
      return `Expecting 'host_path' to be unset for ${text}`;
  }
  return undefined;
}

function grow(volume: Resource, addition: Resource): Result<Conversion, string> {
  const problem = invalid([volume, addition]) ?? resizeProblem(volume);
  if (problem !== undefined) return err(problem);
  if ((addition.scalar?.value ?? 0) <= 0) return err("The size of 'addition' must be positive");
  const wanted = Resources.fromWire([{ ...withoutVolume(volume), scalar: { value: 1 } }]);
  const given = Resources.fromWire([{ ...addition, scalar: { value: 1 } }]);
  if (!wanted.equals(given)) {
    return err(
      `Incompatible resources ${resourceText(volume)} and ${resourceText(addition)}: they differ in more than size`,
    );
  }
  const milli = toMilli(volume.scalar?.value ?? 0) + toMilli(addition.scalar?.value ?? 0);
  return ok({
    consumed: Resources.fromWire([volume, addition]),
    converted: Resources.fromWire([{ ...volume, scalar: { value: fromMilli(milli) } }]),
  });
}

function shrink(volume: Resource, subtractMilli: number): Result<Conversion, string> {
  const problem = invalid([volume]) ?? resizeProblem(volume);
  if (problem !== undefined) return err(problem);
  if (!(subtractMilli > 0)) return err("The size of 'subtract' must be positive");
  const left = toMilli(volume.scalar?.value ?? 0) - subtractMilli;
  if (left <= 0) return err("The size of 'subtract' must be smaller than that of the volume");
  return ok({
    consumed: Resources.fromWire([volume]),
    converted: Resources.fromWire([
      { ...volume, scalar: { value: fromMilli(left) } },
      { ...withoutVolume(volume), scalar: { value: fromMilli(subtractMilli) } },
    ]),
  });
}

function resizeProblem(volume: Resource): string | undefined {
  if (volume.disk?.persistence === undefined) return 'A persistent volume is expected';
  if (volume.shared !== undefined) return 'Resizing a shared persistent volume is not supported';
  const source = volume.disk.source?.type;
  if (source !== undefined && source !== 'PATH')
    return `Resizing a persistent volume on a ${source} disk is not supported`;
  return undefined;
}

function invalid(resources: readonly Resource[]): string | undefined {
  const problem = validateResources(resources);
  return problem === undefined ? undefined : `Invalid resources: ${problem}`;
}

/** The resource without its topmost reservation, in the spelling of stacks. */
function popped(resource: Resource): Resource {
  const { role: _role, reservation: _reservation, reservations: _reservations, ...rest } = resource;
  const stack = reservationsOf(resource).slice(0, -1);
  return { ...rest, ...(stack.length > 0 && { reservations: stack }) };
}

/** The disk that a volume lies on. */
function withoutVolume(resource: Resource): Resource {
  const { disk, shared: _shared, ...rest } = resource;
  const source: Resource_DiskInfo | undefined =
    disk?.source === undefined ? undefined : { source: disk.source };
  return { ...rest, ...(source !== undefined && { disk: source }) };
}

function sameAmounts(left: Resources, right: Resources): boolean {
  const stripped = (resources: Resources): Resources =>
    Resources.fromWire(
      resources.toWire().map((resource) => {
        const { reservations: _reservations, allocation_info: _allocation, ...rest } = resource;
        return rest;
      }),
    );
  return stripped(left).equals(stripped(right));
}
