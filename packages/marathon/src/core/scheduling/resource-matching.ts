/**
 * Takes what an app needs out of the resources of an offer.
 *
 * Invariants: never takes more than is left, nor resources of a role that the app does not accept, nor
 * volumes, nor resources that carry a reservation of ours. Quantities are compared as thousandths.
 */

import type { Random } from '@dcos/base';
import type { Resource } from '@dcos/wire';
import { choosePorts, type PortRequest } from './port-matching.ts';
import type { Refusal, RejectReason } from './reject-reason.ts';

/** Label of reservations that Marathon made for instances with persistent volumes. */
const RESERVATION_LABEL = 'marathon_framework_id';

export interface ResourceNeeds {
  readonly cpus: number;
  readonly memMb: number;
  readonly diskMb: number;
  readonly gpus: number;
  readonly ports: readonly PortRequest[];
}

export interface ResourceMatch {
  /** What the task gets, to be put into its TaskInfo. */
  readonly taken: readonly Resource[];
  readonly hostPorts: readonly (number | null)[];
  /** What is left of the offer. */
  readonly left: readonly Resource[];
}

const SCALARS: readonly {
  readonly name: string;
  readonly reason: RejectReason;
  readonly amount: (needs: ResourceNeeds) => number;
}[] = [
  { name: 'cpus', reason: 'InsufficientCpus', amount: (needs) => needs.cpus },
  { name: 'mem', reason: 'InsufficientMemory', amount: (needs) => needs.memMb },
  { name: 'disk', reason: 'InsufficientDisk', amount: (needs) => needs.diskMb },
  { name: 'gpus', reason: 'InsufficientGpus', amount: (needs) => needs.gpus },
];

/** The role that a resource is reserved for; `*` when it is free for all. */
export function reservedRole(resource: Resource): string {
  const reservations = resource.reservations ?? [];
  return reservations.at(-1)?.role ?? resource.role ?? '*';
}

/** True for a resource that ordinary work may use. */
export function isUsable(resource: Resource, acceptedRoles: ReadonlySet<string>): boolean {
  if (!acceptedRoles.has(reservedRole(resource))) return false;
  if (resource.disk?.persistence !== undefined || resource.disk?.source !== undefined) return false;
  if (resource.revocable !== undefined || resource.shared !== undefined) return false;
  return !(resource.reservations ?? []).some((reservation) =>
    (reservation.labels?.labels ?? []).some((label) => label.key === RESERVATION_LABEL),
  );
}

/** Takes the needs out of what is left of an offer, or says which resource fell short. */
export function matchResources(
  needs: ResourceNeeds,
  left: readonly Resource[],
  acceptedRoles: ReadonlySet<string>,
  random: Random,
): ResourceMatch | Refusal {
  const remaining: Resource[] = [...left];
  const taken: Resource[] = [];
  for (const { name, reason, amount } of SCALARS) {
    const wanted = amount(needs);
    const refusal = takeScalar({ name, wanted, reason }, { remaining, taken, acceptedRoles });
    if (refusal !== undefined) return refusal;
  }
  const indexes = [...remaining.keys()].filter((index) => {
    const resource = remaining[index];
    return resource?.name === 'ports' && isUsable(resource, acceptedRoles);
  });
  const offered = indexes.flatMap((index) => remaining[index] ?? []);
  const choice = choosePorts(needs.ports, offered, random);
  if ('missing' in choice) {
    const { missing, quantity } = choice;
    return {
      reason: 'InsufficientPorts',
      subject: missing,
      ...(quantity === undefined ? {} : { quantity }),
    };
  }
  for (const [offeredIndex, ports] of choice.taken) {
    const index = indexes[offeredIndex];
    const resource = offered[offeredIndex];
    if (index === undefined || resource === undefined) continue;
    taken.push(withPorts(resource, ports));
    remaining[index] = withoutPorts(resource, new Set(ports));
  }
  return { taken, hostPorts: choice.hostPorts, left: remaining };
}

function takeScalar(
  want: { readonly name: string; readonly wanted: number; readonly reason: RejectReason },
  from: {
    readonly remaining: Resource[];
    readonly taken: Resource[];
    readonly acceptedRoles: ReadonlySet<string>;
  },
): Refusal | undefined {
  const { remaining, taken, acceptedRoles } = from;
  let missing = milli(want.wanted);
  if (missing <= 0) return undefined;
  let offered = 0;
  for (const [index, resource] of remaining.entries()) {
    if (resource.name !== want.name || !isUsable(resource, acceptedRoles)) continue;
    const available = milli(resource.scalar?.value ?? 0);
    offered += available;
    const part = Math.min(available, missing);
    if (part === 0) continue;
    missing -= part;
    taken.push({ ...resource, scalar: { value: part / 1000 } });
    remaining[index] = { ...resource, scalar: { value: (available - part) / 1000 } };
  }
  if (missing === 0) return undefined;
  return {
    reason: want.reason,
    subject: want.name,
    quantity: { wanted: want.wanted, offered: offered / 1000 },
  };
}

function milli(value: number): number {
  return Math.round(value * 1000);
}

function withPorts(resource: Resource, ports: readonly number[]): Resource {
  const sorted = [...ports].sort((left, right) => left - right);
  const range: { begin: number; end: number }[] = [];
  for (const port of sorted) {
    const last = range.at(-1);
    if (last !== undefined && last.end + 1 === port) last.end = port;
    else range.push({ begin: port, end: port });
  }
  return { ...resource, ranges: { range } };
}

function withoutPorts(resource: Resource, ports: ReadonlySet<number>): Resource {
  const taken = [...ports].sort((left, right) => left - right);
  const range: { begin: number; end: number }[] = [];
  for (const { begin, end } of resource.ranges?.range ?? []) {
    let from = begin;
    for (const port of taken) {
      if (port < from || port > end) continue;
      if (port > from) range.push({ begin: from, end: port - 1 });
      from = port + 1;
    }
    if (from <= end) range.push({ begin: from, end });
  }
  return { ...resource, ranges: { range } };
}
